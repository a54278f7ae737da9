package io.zipcomm.relay.daemon;

import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.transport.RelayAddress;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.slf4j.event.Level;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code zip relay}, and the daemon's own jar. */
@Command(
        description = {
            "Runs the relay daemon. SIGTERM or SIGINT let it take no new sessions, and end with exit code 0 when those"
                    + " that are there have ended; a second one ends it at once. SIGHUP reads the files with keys and"
                    + " options again.",
            "It does not start without keys, unless it is told to admit everybody."
        })
public final class RelayCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description = "Where to listen; port 0 takes a free one. Default: 0.0.0.0:7077.")
    private String listen;

    @Option(
            names = "--admin",
            paramLabel = "HOST:PORT",
            description = "Where to answer health, metrics and the like over HTTP, or off. Default: 127.0.0.1:7078.")
    private String admin;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "More options, one 'name = value' a line. Options given here go before it.")
    private Path config;

    @Option(names = "--set", paramLabel = "NAME=VALUE", description = "One option as in that file. May be given again.")
    private Map<String, String> options = new LinkedHashMap<>();

    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description = "File with the secret under which tokens are signed, 32 bytes or more; see 'zip token'.")
    private Path keyFile;

    @Option(
            names = "--keys",
            paramLabel = "PATHS",
            description = "Files and folders, separated by commas, with more keys: secrets, Ed25519 public keys, JWKs.")
    private String keys;

    @Option(names = "--insecure", description = "Admit everybody, without tokens.")
    private boolean insecure;

    @Option(
            names = "--log-format",
            paramLabel = "FORMAT",
            description = "How log lines look, on standard error: text, or json for programs. Default: text.")
    private LogFormat logFormat = LogFormat.TEXT;

    @Option(
            names = "--log-level",
            paramLabel = "LEVEL",
            description = "What is logged: error, warn, info, debug, trace. Default: info.")
    private Level logLevel = Level.INFO;

    /** Given its options by picocli. */
    public RelayCommand() {}

    @Override
    public Integer call() {
        if (config == null && keyFile == null && keys == null && options.isEmpty() && !insecure) {
            throw new ParameterException(
                    spec.commandLine(),
                    "no key to check tokens by: give --keys PATHS or --key-file FILE ('zip token --new-key' makes one), or"
                            + " --insecure to admit everybody");
        }
        Logs.configure(logFormat, logLevel);
        PrintWriter out = spec.commandLine().getOut();
        try (Daemon daemon = Daemon.start(this::settings)) {
            Signals.on("HUP", daemon::reloadIfRight);
            Signals.on("TERM", () -> stop(daemon, out));
            Signals.on("INT", () -> stop(daemon, out));
            String admits = daemon.relay().settings().keys().isPresent()
                    ? "tokens required"
                    : "INSECURE: everybody is admitted";
            out.println("zip relay: listening on " + listening(daemon.relay()) + ", " + admits);
            daemon.adminAddress().ifPresent(at -> out.println("zip relay: admin on " + text(at)));
            daemon.awaitEnd();
        }
        out.println("zip relay: stopped");
        return 0;
    }

    /** As it was asked for: a system calls all addresses of IPv4 by those of IPv6. */
    private static String listening(RelayServer relay) {
        String host = relay.settings().listen().getHostString();
        return new RelayAddress(host, relay.address().getPort()).toString();
    }

    private static String text(InetSocketAddress address) {
        return new RelayAddress(address.getAddress().getHostAddress(), address.getPort()).toString();
    }

    /** One signal after the other, though each has a thread of its own: the second is to find that it drains. */
    private static synchronized void stop(Daemon daemon, PrintWriter out) {
        int sessions = daemon.relay().stats().sessions();
        boolean first = !daemon.isDraining();
        daemon.stop();
        // Said when it is so: whoever reads it finds a relay that is not ready any more.
        if (sessions > 0 && first) {
            out.println("zip relay: draining, " + sessions + " sessions; told once more, it ends at once");
        }
    }

    /** Reads every file anew. */
    private RelaySettings settings() {
        RelaySettings.Builder builder = RelaySettings.builder();
        if (config != null) {
            builder.file(config);
        }
        options.forEach((name, value) -> builder.set(known(name), value));
        if (listen != null) {
            builder.listen(listen);
        }
        if (admin != null) {
            builder.set(RelayOption.ADMIN, admin);
        }
        if (keyFile != null) {
            builder.secretFile(keyFile);
        }
        if (keys != null) {
            builder.set(RelayOption.KEYS, keys);
        }
        if (insecure) {
            builder.insecure(true);
        }
        return builder.build();
    }

    private RelayOption known(String name) {
        RelayOption option = RelayOption.of(name);
        if (option == null) {
            throw new ParameterException(
                    spec.commandLine(), "there is no option '" + name + "' of the relay; docs/tuning.md lists all");
        }
        return option;
    }
}
