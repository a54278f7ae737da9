package io.zipcomm.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.Main;
import io.zipcomm.bench.cluster.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The daemon as a process of its own. */
final class RelayCommandTest {

    private static Process start(String... args) throws IOException {
        return new ProcessBuilder(ChildJvm.command(List.of(), Main.class, args))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    @Test
    void shouldSayWhereItListensAndStopCleanlyWhenTold(@TempDir Path folder) throws Exception {
        String keyFile = Files.writeString(folder.resolve("key"), "a secret of at least thirty-two bytes")
                .toString();
        Process relay = start("relay", "--listen", "127.0.0.1:0", "--key-file", keyFile);
        try (BufferedReader lines = relay.inputReader()) {
            String first = lines.readLine();
            assertTrue(first.matches("zip relay: listening on 127\\.0\\.0\\.1:[1-9]\\d*, tokens required"), first);
            relay.toHandle().destroy();
            assertEquals("zip relay: stopped", lines.readLine());
            assertTrue(relay.waitFor(20, TimeUnit.SECONDS));
            assertEquals(0, relay.exitValue());
        } finally {
            relay.destroyForcibly();
        }
    }

    @Test
    void shouldSayThatItIsInsecure() throws Exception {
        Process relay = start("relay", "--listen", "127.0.0.1:0", "--insecure");
        try (BufferedReader lines = relay.inputReader()) {
            String first = lines.readLine();
            assertTrue(first.endsWith(", INSECURE: everybody is admitted"), first);
        } finally {
            relay.destroyForcibly();
        }
    }
}
