package io.zipcomm.bench.cli;

import io.zipcomm.bench.Main;
import io.zipcomm.bench.cluster.BenchRun;
import io.zipcomm.bench.cluster.ColdStartRun;
import io.zipcomm.bench.cluster.FootprintRun;
import io.zipcomm.bench.cluster.KillRun;
import io.zipcomm.bench.cluster.OwnNetwork;
import io.zipcomm.bench.cluster.RelayOverheadRun;
import io.zipcomm.bench.cluster.RelayRun;
import io.zipcomm.bench.cluster.StalledReaderRun;
import io.zipcomm.bench.machine.MachineFacts;
import io.zipcomm.bench.machine.SourceCommit;
import io.zipcomm.bench.plan.Baseline;
import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import io.zipcomm.bench.plan.Selection;
import io.zipcomm.bench.plan.Transports;
import io.zipcomm.bench.report.CongestionControl;
import io.zipcomm.bench.report.CsvFile;
import io.zipcomm.bench.report.RunFacts;
import io.zipcomm.bench.report.RunResult;
import io.zipcomm.bench.report.html.HtmlReport;
import io.zipcomm.bench.simulate.Predictions;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Explanation;
import io.zipcomm.collectives.select.TuningTable;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.DirectTransportProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
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
                    + " a table. Without options: all operations, in one to two minutes.",
            "",
            "Times are over iterations, of the slowest rank of each; pingpong is the full round trip. bytes is M, at one"
                    + " rank; for scatter, gather, allgather, reducescatter and alltoall the total over the blocks. bus is"
                    + " bus bandwidth as nccl-tests defines it. eta is the lower bound alpha-beta of the operation over its"
                    + " median, with alpha from pingpong and beta from a stream in the same processes and the same second;"
                    + " adding numbers is taken to be free. A floor row is plain non-blocking sockets, or beside aeron-ipc"
                    + " plain shared memory.",
            "",
            "All contestants of a group size live side by side and take turns, so that a machine whose speed drifts treats"
                    + " them alike. spread tells how far their turns lie apart, 'x zip' how many times as long another"
                    + " system takes as the library: over shared memory if both are, otherwise over direct TCP.",
            "",
            "Exit code 0: every row is verified and everything went well; 1 otherwise.",
            ""
        })
final class BenchCommand implements Callable<Integer> {

    private static final Duration WHOLE_RUN = Duration.ofMinutes(1);
    private static final Duration GROUP_START = Duration.ofSeconds(7);
    private static final Duration FLOOR_SPEED = Duration.ofSeconds(3);

    /** Of the time that the rows have; the rest goes to probes of the paths, to checks and to slow operations. */
    private static final double ROW_SHARE = 0.75;

    private static final long ROW_MS_MIN = 150;

    /** Of a row that is measured beside other systems: ranks that have just been woken are up to three times as slow for 30 ms. */
    private static final long COMPARED_ROW_MS_MIN = 600;

    private static final long ROW_MS_MAX = 1500;
    private static final long LARGE_BYTES = 16L << 20;
    private static final int COLD_START_RUNS = 5;

