package io.zipcomm.relay.daemon;

import io.zipcomm.relay.RelayTokens;
import io.zipcomm.relay.TokenKey;
import io.zipcomm.relay.TokenKeyFiles;
import io.zipcomm.relay.TokenRequest;
import io.zipcomm.relay.TokenRequest.Quota;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code zip token}. */
@Command(
        sortOptions = false,
        description = {
            "Mints a token that admits to a session and prints it. Give it to the ranks as ZIP_TOKEN.",
            "With --new-key it makes a key instead, and prints the files that it made.",
            ""
        })
public final class TokenCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--session",
            paramLabel = "NAME",
            description = "Session that the token is for; a name that ends in * is the beginning of names.")
    private String session;

    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description =
                    "Key that signs: the relay's secret, 32 bytes or more, or an Ed25519 private key in PEM or JWK.")
    private Path keyFile;

    @Option(
            names = "--key-id",
            paramLabel = "ID",
            description =
                    "The key's id, by which the relay finds it among several: the kid of the token. Default: that of"
                            + " a JWK; none for others, and the relay tries all of its keys.")
    private String keyId;

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

    @Option(
            names = "--not-before",
            paramLabel = "TIME",
            description = "From when on the token is good: in how long, such as 30m, or an instant such as"
                    + " 2030-01-31T08:00:00Z. Then --expires counts from there. Default: now.")
    private Optional<String> notBefore;

    @Option(
            names = "--quota",
            paramLabel = "NAME=N",
            description = "Limit of the bearer: ranks_max in a session, sessions_max at a time, bytes_per_second of a"
                    + " rank, session_bytes_per_second. May be given again. Default: the relay's limits only.")
    private Map<String, Long> quotas = new LinkedHashMap<>();

    @Option(
            names = "--new-key",
            paramLabel = "FILE",
            description = "Makes a key that only its owner can read. For EdDSA, relays get FILE.pub.")
    private Path newKey;

    @Option(
            names = "--algorithm",
            paramLabel = "NAME",
            description =
                    "Of the new key: HS256, a secret that the relay shares, or EdDSA, a pair of keys of which the relay"
                            + " has the public one. Default: HS256.")
    private TokenKey.Algorithm algorithm = TokenKey.Algorithm.HS256;

    /** Given its options by picocli. */
    public TokenCommand() {}

    @Override
    public Integer call() {
        if (newKey != null) {
            TokenKeyFiles.generate(algorithm, newKey)
                    .forEach(file -> spec.commandLine().getOut().println(file));
            return 0;
        }
        need(session, "--session=NAME");
        need(keyFile, "--key-file=FILE");
        TokenKey key = TokenKey.read(keyFile);
        spec.commandLine().getOut().println(RelayTokens.mint(key.withId(idOf(key)), request()));
        return 0;
    }

    private void need(Object value, String option) {
        if (value == null) {
            throw wrong("Missing required option: '" + option + "'");
        }
    }

    private ParameterException wrong(String text) {
        return new ParameterException(spec.commandLine(), text);
    }

    /** A relay that has the key in a file of another name does not know this one's. */
    private String idOf(TokenKey key) {
        return keyId != null ? keyId : key.ownId().orElse(null);
    }

    private TokenRequest request() {
        TokenRequest request = TokenRequest.forSession(session);
        ranks.ifPresent(request::ranks);
        Instant begin = notBefore.map(this::instant).orElseGet(Instant::now);
        if (notBefore.isPresent()) {
            request.notBefore(begin);
        }
        expires.ifPresent(lifetime -> request.expires(begin.plus(lifetime)));
        quotas.forEach((name, limit) -> request.quota(quota(name), limit));
        return request;
    }

    private Instant instant(String text) {
        try {
            return text.indexOf('T') > 0 ? Instant.parse(text) : Instant.now().plus(new Durations().convert(text));
        } catch (DateTimeParseException e) {
            throw wrong("'" + text + "' is no instant: write 2030-01-31T08:00:00Z");
        }
    }

    private Quota quota(String name) {
        return Arrays.stream(Quota.values())
                .filter(quota -> quota.claim().equals(name))
                .findFirst()
                .orElseThrow(() -> wrong("there is no quota '" + name + "'; known: "
                        + Arrays.stream(Quota.values()).map(Quota::claim).collect(Collectors.joining(", "))));
    }
}
