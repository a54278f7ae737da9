package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.wire.SessionKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A rank that asks for direct paths to many peers at once, whose addresses swallow every attempt, as behind NATs. */
@Tag("once")
@Timeout(60)
final class AttemptLimitTest {

    private static final int PEERS = 60;
    private static final int ADDRESSES = 3;

    /** Peers whose addresses there is room for at first. */
    private static final int FIRST = DirectPaths.ATTEMPTS_MAX / ADDRESSES;

    /** Time for two rounds of attempts and the last hope of the second. */
    private static final long ALL_NS = 3 * DirectPaths.ATTEMPT_NS + 5_000_000_000L;

    private static final List<java.nio.file.Path> CONNECTIONS =
            List.of(java.nio.file.Path.of("/proc/net/tcp"), java.nio.file.Path.of("/proc/net/tcp6"));

    /** State of a connection whose first packet is not answered. */
    private static final String SYN_SENT = "02";

    private static final int FILLED_AFTER_MS = 300;
    private static final int FILLERS_MAX = 10;

    /** Listens at all addresses of this host and has no room for further connections. */
    private ServerSocket full;

    private final List<Socket> fillers = new ArrayList<>();
    private final List<Integer> unreachable = new ArrayList<>();
    private final List<String> reasons = new ArrayList<>();

    private final PathEvents events = new PathEvents() {
        @Override
        public void opened(Path path) {
            throw new AssertionError("nobody is there");
        }

        @Override
        public void unreachable(int peer, String reason) {
            unreachable.add(peer);
            reasons.add(reason);
        }

        @Override
        public void punchWanted(int peer) {
            throw new AssertionError("nobody is behind a NAT here");
        }

        @Override
        public void relayLost(String reason) {
            throw new AssertionError(reason);
        }
    };

    @BeforeEach
    void fill() throws IOException {
        assumeTrue(Files.isReadable(CONNECTIONS.get(0)), "the system does not list connections");
        full = new ServerSocket(0, 1);
        boolean room = true;
        while (room) {
            assertTrue(fillers.size() < FILLERS_MAX, "the queue of the listening socket does not fill up");
            Socket filler = new Socket();
            fillers.add(filler);
            try {
                filler.connect(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), full.getLocalPort()), FILLED_AFTER_MS);
            } catch (SocketTimeoutException e) {
                room = false;
            }
        }
    }

    @AfterEach
    void empty() throws IOException {
        for (Socket filler : fillers) {
            filler.close();
        }
        if (full != null) {
            full.close();
        }
    }

    private GroupView group() {
        List<Member> members = new ArrayList<>();
        members.add(new Member(0, "host", List.of(), List.of("tcp")));
        for (int peer = 1; peer <= PEERS; peer++) {
            List<Candidate> addresses = new ArrayList<>();
            for (int i = 1; i <= ADDRESSES; i++) {
                addresses.add(new Candidate(Candidate.Kind.PRIVATE, "tcp", "127.0.0." + i, full.getLocalPort()));
            }
            members.add(new Member(peer, "host " + peer, addresses, List.of("tcp")));
        }
        return new GroupView("s", 3, 0, members, new SessionKey(new byte[SessionKey.BYTES]), 1 << 20, 1 << 16);
    }

    /** Connections to the full socket that wait for an answer, as the system counts them. */
    private int attempts() throws IOException {
        String remote = String.format(Locale.ROOT, ":%04X", full.getLocalPort());
        int count = 0;
        for (java.nio.file.Path list : CONNECTIONS) {
            if (Files.isReadable(list)) {
                for (String line : Files.readAllLines(list)) {
                    // Number, local address, remote address, state.
                    String[] fields = line.trim().split("\\s+", -1);
                    count += fields[2].endsWith(remote) && fields[3].equals(SYN_SENT) ? 1 : 0;
                }
            }
        }
        return count;
    }

    @Test
    void shouldOpenSoManyAndNoMoreAndComeToAllInTurn() throws IOException {
        TcpTransport transport = new TcpTransport(
                ZipSettings.builder().session("s").size(PEERS + 1).rank(0).build());
        try {
            transport.start(group(), events);
            for (int peer = 1; peer <= PEERS; peer++) {
                transport.connect(peer);
            }
            assertEquals(FIRST * ADDRESSES, attempts());
            long deadlineNs = System.nanoTime() + ALL_NS;
            while (unreachable.size() < PEERS) {
                assertTrue(System.nanoTime() - deadlineNs < 0, () -> "given up: " + unreachable);
                transport.await(20_000_000, () -> false);
                int attempts = attempts();
                assertTrue(attempts <= DirectPaths.ATTEMPTS_MAX, () -> attempts + " at once");
            }
        } finally {
            transport.close();
        }
        Set<Integer> first = new HashSet<>(unreachable.subList(0, FIRST));
        for (int peer = 1; peer <= FIRST; peer++) {
            assertTrue(first.contains(peer), () -> "not in turn: " + unreachable);
        }
        for (String reason : reasons) {
            assertEquals(ADDRESSES, reason.split("no answer in", -1).length - 1, reason);
        }
    }
}
