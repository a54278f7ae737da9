package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.testkit.DirectWiring;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.SharedMemoryFolder;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Streams to several peers, which the driver makes at once. */
@Timeout(60)
final class UdpRoutesTest {

    private static final long SEED = 11;
    private static final long ANSWER_NS_MAX = 1_000_000_000;

    /** More than the driver needs for some streams. */
    private static final int TURNS = 100;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    /** Aeron's client takes one answer of the driver at each question, whichever stream the question is about. */
    @Test
    void shouldKeepAStreamWhoseAnswerComesBehindThatOfAnother() throws Exception {
        try (DatagramSocket silent = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                UdpPort port = UdpPort.take("127.0.0.1", ANSWER_NS_MAX)) {
            Candidate peers =
                    new Candidate(Candidate.Kind.LOOPBACK, UdpTransport.NAME, "127.0.0.1", silent.getLocalPort());
            GroupView view = DirectWiring.views(SEED, Collections.nCopies(4, List.of(peers)))
                    .get(0);
            try (UdpEndpoint endpoint = UdpEndpoint.make(
                    SharedDirectory.open(directory),
                    view,
                    port,
                    (names, signs) -> (channel, dispatcher, status, context) ->
                            new UdpGate(names, signs, channel, dispatcher, status, context),
                    true)) {
                UdpRoutes first = new UdpRoutes(endpoint, view, 1, 0);
                UdpRoutes second = new UdpRoutes(endpoint, view, 2, 0);
                for (int i = 0; i < TURNS; i++) {
                    endpoint.drive();
                }
                assertNull(second.connected(), "nobody answers");
                assertFalse(second.isEmpty(), "its stream is there");
                assertNull(first.connected(), "nobody answers");
                assertFalse(first.isEmpty(), "its stream is there");
                first.closeBut(null);
                second.closeBut(null);
                assertTrue(first.isEmpty() && second.isEmpty());
            }
        }
    }
}
