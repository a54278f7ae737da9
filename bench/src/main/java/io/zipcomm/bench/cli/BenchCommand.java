package io.zipcomm.bench.cli;

import io.zipcomm.bench.cluster.BenchRun;
import io.zipcomm.bench.cluster.ColdStartRun;
import io.zipcomm.bench.cluster.KillRun;
import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import io.zipcomm.bench.plan.Selection;
import io.zipcomm.bench.report.CsvFile;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Explanation;
import io.zipcomm.collectives.select.TuningTable;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code zip bench}. */
@Command(
        sortOptions = false,
        customSynopsis = "zip bench [OPTIONS]",
        description = {
            "Measures operations between real processes that meet at a relay in this one, checks every result, and prints"
                    + " a table. Without options: all operations, in about a minute.",
            "",
            "Times are over iterations, of the slowest rank of each; pingpong is the full round trip. bytes is M, at one"
                    + " rank; for scatter, gather, allgather, reducescatter and alltoall the total over the blocks. bus is"
                    + " bus bandwidth as nccl-tests defines it. eta is the lower bound alpha-beta of the operation over its"
                    + " median, with alpha from pingpong and beta from a stream in the same processes; adding numbers is"
                    + " taken to be free. A floor row is plain non-blocking sockets, measured beside pingpong.",
            "",
            "Exit code 0: every row is verified and everything went well; 1 otherwise.",
            ""
        },
        footer = {
            "",
            "Not there yet, in the next version: comparison with other systems (--baseline) and an HTML report"
                    + " (--report)."
        })
final class BenchCommand implements Callable<Integer> {

    private static final Duration WHOLE_RUN = Duration.ofMinutes(1);
    private static final Duration GROUP_START = Duration.ofMillis(2500);
    private static final long ROW_MS_MIN = 150;
    private static final long ROW_MS_MAX = 1500;
    private static final long LARGE_BYTES = 16L << 20;
    private static final int COLD_START_RUNS = 5;

    /** Other things to measure than the table. */
    private static final class Kind {
        @Option(
                names = "--audit",
                description =
                        "Only all-reduce of 16MiB on 4 ranks: bytes that a rank sends, against the least possible,"
                                + " and bytes that a call allocates.")
        private boolean audit;

        @Option(
                names = "--cold-start",
                description = "Time from process start to joined, and to the end of the first all-reduce, on 4 ranks:"
                        + " with and without the class-data archive. --iterations sets the number of runs.")
        private boolean coldStart;

