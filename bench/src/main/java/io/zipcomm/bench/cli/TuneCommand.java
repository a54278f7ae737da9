package io.zipcomm.bench.cli;

import io.zipcomm.bench.cluster.TuneRun;
import io.zipcomm.bench.cluster.WorkerFailure;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.tuning.TuningCase;
import io.zipcomm.bench.tuning.TuningLines;
import io.zipcomm.relay.daemon.Durations;
import io.zipcomm.settings.Setting;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code zip tune}. */
@Command(
        sortOptions = false,
        customSynopsis = "zip tune [OPTIONS]",
        description = {
            "Measures every algorithm of each operation between real processes on this machine, with segments of several"
                    + " lengths where messages are cut, and writes a table of those that are faster than the built-in"
                    + " choice: by a twentieth in the median, and in every one of three rounds.",
            "",
            "Use the table by ZIP_TUNING=FILE, on all ranks. It is good for groups whose ranks share one host. Numbers of"
                    + " ranks that were not measured keep the built-in choice.",
            ""
        })
final class TuneCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--ops",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = OperationName.class,
            description = "Operations, named as in zip bench. Default: all that have a choice.")
    private List<BenchOperation> operations = Arrays.asList(BenchOperation.values());

    @Option(
            names = "--ranks",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = PositiveNumber.class,
            description = "Group sizes. Default: 2,4.")
    private List<Integer> ranks = List.of(2, 4);

    @Option(
            names = "--bytes",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = Sizes.class,
            description = "Sizes. Default: 256,4KiB,32KiB,128KiB,512KiB,2MiB,8MiB.")
    private List<Long> bytes = List.of(256L, 4L << 10, 32L << 10, 128L << 10, 512L << 10, 2L << 20, 8L << 20);

    @Option(
            names = "--transport",
            paramLabel = "NAME",
            converter = TransportName.class,
            description = "Path: " + TransportName.KNOWN + ". Default: ${DEFAULT-VALUE}.")
    private String transport = "tcp";

    @Option(
            names = "--time",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "For all of it, about, such as 90s, 10m. Default: 3m.")
    private Duration time = Duration.ofMinutes(3);

    @Option(names = "--out", paramLabel = "FILE", description = "Where to write the table. Default: ${DEFAULT-VALUE}.")
    private Path file = Path.of("zip.tuning");

    @Override
    public Integer call() throws InterruptedException, IOException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        List<BenchOperation> collective =
                operations.stream().filter(BenchOperation::isCollective).toList();
        List<Integer> groups = ranks.stream().distinct().filter(one -> one > 1).toList();
        List<TuningCase> cases = TuningCase.of(collective, groups, bytes);
        if (cases.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), "nothing to choose: one rank, or operations that have one algorithm only");
        }
        try {
            new TuneRun(cases, transport, time, one -> out.println(one.line())).run();
        } catch (WorkerFailure e) {
            err.println("! " + e.getMessage().replace("\n", "\n!   "));
            return ZipCli.FAILED;
        }
        List<String> lines = TuningLines.of(cases);
        write(lines);
        long faster = cases.stream().filter(one -> one.gain() > 1).count();
        double product = 1;
        for (TuningCase one : cases) {
            product *= Math.pow(one.gain(), 1.0 / cases.size());
        }
        out.printf(
                "%n%d of %d cases are faster by another choice than the built-in one; %.3f times in the geometric mean of"
                        + " all%n",
                faster, cases.size(), product);
        lines.forEach(out::println);
        out.println("written to " + file + "; use it by " + Setting.TUNING.variable() + "=" + file.toAbsolutePath());
        return 0;
    }

    private void write(List<String> lines) throws IOException {
        List<String> all = new ArrayList<>();
        all.add("# Made by zip tune --transport " + transport + " on "
                + Runtime.getRuntime().availableProcessors() + " processors, " + System.getProperty("os.name") + " "
                + System.getProperty("os.version") + ", Java " + Runtime.version() + ".");
        all.add("# Only what differs from the built-in table, which is tried where no line fits.");
        all.add("# operation     hosts ranks bytes      algorithm segment");
        all.addAll(lines);
        Files.write(file, all);
    }
}
