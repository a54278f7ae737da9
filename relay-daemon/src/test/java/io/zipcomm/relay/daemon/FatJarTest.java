package io.zipcomm.relay.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jar that operators get, on the JVM of the test. */
final class FatJarTest {

    private static final Path JAR = Path.of(System.getProperty("zip.relay.jar"));

    @TempDir
    private Path folder;

    @Test
    void shouldRunFromTheJarAlone() throws Exception {
        try (DaemonProcess daemon = DaemonProcess.start(folder, JAR, "--insecure")) {
            assertEquals(200, daemon.ask("GET", "/health").statusCode());
            String metrics = daemon.ask("GET", "/metrics").body();
            assertTrue(metrics.contains("zip_relay_connections 0.0"), metrics);
            daemon.signal("TERM");
            assertEquals("zip relay: stopped", daemon.line());
            assertEquals(0, daemon.awaitExit());
            // Sockets of the native kind, where that is for this machine; and nothing that warns.
            boolean linux = System.getProperty("os.name").equals("Linux")
                    && List.of("amd64", "aarch64").contains(System.getProperty("os.arch"));
            assertEquals(linux, daemon.log().contains("EpollServerSocketChannel"), daemon.log());
            assertFalse(daemon.log().contains("WARN"), daemon.log());
        }
    }

    @Test
    void shouldMakeKeysAndTokens() throws Exception {
        String key = folder.resolve("relay.pem").toString();
        assertEquals(key + "\n" + key + ".pub\n", output(0, "token", "--new-key", key, "--algorithm", "EdDSA"));
        String token = output(0, "token", "--session", "s", "--key-file", key, "--quota", "ranks_max=4");
        assertEquals(3, token.strip().split("\\.", -1).length, token);
        assertTrue(output(2, "token", "--session", "s").contains("Missing required option: '--key-file=FILE'"));
        assertTrue(output(2).contains("no key to check tokens by: give --keys PATHS"));
        try (DaemonProcess daemon = DaemonProcess.start(folder, JAR, "--keys", key + ".pub")) {
            assertTrue(daemon.first.endsWith(", tokens required"), daemon.first);
        }
    }

    private static String output(int exitCode, String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(DaemonProcess.java(), "-jar", JAR.toString()));
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(30, TimeUnit.SECONDS));
            assertEquals(exitCode, process.exitValue(), said);
            return said;
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void shouldHoldWhatItNeedsAndNoMore() throws Exception {
        try (JarFile jar = new JarFile(JAR.toFile())) {
            Set<String> names = new HashSet<>();
            jar.stream().forEach(entry -> names.add(entry.getName()));
            assertTrue(names.contains("META-INF/native/libnetty_transport_native_epoll_x86_64.so"));
            assertTrue(names.contains("META-INF/native/libnetty_transport_native_epoll_aarch_64.so"));
            assertTrue(names.contains("META-INF/services/org.slf4j.spi.SLF4JServiceProvider"));
            assertTrue(names.contains("META-INF/zip/NOTICE"));
            assertEquals("true", jar.getManifest().getMainAttributes().getValue("Multi-Release"));
            for (String foreign :
                    List.of("org/openjdk/jmh", "io/lettuce", "org/junit", "org/slf4j/simple", "module-info")) {
                assertTrue(names.stream().noneMatch(name -> name.startsWith(foreign)), foreign);
            }
        }
    }
}
