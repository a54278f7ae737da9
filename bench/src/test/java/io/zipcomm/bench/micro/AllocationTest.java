package io.zipcomm.bench.micro;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.zipcomm.internal.CreditBenchmark;
import io.zipcomm.internal.MatchingBenchmark;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * The data path allocates nothing: its benchmarks, run shortly in this process under a profiler.
 *
 * <p>What JMH's worker allocates itself counts too: some 500 bytes an iteration, where a benchmark makes more than 10,000
 * calls. Of several iterations the least counts, since what the benchmark itself allocates is in each, and what seems too much
 * is measured again, each time longer: a machine that was busy with something else made too few calls. The smallest object has
 * 16 bytes, so that less than one byte a call means: none, but for one call in 16 at most.
 */
final class AllocationTest {

    private static final double BYTES_MAX = 1;
    private static final int SHORT_MS = 40;
    private static final int[] LONGER_MS = {150, 600, 2400};

    @Test
    void shouldNotAllocateInCodecCreditAndMatching() throws RunnerException {
        check(
                7,
                options(SHORT_MS)
                        .include(FrameHeaderBenchmark.class.getName())
                        .include(CreditBenchmark.class.getName())
                        .include(MatchingBenchmark.class.getName())
                        .param("waiting", "8"));
    }

    @Test
    void shouldNotAllocateInTurnsAndMessagesOfTheEngine() throws RunnerException {
        check(6, options(SHORT_MS).include(EngineTurnBenchmark.class.getName()));
    }

    @Test
    void shouldNotAllocateInReductionsOfAnyType() throws RunnerException {
        check(7 * 2, reductions().param("memory", "HEAP", "DIRECT"));
    }

    @Test
    void shouldNotAllocateInReductionsInAnyMemory() throws RunnerException {
        check(2, reductions().param("memory", "ARRAY", "AGRONA").param("type", "FLOAT32"));
    }

    @Test
    void shouldNotAllocateInReductionsOfWhatArrivesBetweenTwoPlaces() throws RunnerException {
        check(7, reductions().param("memory", "DIRECT").param("at", "3"));
    }

    @Test
    void shouldFindAnAllocation() throws RunnerException {
        ChainedOptionsBuilder options = options(SHORT_MS).include(AllocatingBenchmark.class.getName());
        assertEquals(1, allocating(new Runner(options.build()).run()).size());
    }

    private static ChainedOptionsBuilder reductions() {
        return options(SHORT_MS)
                .include(ReductionBenchmark.class.getName() + ".reduce")
                .param("bytes", "512");
    }

    private static ChainedOptionsBuilder options(int iterationMs) {
        return new OptionsBuilder()
                .forks(0)
                .warmupIterations(1)
                .warmupTime(TimeValue.milliseconds(2L * iterationMs))
                .measurementIterations(3)
                .measurementTime(TimeValue.milliseconds(iterationMs))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .addProfiler(WorkerAllocation.class);
    }

    private static void check(int benchmarks, ChainedOptionsBuilder options) throws RunnerException {
        Collection<RunResult> results = new Runner(options.build()).run();
        assertEquals(benchmarks, results.size(), "benchmarks that ran");
        List<String> guilty = new ArrayList<>();
        for (RunResult suspect : allocating(results)) {
            List<RunResult> again = List.of(suspect);
            for (int i = 0; i < LONGER_MS.length && !again.isEmpty(); i++) {
                again = allocating(repeat(suspect.getParams(), LONGER_MS[i]));
            }
            again.forEach(one -> guilty.add(name(one.getParams()) + ": " + bytes(one) + " bytes a call"));
        }
        assertEquals(List.of(), guilty);
    }

    private static Collection<RunResult> repeat(BenchmarkParams params, int iterationMs) throws RunnerException {
        ChainedOptionsBuilder options = options(iterationMs).include("^" + Pattern.quote(params.getBenchmark()) + "$");
        for (String key : params.getParamsKeys()) {
            options.param(key, params.getParam(key));
        }
        return new Runner(options.build()).run();
    }

    private static List<RunResult> allocating(Collection<RunResult> results) {
        return results.stream().filter(result -> bytes(result) >= BYTES_MAX).toList();
    }

    /** What one call allocates, in the iteration that allocated least. */
    private static double bytes(RunResult result) {
        double least = Double.MAX_VALUE;
        for (BenchmarkResult run : result.getBenchmarkResults()) {
            for (IterationResult iteration : run.getIterationResults()) {
                Result<?> allocated = iteration.getSecondaryResults().get(WorkerAllocation.LABEL);
                assertNotNull(allocated, "this virtual machine does not tell what threads allocate");
                least = Math.min(least, allocated.getScore());
            }
        }
        return least;
    }

    private static String name(BenchmarkParams params) {
        StringBuilder name = new StringBuilder(params.getBenchmark());
        for (String key : params.getParamsKeys()) {
            name.append(' ').append(params.getParam(key));
        }
        return name.toString();
    }
}
