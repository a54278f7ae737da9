package io.zipcomm.bench.report.html;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.report.Cost;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.FloorSpeed;
import io.zipcomm.bench.report.Prediction;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.report.RunFacts;
import io.zipcomm.bench.report.RunResult;
import io.zipcomm.bench.report.RunResult.GroupModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A run as large as they come, from a formula: its numbers look like measurements and mean nothing. */
final class SampleRun {

    static final List<Integer> RANKS = List.of(2, 4, 8);
    static final List<Long> SIZES =
            List.of(8L, 64L, 512L, 4L << 10, 64L << 10, 512L << 10, 1L << 20, 16L << 20, 64L << 20);
    static final String HOSTILE = "</script><img src=x onerror=alert(1)>&\"'";

    private static final int LARGEST_GROUP = 4096;

    private record Contestant(String name, double alphaUs, double betaUsPerByte, List<String> algorithms) {}

    private static final List<Contestant> CONTESTANTS = List.of(
            new Contestant("tcp", 12, 0.00025, List.of("chosen")),
            new Contestant("aeron-ipc", 1, 0.0001, List.of("chosen")),
            new Contestant("relay", 45, 0.0009, List.of("chosen")),
            new Contestant("redis", 160, 0.0031, List.of("gather", "scatter-reduce")),
            new Contestant("redis-tuned", 90, 0.0021, List.of("gather", "scatter-reduce")),
            new Contestant("mpi-tcp", 14, 0.0003, List.of("default")),
            new Contestant("mpi-shm", 2, 0.0001, List.of("default")),
            new Contestant(Row.FLOOR, 10, 0.0002, List.of(Means.SOCKETS.floor(), Means.SHARED_MEMORY.floor())));

    final Map<String, String> machine = new LinkedHashMap<>();
    final Map<String, String> versions = new LinkedHashMap<>();
    final List<String> absent = new ArrayList<>();
    final List<String> noise = new ArrayList<>();
    final List<GroupModel> models = new ArrayList<>();
    final List<Row> rows = new ArrayList<>();
    final List<Prediction> predictions = new ArrayList<>();
    final List<String> problems = new ArrayList<>();
    private final Random random = new Random(42);

    /** Facts only. */
    static SampleRun empty() {
        SampleRun run = new SampleRun();
        run.machine.put("processor", "Example processor");
        run.machine.put("cores", "2");
        run.versions.put("Java", "17");
        return run;
    }

    /** Ten operations, three group sizes, nine sizes, eight contestants; some rows failed, some are missing. */
    static SampleRun large() {
        SampleRun run = empty();
        run.machine.put("memory", "8 GiB");
        run.machine.put("kernel", "6.1.0");
        run.versions.put("Redis", "7.2");
        run.versions.put("Open MPI", "4.1");
        run.absent.add("aeron: no media driver is running");
        run.noise.add("the medians of two measurements of the same ping-pong differ by 18 %");
        for (Contestant contestant : CONTESTANTS) {
            for (int ranks : RANKS) {
                run.addAll(contestant, ranks);
            }
        }
        run.simulate();
        run.problems.add(
                "redis, 8 ranks, gather 64 MiB, redis, 8 ranks:\nrank 3: out of memory: maxmemory of the store");
        return run;
    }

    RunFacts facts() {
        return new RunFacts(
                "./zip bench --report out.html",
                "0123456-dirty",
                "2026-01-02T03:04:05Z",
                machine,
                versions,
                "cubic, all contestants",
                absent,
                noise);
    }

    RunResult result() {
        return new RunResult(
                facts(),
                new FloorSpeed(Map.of(Means.SOCKETS, 4.2, Means.SHARED_MEMORY, 12.5), 9.8, Double.NaN),
                models,
                rows,
                problems);
    }

    void write(Path file) throws IOException {
        HtmlReport.write(file, result(), predictions);
    }

    private void addAll(Contestant contestant, int ranks) {
        boolean floor = contestant.name.equals(Row.FLOOR);
        CostModel model = new CostModel(contestant.alphaUs, contestant.betaUsPerByte);
        if (Results.isPath(contestant.name)) {
            models.add(new GroupModel(contestant.name, ranks, model));
        }
        for (BenchOperation operation : BenchOperation.values()) {
            boolean absentHere = contestant.name.equals("redis") && operation == BenchOperation.REDUCESCATTER;
            if (absentHere || (floor && (operation != BenchOperation.PINGPONG || ranks > 2))) {
                continue;
            }
            boolean several = operation == BenchOperation.ALLREDUCE || floor;
            for (String algorithm : several ? contestant.algorithms : contestant.algorithms.subList(0, 1)) {
                for (long bytes : operation.hasBytes() ? SIZES : List.of(0L)) {
                    add(operation, contestant.name, algorithm, ranks, bytes, model);
                }
            }
        }
    }

    private void add(
            BenchOperation operation, String contestant, String algorithm, int ranks, long bytes, CostModel model) {
        boolean redis = contestant.equals("redis");
        if (redis && ranks == 8 && bytes == 64L << 20) {
            rows.add(Row.failed(operation, contestant, algorithm, ranks, bytes));
            return;
        }
        double time = model.boundUs(operation, ranks, bytes)
                        * (1.1 + 0.4 * random.nextDouble())
                        * (algorithm.startsWith("scatter") ? 0.8 : 1)
                + 3;
        boolean counted = !redis;
        Cost cost = new Cost(
                random.nextDouble() * 0.2,
                counted ? time * ranks : Double.NaN,
                counted ? random.nextDouble() * 4 : Double.NaN,
                counted ? random.nextInt(900) : Double.NaN,
                operation.byteFactor(ranks) * bytes + 64,
                counted ? 6e7 + bytes * 2.0 : Double.NaN);
        double efficiency = Results.isPath(contestant) ? model.efficiency(operation, ranks, bytes, time) : Double.NaN;
        boolean verified = !(contestant.equals("relay") && operation == BenchOperation.GATHER && bytes == 512L << 10);
        rows.add(new Row(
                operation, contestant, algorithm, ranks, bytes, 1000, time, time * 1.6, efficiency, verified, cost));
    }

    private void simulate() {
        for (String algorithm : List.of("ring", "doubling", "halving-doubling")) {
            for (int ranks = 2; ranks <= LARGEST_GROUP; ranks *= 2) {
                long bytes = 16L << 20;
                int steps = algorithm.equals("ring") ? 2 * (ranks - 1) : Integer.numberOfTrailingZeros(ranks);
                double factor = algorithm.equals("doubling") ? steps : 2.0 * (ranks - 1) / ranks;
                double seconds = steps * 12e-6 + factor * bytes * 0.25e-9;
                double bound =
                        Integer.numberOfTrailingZeros(ranks) * 12e-6 + 2.0 * (ranks - 1) / ranks * bytes * 0.25e-9;
                predictions.add(new Prediction(
                        "allreduce", algorithm, ranks, bytes, seconds, bound / seconds, bytes / (double) ranks + 1e5));
            }
        }
    }
}
