package io.zipcomm.bench.cli;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import io.zipcomm.bench.report.Prediction;
import io.zipcomm.bench.report.TableFormat;
import io.zipcomm.bench.simulate.Choices;
import io.zipcomm.bench.simulate.NetworkModel;
import io.zipcomm.bench.simulate.Outcome;
import io.zipcomm.bench.simulate.PredictionFile;
import io.zipcomm.bench.simulate.Predictions;
import io.zipcomm.bench.simulate.Scenario;
import io.zipcomm.bench.simulate.Sweep;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code zip simulate}. */
@Command(
        description = {
            "Plays the plans of every algorithm in virtual time against a model of a network, for up to thousands of"
                    + " ranks: predicted time, efficiency and memory. No process is started and nothing is measured.",
            "Then says where the library, on a network, would choose an algorithm that the model finds slow."
        })
final class SimulateCommand implements Callable<Integer> {

    private static final String LINE = "%-13s %-18s %6s %8s %12s %6s %12s %12s %10s%n";

    /** From here on, a choice is called slow. */
    private static final double SLOW = 1.5;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--ops",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = OperationName.class,
            description = "Collective operations, by the names of zip bench. Default: all.")
    private List<BenchOperation> operations = List.of(BenchOperation.values());

    @Option(
            names = "--ranks",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = PositiveNumber.class,
            description = "Group sizes. Default: 2,4,8 and so on to 4096.")
    private List<Integer> ranks = Predictions.powersUpTo(4096);

    @Option(
            names = "--bytes",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            converter = Sizes.class,
            description = "Sizes. Default: 8,64KiB,1MiB,16MiB.")
    private List<Long> bytes = Predictions.BYTES;

    @Option(names = "--alpha", paramLabel = "US", description = "Latency of a message. Default: ${DEFAULT-VALUE}.")
    private double alphaUs = 100;

    @Option(names = "--beta", paramLabel = "NS", description = "Time for a byte. Default: ${DEFAULT-VALUE}, 1 GB/s.")
    private double betaNs = 1;

    @Option(
            names = "--gamma",
            paramLabel = "NS",
            description = "Time to add or copy a byte. Default: ${DEFAULT-VALUE}.")
    private double gammaNs = 0.2;

    @Option(
            names = "--overhead",
            paramLabel = "US",
            description = "Part of alpha that keeps the ports of both ranks busy. Default: ${DEFAULT-VALUE}.")
    private double overheadUs = 2;

    @Option(
            names = "--eager",
            paramLabel = "SIZE",
            converter = Sizes.class,
            description = "Longer messages wait for the word that their receive is posted. Default: as the library.")
    private Long eagerBytes;

    @Option(
            names = "--relay-GBps",
            paramLabel = "GBPS",
            description = "All messages pass a relay that forwards so many 10^9 bytes a second.")
    private Double relayGBps;

    @Option(
            names = "--relay-latency",
            paramLabel = "US",
            description = "What the relay adds to alpha. Default: ${DEFAULT-VALUE}.")
    private double relayLatencyUs = 50;

    @Option(
            names = "--ranks-per-host",
            paramLabel = "N",
            converter = PositiveNumber.class,
            description = "Consecutive ranks on one host, which share its ports to the network. Default: one.")
    private int ranksPerHost = 1;

    @Option(
            names = "--host-alpha",
            paramLabel = "US",
            description = "Latency inside a host. Default: ${DEFAULT-VALUE}.")
    private double hostAlphaUs = 10;

    @Option(
            names = "--host-beta",
            paramLabel = "NS",
            description = "Time for a byte inside a host. Default: ${DEFAULT-VALUE}.")
    private double hostBetaNs = 0.3;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Leaves out what takes more steps to simulate. Default: ${DEFAULT-VALUE}.")
    private long stepsMax = 80_000_000;

    @Option(names = "--csv", paramLabel = "FILE", description = "Writes the predictions as CSV.")
    private Path csv;

    @Override
    public Integer call() throws IOException {
        Sweep sweep = new Sweep(operations, ranks, bytes, model(), stepsMax);
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        Choices choices = new Choices();
        out.printf(LINE, "operation", "algorithm", "ranks", "bytes", "us", "eta", "sent", "memory", "messages");
        try (PredictionFile file = csv == null ? null : PredictionFile.create(csv)) {
            sweep.run(new Sweep.Listener() {
                @Override
                public void simulated(Scenario scenario, Outcome outcome, Prediction prediction) {
                    line(out, outcome, prediction);
                    choices.add(scenario, outcome);
                    if (file != null) {
                        file.write(prediction, outcome);
                    }
                }

                @Override
                public void leftOut(Scenario scenario, String reason) {
                    err.println("left out: " + reason);
                }
            });
        }
        choices(out, choices);
        return 0;
    }

    private NetworkModel model() {
        try {
            NetworkModel model = NetworkModel.of(alphaUs, betaNs)
                    .withProcessor(gammaNs, overheadUs)
                    .withProtocol();
            if (eagerBytes != null) {
                model = model.withEager(eagerBytes);
            }
            if (relayGBps != null) {
                model = model.withRelay(new NetworkModel.Relay(relayGBps, relayLatencyUs));
            }
            return ranksPerHost == 1
                    ? model
                    : model.withHosts(new NetworkModel.Hosts(ranksPerHost, hostAlphaUs, hostBetaNs));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private static void line(PrintWriter out, Outcome outcome, Prediction prediction) {
        out.printf(
                Locale.ROOT,
                LINE,
                prediction.operation(),
                prediction.algorithm(),
                prediction.ranks(),
                ByteSize.format(prediction.bytes()),
                TableFormat.micros(prediction.seconds() * 1e6),
                Double.isNaN(prediction.efficiency())
                        ? "-"
                        : String.format(Locale.ROOT, "%.3f", prediction.efficiency()),
                String.format(Locale.ROOT, "%,d", outcome.sentBytesMax()),
                String.format(Locale.ROOT, "%,d", outcome.memoryBytesMax()),
                String.format(Locale.ROOT, "%,d", outcome.messages()));
    }

    private static void choices(PrintWriter out, Choices choices) {
        List<Choices.Choice> slow = choices.worseThan(SLOW);
        out.printf(
                Locale.ROOT,
                "%nOf %d choices of the library, %d take more than %.1f times as long as the best by this model.%n",
                choices.all().size(),
                slow.size(),
                SLOW);
        for (Choices.Choice choice : slow) {
            out.printf(
                    Locale.ROOT,
                    "  %s, %d ranks, %s: %s %s us, %s %s us, %.1f times%n",
                    choice.operation().label(),
                    choice.ranks(),
                    ByteSize.describe(choice.bytes()),
                    choice.chosen(),
                    TableFormat.micros(choice.chosenSeconds() * 1e6),
                    choice.best(),
                    TableFormat.micros(choice.bestSeconds() * 1e6),
                    choice.ratio());
        }
    }
}
