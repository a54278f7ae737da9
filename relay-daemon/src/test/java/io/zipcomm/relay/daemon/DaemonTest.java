package io.zipcomm.relay.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Signals, reload and logs of the daemon as a process. Sessions are in the tests of bench. */
final class DaemonTest {

    @TempDir
    private Path folder;

    private DaemonProcess start(String... options) throws Exception {
        return DaemonProcess.start(folder, null, options);
    }

    @Test
    void shouldEndWithCodeZeroWhenToldTo() throws Exception {
        for (String signal : List.of("TERM", "INT")) {
            try (DaemonProcess daemon = start("--insecure")) {
                assertTrue(daemon.first.endsWith(", INSECURE: everybody is admitted"), daemon.first);
                daemon.awaitStatus(200, "/ready");
                daemon.signal(signal);
                assertEquals("zip relay: stopped", daemon.line());
                assertEquals(0, daemon.awaitExit());
                assertTrue(daemon.log().contains("relay ends: no session is left"), daemon.log());
            }
        }
    }

    @Test
    void shouldEndWhenTheOperatorSaysDrain() throws Exception {
        try (DaemonProcess daemon = start("--insecure")) {
            assertEquals(202, daemon.ask("POST", "/drain").statusCode());
            assertEquals("zip relay: stopped", daemon.line());
            assertEquals(0, daemon.awaitExit());
        }
    }

    @Test
    void shouldReloadOnHangUpAndKeepTheOldWhatIsWrong() throws Exception {
        Path keys = Files.createDirectory(folder.resolve("keys"));
        Files.writeString(keys.resolve("one.key"), "1".repeat(32));
        Path config = Files.writeString(folder.resolve("relay.conf"), "sessions-max = 5\nkeys = " + keys + "\n");
        try (DaemonProcess daemon = start("--config", config.toString())) {
            assertTrue(daemon.first.endsWith(", tokens required"), daemon.first);
            Files.writeString(config, "sessions-max = 7\nkeys = " + keys + "\n");
            daemon.signal("HUP");
            daemon.awaitLog("keys and limits are reloaded");
            assertLimit(daemon, "7.0");

            Files.writeString(keys.resolve("two.key"), "short");
            daemon.signal("HUP");
            daemon.awaitLog("reload failed, and the old keys and limits stay");
            assertTrue(daemon.log().contains("two.key has 5 bytes"), daemon.log());
            assertEquals(422, daemon.ask("POST", "/reload").statusCode());
            Files.writeString(config, "sessions-max = many\nkeys = " + keys + "\n");
            Files.delete(keys.resolve("two.key"));
            assertTrue(daemon.ask("POST", "/reload").body().contains("sessions-max is 'many'"));
            assertLimit(daemon, "7.0");

            Files.writeString(config, "sessions-max = 9\nkeys = " + keys + "\n");
            assertEquals(200, daemon.ask("POST", "/reload").statusCode());
            assertLimit(daemon, "9.0");
            assertFalse(daemon.log().contains("until a restart"), daemon.log());
            Files.writeString(config, "sessions-max = 10\nthreads = 3\nkeys = " + keys + "\n");
            assertEquals(
                    "reloaded; a restart is needed for threads\n",
                    daemon.ask("POST", "/reload").body());
            daemon.awaitLog("these options have changed, and stay as they are until a restart: threads");
            assertLimit(daemon, "10.0");
        }
    }

    private static void assertLimit(DaemonProcess daemon, String value) throws Exception {
        String text = daemon.ask("GET", "/metrics").body();
        assertTrue(text.contains("zip_relay_limit{limit=\"sessions-max\"} " + value + "\n"), text);
    }

    @Test
    void shouldLogObjectsForPrograms() throws Exception {
        try (DaemonProcess daemon = start("--insecure", "--log-format", "json", "--log-level", "info")) {
            daemon.signal("TERM");
            assertEquals(0, daemon.awaitExit());
            List<String> lines = daemon.log().lines().toList();
            assertTrue(lines.size() >= 2, daemon.log());
            for (String line : lines) {
                assertTrue(line.startsWith("{") && line.endsWith("}"), line);
            }
            assertTrue(daemon.log().contains("\"kvpList\": [{\"address\":"), daemon.log());
            assertTrue(daemon.log().contains("\"level\":\"INFO\""), daemon.log());
        }
    }

    @Test
    void shouldLogAtTheLevelThatItIsTold() throws Exception {
        try (DaemonProcess daemon = start("--insecure", "--log-level", "error")) {
            daemon.signal("TERM");
            assertEquals(0, daemon.awaitExit());
            assertEquals("", daemon.log());
        }
    }

    /** Two relays of one machine: the second runs without the default admin address, but not without one it was told. */
    @Test
    void shouldNotStartWithoutTheAdminAddressThatItWasTold() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Process relay = new ProcessBuilder(
                            DaemonProcess.java(),
                            "-cp",
                            DaemonProcess.classPath(),
                            Main.class.getName(),
                            "--insecure",
                            "--listen",
                            "127.0.0.1:0",
                            "--admin",
                            "127.0.0.1:" + taken.getLocalPort())
                    .redirectErrorStream(true)
                    .start();
            try {
                String told = new String(relay.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertTrue(told.contains("admin cannot listen on"), told);
                assertFalse(told.contains("listening on 127"), told);
                assertEquals(2, relay.waitFor());
            } finally {
                relay.destroyForcibly();
            }
        }
    }
}
