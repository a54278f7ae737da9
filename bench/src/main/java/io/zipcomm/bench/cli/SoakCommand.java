package io.zipcomm.bench.cli;

import io.zipcomm.bench.soak.SoakFailure;
import io.zipcomm.bench.soak.SoakRun;
import io.zipcomm.relay.daemon.Durations;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code zip soak}. */
@Command(
        sortOptions = false,
        customSynopsis = "zip soak --time TIME [--ranks N] [--transport T]",
        description = {
            "Runs a mix of collectives and messages between real processes on this machine, each result checked. Now and then a"
                    + " process is killed, and another takes its place. Samples are taken of memory, descriptors, threads and the"
                    + " time of a round; each minute, or more often in short runs.",
            "",
            "At the end it says 'steady', or what grew: behind the first third of the run, by more than chance, and by more than a"
                    + " bound that the last table names; times of rounds are judged in runs of a quarter of an hour and more. Exit code 1 if something grew, a result was wrong, or nothing moved.",
            ""
        },
        footer = {"", "Example:", "  zip soak --time 1h --ranks 4"})
final class SoakCommand implements Callable<Integer> {

    private static final int RANKS_MIN = 2;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--time",
            required = true,
            paramLabel = "TIME",
            converter = Durations.class,
            description = "How long, such as 90s, 30m, 12h; 15 s at least.")
    private Duration time;

    @Option(
            names = "--ranks",
            paramLabel = "N",
            converter = PositiveNumber.class,
            description = "How many processes, 2 at least. Default: 4.")
    private int ranks = 4;

    @Option(
            names = "--transport",
            paramLabel = "T",
            converter = TransportName.class,
            description = "Which paths to use: " + TransportName.KNOWN + ". Default: auto.")
    private String transport = "auto";

    @Override
    public Integer call() throws InterruptedException {
        if (time.compareTo(SoakRun.TIME_MIN) < 0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--time is " + SoakRun.TIME_MIN.toSeconds() + "s at least, to have enough samples");
        }
        if (ranks < RANKS_MIN) {
            throw new ParameterException(spec.commandLine(), "--ranks is " + RANKS_MIN + " at least");
        }
        PrintWriter out = spec.commandLine().getOut();
        try {
            return new SoakRun(time, ranks, transport, out).run() ? 0 : ZipCli.FAILED;
        } catch (SoakFailure e) {
            spec.commandLine().getErr().println("zip soak: " + e.getMessage());
            return ZipCli.FAILED;
        }
    }
}
