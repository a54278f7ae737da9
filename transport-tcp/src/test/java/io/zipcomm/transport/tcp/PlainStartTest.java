package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Zip;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.ZipSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that speaks to its relay plainly does not pay for what it does not use. */
@Timeout(60)
final class PlainStartTest {

    /** What such a process has no use for. */
    private static final List<String> NOT_LOADED = List.of(
            "io.zipcomm.transport.tcp.LayeredSocket ",
            "io.zipcomm.transport.tcp.RelayLayers ",
            "io.zipcomm.transport.tcp.TlsSocket ",
            "io.zipcomm.transport.tcp.TlsContext ",
            "io.zipcomm.transport.tcp.WebSocketSocket ",
            "io.zipcomm.transport.tcp.ConnectProxySocket ",
            "io.zipcomm.internal.RelayMeeting ",
            "javax.net.ssl.SSLContext ",
            "javax.net.ssl.SSLEngine ");

    /** Joins a group of one. */
    static final class Rank {
        public static void main(String[] args) {
            Zip.join(ZipSettings.builder()
                            .relay(args[0])
                            .session("s")
                            .size(1)
                            .transport(ZipSettings.TransportChoice.RELAY)
                            .build())
                    .close();
        }
    }

    @Test
    void shouldLoadNothingOfTlsAndWebSockets(@TempDir Path folder) throws Exception {
        Path loaded = folder.resolve("loaded.txt");
        try (RelayServer relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build())) {
            Process rank = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xlog:class+load:file=" + loaded,
                            "-cp",
                            System.getProperty("java.class.path"),
                            Rank.class.getName(),
                            "127.0.0.1:" + relay.address().getPort())
                    .inheritIO()
                    .start();
            assertTrue(rank.waitFor(50, TimeUnit.SECONDS), "the rank does not end");
            assertEquals(0, rank.exitValue());
        }
        String text = Files.readString(loaded);
        assertTrue(text.contains("io.zipcomm.transport.tcp.RelaySockets "), "nothing was recorded");
        for (String name : NOT_LOADED) {
            assertTrue(!text.contains(name), () -> name + "was loaded");
        }
    }
}
