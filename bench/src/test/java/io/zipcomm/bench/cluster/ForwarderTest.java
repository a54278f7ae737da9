package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
final class ForwarderTest {

    @ParameterizedTest
    @EnumSource(Forwarder.Kind.class)
    void shouldPassOnBytesUntilItIsClosed(Forwarder.Kind kind) throws IOException, WorkerFailure, InterruptedException {
        String missing = Forwarder.unavailability(kind);
        assumeTrue(missing == null, missing);
        int port;
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Forwarder forwarder = new Forwarder(kind)) {
            port = forwarder.portTo(server.getLocalPort());
            assertNotEquals(server.getLocalPort(), port);
            try (Socket near = new Socket(InetAddress.getLoopbackAddress(), port);
                    Socket far = server.accept()) {
                near.getOutputStream().write(new byte[] {1, 2, 3});
                assertArrayEquals(new byte[] {1, 2, 3}, far.getInputStream().readNBytes(3));
                far.getOutputStream().write(new byte[] {4});
                assertArrayEquals(new byte[] {4}, near.getInputStream().readNBytes(1));
            }
        }
        assertThrows(IOException.class, () -> new Socket(InetAddress.getLoopbackAddress(), port).close());
    }
}