        @Option(
                names = "--kill",
                description =
                        "Kills a rank in the middle of an all-reduce of 16MiB on 4 ranks, and shows how the others"
                                + " end.")
        private boolean kill;
    }

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--explain",
            description =
                    "Measures nothing: says of each row by which algorithm it would be done and why, and what each"
                            + " would cost: rounds of messages, and bytes of the busiest rank.")
    private boolean explain;

    @Option(
            names = "--ops",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = OperationName.class,
            description = "Operations: barrier, pingpong, broadcast, reduce, allreduce, scatter, gather, allgather,"
                    + " reducescatter, alltoall. Default: all.")
    private List<BenchOperation> operations;

    @Option(
            names = "--ranks",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = PositiveNumber.class,
            description = "Group sizes. Default: 2,4.")
    private List<Integer> ranks;

    @Option(
            names = "--bytes",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = Sizes.class,
            description = "Sizes, such as 8,64KiB,1MiB, which are the default.")
    private List<Long> bytes;

    @Option(
            names = "--transport",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = TransportName.class,
            description = "Paths: " + TransportName.KNOWN + ". Default: tcp,relay.")
    private List<String> transports;

    @Option(
            names = "--algorithm",
            paramLabel = "NAME",
            description = "Algorithm of the collective operations. Default: the library chooses.")
    private String algorithm;

    @Option(
            names = "--iterations",
            paramLabel = "N",
            converter = PositiveNumber.class,
            description = "Timed iterations of each row. Default: what fits into the time.")
    private Integer iterations;

    @Option(names = "--csv", paramLabel = "FILE", description = "Writes the rows as CSV.")
    private Path csv;

    @ArgGroup
    private Kind kind = new Kind();

    @Override
    public Integer call() throws InterruptedException, IOException {
        if (explain) {
            return explain();
        }
        if (kind.coldStart) {
            return coldStart();
        }
        return kind.kill ? kill() : table();
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private Selection selection() {
        List<BenchOperation> all = Arrays.asList(BenchOperation.values());
        return kind.audit
                ? select(List.of(BenchOperation.ALLREDUCE), List.of(4), List.of(LARGE_BYTES))
                : select(all, List.of(2, 4), List.of(8L, 64L << 10, 1L << 20));
    }

    private Selection select(List<BenchOperation> operations, List<Integer> ranks, List<Long> bytes) {
        return new Selection(
                withAlgorithm(Objects.requireNonNullElse(this.operations, operations)),
                Objects.requireNonNullElse(this.ranks, ranks),
                Objects.requireNonNullElse(this.bytes, bytes),
                Objects.requireNonNullElse(transports, List.of("tcp", "relay")),
                algorithm,
                Objects.requireNonNullElse(iterations, 0));
    }

    /** Leaves out operations that cannot be done in the way that is asked for, and says so. */
    private List<BenchOperation> withAlgorithm(List<BenchOperation> asked) {
        if (algorithm == null) {
            return asked;
        }
        Set<String> known = new TreeSet<>();
        List<BenchOperation> able = new ArrayList<>();
        List<String> unable = new ArrayList<>();
        for (BenchOperation operation : asked) {
            known.addAll(operation.algorithms());
            if (operation.algorithms().contains(algorithm)) {
                able.add(operation);
            } else {
                unable.add(operation.label());
            }
        }
        if (able.isEmpty()) {
            throw wrong("unknown algorithm '" + algorithm + "'; these operations have: " + String.join(", ", known));
        }
        if (!unable.isEmpty()) {
            System.out.println("left out, for want of an algorithm '" + algorithm + "': " + String.join(", ", unable));
        }
        return able;
    }

    private int table() throws InterruptedException, IOException {
        Selection selection = selection();
        if (selection.caseCount() == 0) {
            throw wrong("nothing to measure: pingpong needs 2 ranks or more");
        }
        for (long one : selection.bytes()) {
            if (one % Float.BYTES != 0 && selection.operations().stream().anyMatch(BenchOperation::reduces)) {
                throw wrong(
                        "--bytes " + ByteSize.format(one) + ": reduce, allreduce and reducescatter add 4-byte floats;"
                                + " choose a multiple of 4, or other --ops");
            }
        }
        try (CsvFile file = csv == null ? null : CsvFile.create(csv)) {
            BenchConsole console =
                    new BenchConsole(System.out, System.err, Terminal.isStandardErrorInteractive(), file);
            new BenchRun(selection, rowBudget(selection), console).run();
            return console.finish() ? 0 : ZipCli.FAILED;
        }
    }

    /** Time for a row so that a run of ordinary size takes about a minute. */
    private static Duration rowBudget(Selection selection) {
        Duration measuring =
                WHOLE_RUN.minus(GROUP_START.multipliedBy(selection.groups().size()));
        long share = measuring.toMillis() / selection.caseCount();
        return Duration.ofMillis(Math.max(ROW_MS_MIN, Math.min(ROW_MS_MAX, share)));
    }

    private int explain() {
        Selection selection = selection();
        TuningTable table = TuningTable.of(ZipSettings.builderFromEnvironment().get(Setting.TUNING));
        for (Selection.Group group : selection.groups()) {
            for (BenchCase one : group.cases()) {
                if (one.operation().isCollective()
                        && group.transport().equals(selection.transports().get(0))) {
                    System.out.println(Explanation.of(
                            one.operation().collective(),
                            one.bytes(),
                            Hosts.one(group.ranks()),
                            table,
                            AlgorithmName.of(algorithm)));
                }
            }
        }
        return 0;
    }

    private int coldStart() throws InterruptedException {
        Selection selection = select(List.of(BenchOperation.ALLREDUCE), List.of(4), List.of(8L));
        int runs = Objects.requireNonNullElse(iterations, COLD_START_RUNS);
        return new ColdStartRun(selection, runs, System.out, System.err).run() ? 0 : ZipCli.FAILED;
    }

    private int kill() throws InterruptedException {
        Selection selection = select(List.of(BenchOperation.ALLREDUCE), List.of(4), List.of(LARGE_BYTES));
        if (selection.ranks().contains(1)) {
            throw wrong("--kill needs 2 ranks or more");
        }
        return new KillRun(selection, System.out, System.err).run() ? 0 : ZipCli.FAILED;
    }
}
