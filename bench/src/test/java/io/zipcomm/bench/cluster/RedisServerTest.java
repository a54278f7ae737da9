package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class RedisServerTest {

    private static boolean isInstalled() {
        return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "redis-server")));
    }

    @Test
    void shouldAnswerUntilItIsClosed() throws WorkerFailure, InterruptedException, IOException {
        assumeTrue(isInstalled(), "there is no redis-server on the PATH");
        InetSocketAddress address;
        try (RedisServer server = RedisServer.start()) {
            address = server.address();
            try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
                socket.setSoTimeout(10_000);
                socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
                byte[] answer = socket.getInputStream().readNBytes("+PONG".length());
                assertEquals("+PONG", new String(answer, StandardCharsets.US_ASCII));
            }
        }
        assertThrows(IOException.class, () -> new Socket(address.getAddress(), address.getPort()).close());
    }
}
