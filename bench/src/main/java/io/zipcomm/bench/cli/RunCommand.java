package io.zipcomm.bench.cli;

import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.bench.cluster.EmbeddedRelay;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.cluster.ProcessGroup;
import io.zipcomm.relay.RelayTokens;
import io.zipcomm.relay.TokenKey;
import io.zipcomm.relay.TokenRequest;
import io.zipcomm.settings.Setting;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code zip run}. */
@Command(
        sortOptions = false,
        customSynopsis = "zip run --ranks N [--transport T] [--respawn N] [--relay URL [--key-file F]] -- CMD...",
        description = {
            "Starts N copies of a command as one group on this machine. Each is given ZIP_RELAY, ZIP_SESSION, ZIP_RANK,"
                    + " ZIP_SIZE, ZIP_TOKEN and ZIP_TRANSPORT, from which Zip.join() finds its group. Each line that a"
                    + " rank writes is shown behind its rank, standard output and standard error kept apart.",
            "",
            "The first exit code that is not 0 is the result, but for ranks that are started again. The other ranks then have five seconds to end before they"
                    + " are told to (SIGTERM, three seconds later SIGKILL). Nothing that was started is left running.",
            "",
            "If CMD is java, CLASSPATH begins with the classes of Zip and its examples; every command finds them in"
                    + " ZIP_CLASSPATH.",
            ""
        },
        footer = {"", "Example:", "  zip run --ranks 4 -- java io.zipcomm.bench.examples.WordCount docs"})
public final class RunCommand implements Callable<Integer> {

