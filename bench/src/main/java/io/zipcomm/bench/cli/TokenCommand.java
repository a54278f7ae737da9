package io.zipcomm.bench.cli;

import io.zipcomm.relay.RelaySecret;
import io.zipcomm.relay.RelayTokens;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code zip token}. */
@Command(
        description = {
            "Mints a token that admits to a session and prints it.",
            "Give it to the ranks as ZIP_TOKEN. It is signed with the secret that the relay was started with."
        })
final class TokenCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--session",
            required = true,
            paramLabel = "NAME",
            description = "Session that the token is for; a name that ends in * is the beginning of names.")
    private String session;

    @Option(
            names = "--key-file",
            required = true,
            paramLabel = "FILE",
            description = "File with the relay's secret, 32 bytes or more.")
    private Path keyFile;

    @Option(
            names = "--ranks",
            paramLabel = "LO-HI",
            description = "Ranks that the bearer may take, such as 0-3. Default: all.")
    private Optional<String> ranks;

    @Option(
            names = "--expires",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "How long the token is good, such as 90s, 30m, 12h, 7d. Default: for ever.")
    private Optional<Duration> expires;

    @Override
    public Integer call() {
        spec.commandLine().getOut().println(RelayTokens.mint(RelaySecret.read(keyFile), session, ranks, expires));
        return 0;
    }
}
