package io.zipcomm.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Zip;
import io.zipcomm.bench.Main;
import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The daemon as a process of its own. */
@Tag("once")
final class RelayCommandTest {

    private static final int RANKS = 3;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void endAll() {
        started.forEach(Process::destroyForcibly);
    }

    private Process start(String... args) throws IOException {
        Process process = new ProcessBuilder(ChildJvm.command(List.of(), Main.class, args))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        started.add(process);
        return process;
    }

    @Test
    void shouldSayWhereItListensAndStopCleanlyWhenTold(@TempDir Path folder) throws Exception {
        String keyFile = Files.writeString(folder.resolve("key"), "a secret of at least thirty-two bytes")
                .toString();
        Process relay = start("relay", "--listen", "127.0.0.1:0", "--admin", "off", "--key-file", keyFile);
        try (BufferedReader lines = relay.inputReader()) {
            String first = lines.readLine();
            assertTrue(first.matches("zip relay: listening on 127\\.0\\.0\\.1:[1-9]\\d*, tokens required"), first);
            relay.toHandle().destroy();
            assertEquals("zip relay: stopped", lines.readLine());
            assertTrue(relay.waitFor(20, TimeUnit.SECONDS));
            assertEquals(0, relay.exitValue());
        }
    }

    @Test
    void shouldSayThatItIsInsecure() throws Exception {
        Process relay = start("relay", "--listen", "127.0.0.1:0", "--insecure");
        try (BufferedReader lines = relay.inputReader()) {
            String first = lines.readLine();
            assertTrue(first.endsWith(", INSECURE: everybody is admitted"), first);
        }
    }

    // Amid a session

    private static String address(BufferedReader lines, String what) throws IOException {
        String line = lines.readLine();
        Matcher matcher =
                Pattern.compile("zip relay: " + what + " on ([^ ,]+).*").matcher(String.valueOf(line));
        assertTrue(matcher.matches(), line);
        return matcher.group(1);
    }

    private List<Process> startRanks(String relay, String transport) throws IOException {
        GroupEnvironment environment = new GroupEnvironment(relay, "steady", RANKS, transport, "");
        List<Process> ranks = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            ProcessBuilder builder = new ProcessBuilder(ChildJvm.command(
                            List.of("--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED"), SteadyRank.class))
                    .redirectError(ProcessBuilder.Redirect.DISCARD);
            builder.environment().putAll(environment.forRank(rank));
            Process process = builder.start();
            started.add(process);
            ranks.add(process);
        }
        return ranks;
    }

    private static void awaitRounds(List<BufferedReader> ranks, int count) throws IOException {
        for (BufferedReader lines : ranks) {
            for (int i = 0; i < count; i++) {
                String line = lines.readLine();
                assertTrue(line != null && line.startsWith("round "), line);
            }
        }
    }

    private static int status(String address, String path) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://" + address + path).toURL().openConnection();
        connection.setReadTimeout(10_000);
        try {
            return connection.getResponseCode();
        } finally {
            connection.disconnect();
        }
    }

    @Test
    void shouldFailNoOperationWhenToldToStopAmidSession() throws Exception {
        Process relay = start("relay", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--insecure");
        BufferedReader lines = relay.inputReader();
        String at = address(lines, "listening");
        String admin = address(lines, "admin");
        List<Process> ranks = startRanks(at, "relay");
        List<BufferedReader> outputs = ranks.stream().map(Process::inputReader).toList();
        awaitRounds(outputs, 1);
        assertEquals(200, status(admin, "/ready"));

        relay.toHandle().destroy();
        assertEquals("zip relay: draining, 1 sessions; told once more, it ends at once", lines.readLine());
        assertEquals(503, status(admin, "/ready"));
        assertEquals(200, status(admin, "/health"));
        ZipException refused = assertThrows(
                ZipException.class,
                () -> Zip.join(ZipSettings.builder()
                        .relay(at)
                        .session("new")
                        .size(2)
                        .rank(0)
                        .build()));
        assertEquals(ErrorCode.RELAY_UNREACHABLE, refused.code());
        assertTrue(refused.getMessage().contains("this relay drains"), refused.getMessage());
        awaitRounds(outputs, 2);

        ranks.get(0).getOutputStream().write(1);
        ranks.get(0).getOutputStream().flush();
        for (int rank = 0; rank < RANKS; rank++) {
            String last;
            do {
                last = outputs.get(rank).readLine();
            } while (last != null && last.startsWith("round "));
            assertEquals("done", last);
            assertTrue(ranks.get(rank).waitFor(20, TimeUnit.SECONDS));
            assertEquals(0, ranks.get(rank).exitValue());
        }
        assertEquals("zip relay: stopped", lines.readLine());
        assertTrue(relay.waitFor(20, TimeUnit.SECONDS));
        assertEquals(0, relay.exitValue());
    }

    @Test
    void shouldEndAtOnceWhenToldTwice() throws Exception {
        Process relay = start("relay", "--listen", "127.0.0.1:0", "--admin", "off", "--insecure");
        BufferedReader lines = relay.inputReader();
        List<Process> ranks = startRanks(address(lines, "listening"), "relay");
        awaitRounds(ranks.stream().map(Process::inputReader).toList(), 1);
        relay.toHandle().destroy();
        assertTrue(lines.readLine().startsWith("zip relay: draining"));
        relay.toHandle().destroy();
        assertEquals("zip relay: stopped", lines.readLine());
        assertTrue(relay.waitFor(20, TimeUnit.SECONDS));
        assertEquals(0, relay.exitValue());
        expectFailed(ranks);
    }

    @Test
    void shouldWaitNoLongerThanTold() throws Exception {
        Process relay =
                start("relay", "--listen", "127.0.0.1:0", "--admin", "off", "--insecure", "--set", "drain-timeout=300");
        BufferedReader lines = relay.inputReader();
        List<Process> ranks = startRanks(address(lines, "listening"), "relay");
        awaitRounds(ranks.stream().map(Process::inputReader).toList(), 1);
        relay.toHandle().destroy();
        assertTrue(lines.readLine().startsWith("zip relay: draining"));
        assertEquals("zip relay: stopped", lines.readLine());
        assertTrue(relay.waitFor(20, TimeUnit.SECONDS));
        assertEquals(0, relay.exitValue());
        expectFailed(ranks);
    }

    private static void expectFailed(List<Process> ranks) throws InterruptedException {
        for (Process rank : ranks) {
            assertTrue(rank.waitFor(30, TimeUnit.SECONDS));
            assertNotEquals(0, rank.exitValue());
        }
    }
}
