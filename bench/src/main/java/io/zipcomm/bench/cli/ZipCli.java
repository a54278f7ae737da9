package io.zipcomm.bench.cli;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.daemon.RelayCommand;
import io.zipcomm.relay.daemon.TokenCommand;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * The first word after {@code zip}. Only the class of the command that is asked for is loaded, since start-up time is
 * mostly class loading.
 *
 * <p>Exit codes: 0 success; 1 the command failed; 2 it was called wrongly; {@code run} has those of its command.
 */
public final class ZipCli {

    /** Exit code of a command that failed. */
    public static final int FAILED = 1;

    /** Exit code of a wrong call. */
    public static final int WRONG_CALL = 2;

    private static final int HELP_WIDTH = 110;

    private enum Command {
        BENCH("measure and verify every operation with real processes", false),
        SIMULATE("predict time and memory of collectives for thousands of ranks", false),
        TUNE("measure which algorithm is fastest here, and write a tuning table", false),
        RUN("start copies of a command as one group on this machine", false),
        SOAK("run a group for a long time, and see whether anything grows", false),
        RELAY("the relay daemon, at which groups meet", false),
        DOCTOR("what works on this machine, and why something does not", false),
        TOKEN("mint a token that admits to a session", false),
        WARM_ARCHIVE("load the classes that a class-data archive should hold", true);

        private final String synopsis;
        private final boolean hidden;

        Command(String synopsis, boolean hidden) {
            this.synopsis = synopsis;
            this.hidden = hidden;
        }

        String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        Callable<Integer> create() {
            return switch (this) {
                case BENCH -> new BenchCommand();
                case SIMULATE -> new SimulateCommand();
                case TUNE -> new TuneCommand();
                case RUN -> new RunCommand();
                case SOAK -> new SoakCommand();
                case RELAY -> new RelayCommand();
                case DOCTOR -> new DoctorCommand();
                case TOKEN -> new TokenCommand();
                case WARM_ARCHIVE -> new WarmArchiveCommand();
            };
        }

        static List<Command> visible() {
            return Arrays.stream(values()).filter(command -> !command.hidden).toList();
        }

        static Command of(String label) {
            return Arrays.stream(values())
                    .filter(command -> command.label().equals(label))
                    .findFirst()
                    .orElse(null);
        }
    }

    private final PrintStream out;
    private final PrintStream err;

    /**
     * A command line.
     *
     * @param out for results and help that was asked for
     * @param err for everything else
     */
    public ZipCli(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /**
     * Runs one command.
     *
     * @param args the command and its options
     * @return the exit code
     */
    public int run(String... args) {
        if (args.length == 0) {
            err.print(help());
            return WRONG_CALL;
        }
        if (List.of("--help", "-h", "help").contains(args[0])) {
            out.print(help());
            return 0;
        }
        Command command = Command.of(args[0]);
        if (command == null) {
            String known = Command.visible().stream().map(Command::label).collect(Collectors.joining(", "));
            err.println("zip: unknown command '" + args[0] + "'; known: " + known);
            return WRONG_CALL;
        }
        return commandLine(command).execute(Arrays.copyOfRange(args, 1, args.length));
    }

    private CommandLine commandLine(Command command) {
        CommandLine line = new CommandLine(command.create());
        line.getCommandSpec()
                .addOption(OptionSpec.builder("-h", "--help")
                        .usageHelp(true)
                        .description("Print this and end.")
                        .build());
        return line.setCommandName("zip " + command.label())
                .setUsageHelpWidth(HELP_WIDTH)
                .setCaseInsensitiveEnumValuesAllowed(true)
                // What follows the command that is to be run belongs to it.
                .setStopAtPositional(command == Command.RUN)
                .setOut(writer(out))
                .setErr(writer(err))
                .setParameterExceptionHandler((problem, args) -> wrongCall(problem))
                .setExecutionExceptionHandler((problem, ignored, result) -> failed(command, problem));
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, StandardCharsets.UTF_8);
    }

    private int wrongCall(ParameterException problem) {
        String name = problem.getCommandLine().getCommandName();
        err.println(name + ": " + problem.getMessage().replaceFirst("^Error: ", "") + "\nSee '" + name + " --help'.");
        return WRONG_CALL;
    }

    private int failed(Command command, Exception problem) {
        err.print("zip " + command.label() + ": ");
        if (problem instanceof ZipException failure) {
            err.println(failure.getMessage());
            return failure.code() == ErrorCode.BAD_SETTING ? WRONG_CALL : FAILED;
        }
        problem.printStackTrace(err);
        return FAILED;
    }

    private static String help() {
        StringBuilder text = new StringBuilder("Usage: zip COMMAND [OPTIONS]\n\n");
        text.append("Direct communication and collective operations for serverless functions.\n\nCommands:\n");
        for (Command command : Command.visible()) {
            text.append(String.format("  %-8s %s%n", command.label(), command.synopsis));
        }
        return text.append("\n'zip COMMAND --help' tells the options of a command.\n")
                .toString();
    }
}
