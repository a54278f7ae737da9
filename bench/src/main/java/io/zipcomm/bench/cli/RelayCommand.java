package io.zipcomm.bench.cli;

import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.transport.RelayAddress;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code zip relay}. */
@Command(
        description = {
            "Runs the relay daemon until SIGTERM or SIGINT, which end it with exit code 0.",
            "It does not start without a secret, unless it is told to admit everybody."
        })
final class RelayCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description = "Where to listen; port 0 takes a free one. Default: 0.0.0.0:7077.")
    private String listen;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "More options, one 'name = value' a line. Options given here go before it.")
    private Path config;

    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description = "File with the secret under which tokens are signed, 32 bytes or more; see 'zip token'.")
    private Path keyFile;

    @Option(names = "--insecure", description = "Admit everybody, without tokens.")
    private boolean insecure;

    @Override
    public Integer call() throws InterruptedException {
        RelaySettings settings = settings();
        PrintWriter out = spec.commandLine().getOut();
        RelayServer server = RelayServer.start(settings);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, out), "zip-relay-stop"));
        String admits = settings.keys().isPresent() ? "tokens required" : "INSECURE: everybody is admitted";
        RelayAddress address = new RelayAddress(
                server.address().getAddress().getHostAddress(), server.address().getPort());
        out.println("zip relay: listening on " + address + ", " + admits);
        server.awaitClosed();
        return 0;
    }

    private RelaySettings settings() {
        if (config == null && keyFile == null && !insecure) {
            throw new ParameterException(
                    spec.commandLine(), "no secret: give --key-file FILE, or --insecure to admit everybody");
        }
        RelaySettings.Builder builder = RelaySettings.builder();
        if (config != null) {
            builder.file(config);
        }
        if (listen != null) {
            builder.listen(listen);
        }
        if (keyFile != null) {
            builder.secretFile(keyFile);
        }
        if (insecure) {
            builder.insecure(true);
        }
        return builder.build();
    }

    /** A stop that was asked for is a success, so it must not end with the exit code of the signal. */
    private static void stop(RelayServer server, PrintWriter out) {
        server.close();
        out.println("zip relay: stopped");
        Runtime.getRuntime().halt(0);
    }
}