    /** Goes on without what cannot be used. */
    private static final String AUTO = ZipSettings.TransportChoice.AUTO.text();

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
                names = "--footprint",
                description =
                        "Time from process start to joined, to the end of the first all-reduce and to the first path in"
                                + " shared memory, and memory of each rank, on 2 and 8 ranks over tcp, aeron-ipc and auto."
                                + " --iterations sets the number of runs.")
        private boolean footprint;

        @Option(
                names = "--kill",
                description =
                        "Kills a rank in the middle of an all-reduce of 16MiB on 4 ranks, and shows how the others"
                                + " end.")
        private boolean kill;

        @Option(
                names = "--relay-overhead",
                description =
                        "Ping-pong and a stream in one direction through the relay, beside the same through HAProxy and"
                                + " socat.")
        private boolean relayOverhead;

        @Option(
                names = "--stalled-reader",
                description =
                        "One rank sends to 8 others through a relay with little memory, and one of these is stopped for"
                                + " some seconds: what the others lose by it.")
        private boolean stalledReader;

        @Option(
                names = "--by-relay",
                description =
                        "What it gains that the relay does a part: broadcast and all-reduce on 8 ranks over the relay,"
                                + " by all algorithms in turns, and the bytes in and out of the relay.")
        private boolean byRelay;
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

    @Option(
            names = "--arrays",
            description =
                    "In the table, numbers that are added are in float[], as most programs in Java have them, and not in direct"
                            + " memory, as in C.")
    private boolean arrays;

    @Option(names = "--csv", paramLabel = "FILE", description = "Writes the rows as CSV.")
    private Path csv;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description =
                    "Writes the run as one HTML page: plots, comparisons, all rows, the machine. It loads nothing.")
    private Path report;

    @Option(
            names = "--baseline",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = BaselineName.class,
            description = "Other systems to compare with: " + Baseline.KNOWN + ". One that is missing here is left out."
                    + " Implies --isolate, unless a server is given by its address.")
    private List<Baseline> baselines = List.of();

    @Option(
            names = "--isolate",
            description = "Runs in a network namespace of its own, if it may, in which all contestants have the same"
                    + " congestion control.")
    private boolean isolate;

    @Option(
            names = "--congestion",
            paramLabel = "NAME",
            description = "That congestion control; implies --isolate. Default: " + CongestionControl.LIBRARYS + ".")
    private String congestion;

    @ArgGroup
    private Kind kind = new Kind();

    @Override
    public Integer call() throws InterruptedException, IOException {
        if (kind.coldStart || kind.footprint || kind.kill || kind.relayOverhead || kind.stalledReader || kind.byRelay) {
            if (isolate || congestion != null || report != null || !baselines.isEmpty()) {
                throw wrong("--baseline, --isolate, --congestion and --report go with the table only");
            }
        }
        if (explain) {
            return explain();
        }
        if (kind.coldStart) {
            return coldStart();
        }
        if (kind.footprint) {
            return footprint();
        }
        if (kind.relayOverhead) {
            List<Long> lengths = Objects.requireNonNullElse(bytes, List.of(8L, 1L << 10, 64L << 10, 1L << 20));
            return new RelayOverheadRun(lengths, System.out, System.err).run() ? 0 : ZipCli.FAILED;
        }
        if (kind.stalledReader) {
            return new StalledReaderRun(System.out, System.err).run() ? 0 : ZipCli.FAILED;
        }
        if (kind.byRelay) {
            return byRelay();
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
        return select(operations, ranks, bytes, Transports.DEFAULT);
    }

    private Selection select(
            List<BenchOperation> operations, List<Integer> ranks, List<Long> bytes, List<String> paths) {
        return new Selection(
                withAlgorithm(Objects.requireNonNullElse(this.operations, operations)),
                Objects.requireNonNullElse(this.ranks, ranks),
                Objects.requireNonNullElse(this.bytes, bytes),
                Objects.requireNonNullElse(transports, paths),
                algorithm,
                Objects.requireNonNullElse(iterations, 0),
                arrays);
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
        checkReport();
        checkTransports(selection.transports());
        OwnNetwork network = ownNetwork();
        if (network != null) {
            return network.run(Main.class, arguments());
        }
        if (OwnNetwork.isInside()) {
            OwnNetwork.holdLifeline();
        }
        return table(selection);
    }

    /** A run takes long: what would be lost at its end is found out before. */
    private void checkReport() {
        try {
            if (report != null) {
                HtmlReport.checkWritable(report);
            }
        } catch (IOException e) {
            throw wrong(
                    "--report " + report + " cannot be written: " + e.getClass().getSimpleName());
        }
    }

    /** Ranks would find out one by one. */
    private void checkTransports(List<String> names) {
        for (String name : names) {
            ZipSettings settings = settings(name);
            for (DirectTransportProvider provider : ServiceLoader.load(DirectTransportProvider.class)) {
                if (provider.isWanted(settings) && !name.equals(AUTO)) {
                    provider.failureWhenTried(settings).ifPresent(why -> {
                        throw wrong("--transport " + name + " cannot be used here: " + why);
                    });
                }
            }
        }
    }

    /** What transports that can do their work in several ways would choose, by their names. */
    private static Map<String, String> choices(List<String> names) {
        Map<String, String> choices = new LinkedHashMap<>();
        for (String name : names) {
            ZipSettings settings = settings(name);
            for (DirectTransportProvider provider : ServiceLoader.load(DirectTransportProvider.class)) {
                if (provider.isWanted(settings)) {
                    String path = provider.capabilities().get(0).path();
                    provider.choice(settings).ifPresent(choice -> choices.put(path, choice));
                }
            }
        }
        return choices;
    }

    /** Of a rank. */
    private static ZipSettings settings(String transport) {
        return ZipSettings.builderFromEnvironment()
                .set(Setting.TRANSPORT, transport)
                .session("bench")
                .size(1)
                .rank(0)
                .build();
    }

    /** Null if the run stays in the system's network: because it need not leave it, may not, or has. */
    private OwnNetwork ownNetwork() throws InterruptedException {
        boolean wanted = isolate || congestion != null;
        boolean elsewhere = baselines.stream().anyMatch(Baseline::isElsewhere);
        if (wanted && elsewhere) {
            throw wrong("--isolate, --congestion: a server that is given by its address cannot be reached from there");
        }
        if (OwnNetwork.isInside() || elsewhere || !(wanted || !baselines.isEmpty())) {
            return null;
        }
        OwnNetwork network = OwnNetwork.find(Objects.requireNonNullElse(congestion, CongestionControl.LIBRARYS));
        if (network.unavailabilityReason() == null) {
            return network;
        }
        System.out.println("no network of its own: " + network.unavailabilityReason());
        return null;
    }

    private List<String> arguments() {
        List<String> all = new ArrayList<>(List.of("bench"));
        all.addAll(spec.commandLine().getParseResult().originalArgs());
        return all;
    }

    private int table(Selection selection) throws InterruptedException, IOException {
        Map<String, String> versions = new LinkedHashMap<>();
        versions.put("Java", System.getProperty("java.vendor") + " " + Runtime.version());
        Map<String, String> choices = choices(selection.transports());
        choices.forEach((name, choice) -> System.out.println(name + " by " + choice));
        versions.putAll(choices);
        RunFacts start = factsAtStart(versions);
        try (CsvFile file = csv == null ? null : CsvFile.create(csv)) {
            BenchConsole console = new BenchConsole(
                    System.out,
                    System.err,
                    Terminal.isStandardErrorInteractive(),
                    file,
                    OwnNetwork.congestionControl());
            new BenchRun(selection, baselines, rowBudget(selection), console).run();
            RunResult result = console.finish(start);
            if (report != null) {
                System.out.println("simulating groups of thousands for the report ...");
                HtmlReport.write(report, result, Predictions.ofFunctions());
                System.out.println("report: " + report);
            }
            return result.isGood() ? 0 : ZipCli.FAILED;
        }
    }

    /** What is known of a run before it begins; what the run finds out is still empty. */
    private RunFacts factsAtStart(Map<String, String> versions) {
        return new RunFacts(
                "./zip " + String.join(" ", arguments()),
                SourceCommit.describe(),
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                MachineFacts.read(),
                versions,
                "",
                List.of(),
                List.of());
    }

    /** Time for a row so that a run of ordinary size takes one to two minutes. */
    private Duration rowBudget(Selection selection) {
        int own = selection.transports().size();
        int others =
                baselines.stream().mapToInt(one -> one.kind().contestants()).sum();
        Duration starting = GROUP_START.multipliedBy(selection.groups().size() * (own + others) / own);
        Duration measuring = WHOLE_RUN.minus(starting).minus(FLOOR_SPEED);
        double rows = (double) selection.caseCount() * (own + others) / own;
        long share = (long) (ROW_SHARE * measuring.toMillis() / rows);
        long least = others > 0 ? COMPARED_ROW_MS_MIN : ROW_MS_MIN;
        return Duration.ofMillis(Math.max(least, Math.min(ROW_MS_MAX, share)));
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
                            hosts(group),
                            table,
                            relayCollectives(group.transport()),
                            AlgorithmName.of(algorithm)));
                }
            }
        }
        return 0;
    }

    /** The ranks of a group, on this host; they cast where its transport does, with this process's settings. */
    private static Hosts hosts(Selection.Group group) {
        Hosts one = Hosts.one(group.ranks());
        boolean casts = group.transport().equals(ZipSettings.TransportChoice.AERON_UDP.text())
                && ZipSettings.builderFromEnvironment().get(Setting.AERON_UDP).equalsIgnoreCase("on");
        return casts && group.ranks() > 2 ? one.casting() : one;
    }

    /** What the relay may do in a group over a transport, with this process's settings. */
    private static ZipSettings.RelayCollectives relayCollectives(String transport) {
        return transport.equals("relay")
                ? ZipSettings.RelayCollectives.valueOf(ZipSettings.builderFromEnvironment()
                        .get(Setting.RELAY_COLLECTIVES)
                        .toUpperCase(Locale.ROOT))
                : ZipSettings.RelayCollectives.OFF;
    }

    private int coldStart() throws InterruptedException {
        Selection selection = select(List.of(BenchOperation.ALLREDUCE), List.of(4), List.of(8L));
        int runs = Objects.requireNonNullElse(iterations, COLD_START_RUNS);
        return new ColdStartRun(selection, runs, System.out, System.err).run() ? 0 : ZipCli.FAILED;
    }

    private int footprint() throws InterruptedException, IOException {
        Selection selection = select(
                List.of(BenchOperation.ALLREDUCE), List.of(2, 8), List.of(8L), List.of("tcp", "aeron-ipc", "auto"));
        int runs = Objects.requireNonNullElse(iterations, COLD_START_RUNS);
        return new FootprintRun(selection, runs, System.out, System.err).run() ? 0 : ZipCli.FAILED;
    }

    private int byRelay() throws InterruptedException {
        Selection selection = select(
                List.of(BenchOperation.BROADCAST, BenchOperation.ALLREDUCE),
                List.of(8),
                List.of(8L, 64L << 10, 1L << 20));
        if (selection.ranks().contains(1)) {
            throw wrong("--by-relay needs 2 ranks or more");
        }
        return new RelayRun(selection, System.out, System.err).run() ? 0 : ZipCli.FAILED;
    }

    private int kill() throws InterruptedException {
        Selection selection = select(List.of(BenchOperation.ALLREDUCE), List.of(4), List.of(LARGE_BYTES));
        if (selection.ranks().contains(1)) {
            throw wrong("--kill needs 2 ranks or more");
        }
        return new KillRun(selection, System.out, System.err).run() ? 0 : ZipCli.FAILED;
    }
}
