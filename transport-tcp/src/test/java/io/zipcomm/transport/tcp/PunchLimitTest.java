package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.wire.SessionKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A rank to which more peers want to punch at once than it puts up with. */
@Timeout(60)
@Tag("once")
final class PunchLimitTest {

    private static final int PEERS = DirectPaths.PUNCHES_MAX + 8;

    private static final class Events implements PathEvents {
        private final Set<Integer> asked = new TreeSet<>();

        @Override
        public void opened(Path path) {
            throw new AssertionError("nobody is there");
        }

        @Override
        public void unreachable(int peer, String reason) {
            throw new AssertionError("nobody asked for a path");
        }

        @Override
        public void punchWanted(int peer) {
            asked.add(peer);
        }

        @Override
        public void relayLost(String reason) {
            throw new AssertionError(reason);
        }
    }

    /** Waits for what the transport does meanwhile. */
    private static void turn(TcpTransport transport, long ms) {
        long untilNs = System.nanoTime() + ms * 1_000_000;
        while (System.nanoTime() - untilNs < 0) {
            transport.await(1_000_000, () -> false);
        }
    }

    private static boolean wasConnectedTo(ServerSocket server) throws IOException {
        try (Socket socket = server.accept()) {
            return socket.isConnected();
        } catch (SocketTimeoutException e) {
            return false;
        }
    }

    @Test
    void shouldPunchToSomeAndAskTheRelayForTheOthersLater() throws IOException {
        TcpTransport transport = new TcpTransport(
                ZipSettings.builder().session("s").size(PEERS + 1).rank(0).build());
        List<ServerSocket> servers = new ArrayList<>();
        try {
            List<Member> members = new ArrayList<>();
            members.add(new Member(0, "host", List.of(), List.of("tcp")));
            for (int peer = 1; peer <= PEERS; peer++) {
                ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                server.setSoTimeout(1);
                servers.add(server);
                Candidate observed = new Candidate(Candidate.Kind.OBSERVED, "tcp", "127.0.0.1", server.getLocalPort());
                members.add(new Member(peer, "host " + peer, List.of(observed), List.of("tcp")));
            }
            Events events = new Events();
            SessionKey key = new SessionKey(new byte[SessionKey.BYTES]);
            transport.start(new GroupView("s", 3, 0, members, key, 1 << 20, 1 << 16), events);
            for (int peer = 1; peer <= PEERS; peer++) {
                transport.punch(peer, System.nanoTime(), 1_000_000);
            }
            turn(transport, 200);
            int connected = 0;
            for (ServerSocket server : servers) {
                connected += wasConnectedTo(server) ? 1 : 0;
            }
            assertEquals(DirectPaths.PUNCHES_MAX, connected);
            assertTrue(events.asked.isEmpty(), events.asked::toString);
            long deadlineNs = System.nanoTime() + Punch.PUNCH_NS + TimeUnit.SECONDS.toNanos(5);
            while (events.asked.size() < PEERS - DirectPaths.PUNCHES_MAX) {
                assertTrue(System.nanoTime() - deadlineNs < 0, () -> "asked for " + events.asked);
                turn(transport, 20);
            }
            Set<Integer> waited = new TreeSet<>();
            for (int peer = DirectPaths.PUNCHES_MAX + 1; peer <= PEERS; peer++) {
                waited.add(peer);
            }
            assertEquals(waited, events.asked);
        } finally {
            transport.close();
            for (ServerSocket server : servers) {
                server.close();
            }
        }
    }
}
