package io.zipcomm.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.bench.examples.LogisticRegression;
import io.zipcomm.testkit.ConnectProxy;
import io.zipcomm.testkit.TestCertificates;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes whose only way out is an HTTP proxy that lets them to one port of the relay. */
@Timeout(120)
@Tag("once")
final class OnePortTest {

    private static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin", "java").toString();

    /** Runs the example, with variables of its own. */
    private static CapturedCli.Result run(int ranks, String relay, Path key, String variables) {
        return CapturedCli.run(
                "run",
                "--ranks",
                Integer.toString(ranks),
                "--transport",
                "relay",
                "--relay",
                relay,
                "--key-file",
                key.toString(),
                "--",
                "sh",
                "-c",
                variables + " exec '" + JAVA + "' -cp \"$ZIP_CLASSPATH\" " + LogisticRegression.class.getName());
    }

    @Test
    void shouldTrainAModelThroughASecureWebSocketAndAProxy(@TempDir Path folder) throws Exception {
        TestCertificates certificates = new TestCertificates(folder);
        TestCertificates.Pair own = certificates.local("relay");
        Path key = Files.writeString(folder.resolve("relay.secret"), "a secret that is long enough for its use");
        Path config = Files.writeString(
                folder.resolve("relay.conf"),
                "tls-cert = " + own.certificate() + "\ntls-key = " + own.key() + "\nwebsocket-path = /group\n");
        Process relay = new ProcessBuilder(List.of(
                        JAVA,
                        "-cp",
                        ChildJvm.classPath(),
                        "io.zipcomm.bench.Main",
                        "relay",
                        "--listen",
                        "127.0.0.1:0",
                        "--key-file",
                        key.toString(),
                        "--config",
                        config.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (ConnectProxy proxy = ConnectProxy.guarded("me:secret");
                BufferedReader says =
                        new BufferedReader(new InputStreamReader(relay.getInputStream(), StandardCharsets.UTF_8))) {
            String listening = says.readLine();
            String port = listening.replaceAll(".*listening on [^,]*:(\\d+),.*", "$1");
            // Ranks that spin would keep the processors from the relay and the proxy.
            String access = "ZIP_WAIT=block ZIP_RELAY_CA='" + certificates.authority()
                    + "' ZIP_PROXY=http://me:secret@127.0.0.1:" + proxy.port();
            CapturedCli.Result group = run(2, "wss://localhost:" + port + "/group", key, access);
            assertEquals(0, group.exitCode(), group.err());
            assertTrue(group.out().startsWith("[0] virginica against versicolor: accuracy 9"), group.out());
            assertEquals(Set.of("localhost:" + port), Set.copyOf(proxy.targets()));
            assertEquals(4, proxy.targets().size(), "a control and a data connection for each rank");
            // Without the proxy's consent nobody gets there.
            CapturedCli.Result refused =
                    run(1, "wss://localhost:" + port + "/group", key, access.replace("secret", "x"));
            assertTrue(refused.exitCode() != 0 && refused.err().contains("407"), refused.err());
        } finally {
            relay.destroy();
            if (!relay.waitFor(10, TimeUnit.SECONDS)) {
                relay.destroyForcibly();
            }
        }
    }
}
