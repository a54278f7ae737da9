package io.zipcomm.relay.daemon;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.slf4j.event.Level;
import picocli.CommandLine;

/** Where the daemon's own jar is entered: the relay, or {@code token} and its options. */
public final class Main {

    private static final String TOKEN = "token";

    private Main() {}

    /**
     * Runs the relay until it is told to stop, and ends the process with the exit code.
     *
     * @param args options of the relay; or {@code token} and options of that
     */
    public static void main(String[] args) {
        // Before the first line: a backend that nobody configured tells everything, and on standard output.
        Logs.configure(LogFormat.TEXT, Level.WARN);
        boolean token = args.length > 0 && args[0].equals(TOKEN);
        CommandLine line = new CommandLine(token ? new TokenCommand() : new RelayCommand());
        Commands.prepare(line, token ? TOKEN : "relay", new PrintWriter(System.err, true, StandardCharsets.UTF_8));
        System.exit(line.execute(token ? Arrays.copyOfRange(args, 1, args.length) : args));
    }
}