    private static final Duration GRACE = Duration.ofSeconds(5);
    private static final Duration FOREVER = Duration.ofDays(36_500);
    private static final int CANNOT_START = 127;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--ranks",
            required = true,
            paramLabel = "N",
            converter = PositiveNumber.class,
            description = "How many copies.")
    private int ranks;

    @Option(
            names = "--transport",
            paramLabel = "T",
            converter = TransportName.class,
            description = "Which paths to use: " + TransportName.KNOWN + ". Default: auto.")
    private String transport = "auto";

    @Option(
            names = "--relay",
            paramLabel = "URL",
            description =
                    "Relay to meet at, or several with commas between them, as ZIP_RELAY has it. Default: one that is"
                            + " started for this run.")
    private String relay;

    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description = "File with the secret of that relay, to mint a token. Default: the token in ZIP_TOKEN.")
    private Path keyFile;

    @Option(
            names = "--respawn",
            paramLabel = "N",
            converter = PositiveNumber.class,
            description = "Start a rank again that ends with an exit code other than 0, N times in all. It comes to the"
                    + " group as a newcomer, for whom the others grow, and its lines are shown behind the next number that is"
                    + " free. Unless they are set, ZIP_SIZE_MIN is 1 then and ZIP_SIZE_MAX is N more than the ranks."
                    + " Default: none is.")
    private int respawns;

    @Parameters(arity = "1..*", paramLabel = "CMD", description = "The command and its arguments.")
    private List<String> command;

    @Override
    public Integer call() throws Exception {
        if (keyFile != null && relay == null) {
            throw new ParameterException(spec.commandLine(), "--key-file goes with --relay");
        }
        if (relay != null) {
            return run(groupAt(RelayAddress.parseAll(relay)));
        }
        try (EmbeddedRelay own = EmbeddedRelay.start()) {
            return run(own.newGroup("run", ranks, transport));
        }
    }

    private GroupEnvironment groupAt(List<RelayAddress> relays) {
        String addresses = relays.stream().map(RelayAddress::toString).collect(Collectors.joining(","));
        String session = GroupEnvironment.randomSession("run");
        String token = keyFile == null ? System.getenv().getOrDefault(Setting.TOKEN.variable(), "") : mint(session);
        return new GroupEnvironment(addresses, session, ranks, transport, token);
    }

    /** As {@code zip token} does: a relay that has the key in a file of another name does not know this one's. */
    private String mint(String session) {
        TokenKey key = TokenKey.read(keyFile);
        return RelayTokens.mint(key.withId(key.ownId().orElse(null)), TokenRequest.forSession(session));
    }

    private int run(GroupEnvironment environment) throws InterruptedException {
        try (ProcessGroup group = new ProcessGroup(RunCommand::show, environment.mark())) {
            Copies copies = new Copies(group, environment);
            for (int rank = 0; rank < ranks; rank++) {
                if (!copies.start(rank)) {
                    return CANNOT_START;
                }
            }
            int exitCode = awaitAll(group, copies);
            group.end();
            group.drainOutput();
            return exitCode;
        }
    }

    /** What has been started: the first copies have the numbers of their ranks, those that were started again the next ones. */
    private final class Copies {

        private final ProcessGroup group;
        private final GroupEnvironment environment;
        private final List<Integer> ranks = new ArrayList<>();

        private Copies(ProcessGroup group, GroupEnvironment environment) {
            this.group = group;
            this.environment = environment;
        }

        /** Returns whether it was started; says why not. */
        private boolean start(int rank) {
            Map<String, String> variables = environment.forRank(rank);
            if (respawns > 0) {
                addSizes(variables);
            }
            addClassPath(variables);
            try {
                // Copies that read from one terminal would take turns at random: they get an empty input.
                group.start(command, variables).getOutputStream().close();
                ranks.add(rank);
                return true;
            } catch (IOException e) {
                say("cannot start rank " + rank + ": " + e.getMessage());
                return false;
            }
        }

        /** Starts the rank of a copy that ended again. */
        private boolean startAgain(ProcessGroup.Exit exit) {
            int next = ranks.size();
            boolean started = start(ranks.get(exit.rank()));
            if (started) {
                say("[" + exit.rank() + "] ended with exit code " + exit.exitCode() + ", and is started again as ["
                        + next + "]");
            }
            return started;
        }
    }

    private int awaitAll(ProcessGroup group, Copies copies) throws InterruptedException {
        int exitCode = 0;
        int respawnsLeft = respawns;
        long deadline = System.nanoTime() + FOREVER.toNanos();
        int open = ranks;
        while (open > 0) {
            ProcessGroup.Exit exit = group.nextExit(Duration.ofNanos(deadline - System.nanoTime()));
            if (exit == null) {
                say("ending the " + open + " ranks that are still running");
                return exitCode;
            }
            boolean failed = exit.exitCode() != 0 && exitCode == 0;
            if (failed && respawnsLeft > 0 && copies.startAgain(exit)) {
                respawnsLeft--;
                continue;
            }
            open--;
            if (failed) {
                exitCode = exit.exitCode();
                deadline = System.nanoTime() + GRACE.toNanos();
                say("rank " + copies.ranks.get(exit.rank()) + " ended with exit code " + exitCode);
            }
        }
        return exitCode;
    }

    /**
     * The group may lose ranks; and a newcomer is not turned away because it is there before the relay knows that the rank is dead for
     * which it comes.
     */
    private void addSizes(Map<String, String> variables) {
        Map<String, String> own = System.getenv();
        variables.put(Setting.SIZE_MIN.variable(), own.getOrDefault(Setting.SIZE_MIN.variable(), "1"));
        variables.put(
                Setting.SIZE_MAX.variable(),
                own.getOrDefault(Setting.SIZE_MAX.variable(), Integer.toString(ranks + respawns)));
    }

    private void addClassPath(Map<String, String> variables) {
        variables.put("ZIP_CLASSPATH", ChildJvm.classPath());
        if (Path.of(command.get(0)).endsWith("java")) {
            variables.put("CLASSPATH", ChildJvm.classPathBefore(System.getenv("CLASSPATH")));
        }
    }

    private static void say(String text) {
        synchronized (System.err) {
            System.err.println("zip run: " + text);
        }
    }

    /** One write for a line, so that lines of different ranks do not mix. */
    private static void show(int rank, boolean error, byte[] line) {
        byte[] prefix = ("[" + rank + "] ").getBytes(StandardCharsets.US_ASCII);
        byte[] whole = new byte[prefix.length + line.length + 1];
        System.arraycopy(prefix, 0, whole, 0, prefix.length);
        System.arraycopy(line, 0, whole, prefix.length, line.length);
        whole[whole.length - 1] = '\n';
        OutputStream stream = error ? System.err : System.out;
        try {
            synchronized (stream) {
                stream.write(whole);
                stream.flush();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
