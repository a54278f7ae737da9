package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.Hello;
import io.zipcomm.wire.SessionKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who gets a direct connection and who does not: strangers, liars, silent ones, and peers that one side cannot reach. */
@Tag("once")
final class DirectHandshakeTest {

    private static final int EPOCH = 3;
    private static final SessionKey KEY = new SessionKey(new byte[SessionKey.BYTES]);
    private static final byte[] NONCE = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    private static final int STRANGERS_MAX = 256;
    private static final int CLAIMS_MAX = 32;

    /** Two ranks of one host, one of which may have published an address at which nobody listens. */
    private final TcpTransport[] transports = new TcpTransport[2];

    private final Candidate[] addresses = new Candidate[2];
    private final Path[] opened = new Path[2];
    private final String[] unreachable = new String[2];
    private final List<Socket> sockets = new ArrayList<>();

    private void start(String io, int deaf) throws IOException {
        for (int rank = 0; rank < 2; rank++) {
            transports[rank] = new TcpTransport(ZipSettings.builder()
                    .session("s")
                    .size(2)
                    .rank(rank)
                    .set(Setting.IO, io)
                    .build());
            addresses[rank] = transports[rank].candidates().get(0);
            assertEquals(Candidate.Kind.LOOPBACK, addresses[rank].kind());
        }
        List<Member> members = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            Candidate address = rank == deaf
                    ? new Candidate(Candidate.Kind.LOOPBACK, "tcp", "127.0.0.1", deadPort())
                    : addresses[rank];
            members.add(new Member(rank, "this host", List.of(address), List.of("tcp")));
        }
        for (int rank = 0; rank < 2; rank++) {
            transports[rank].start(new GroupView("s", EPOCH, rank, members, KEY, 1 << 20, 1 << 16), events(rank));
        }
    }

    private static int deadPort() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return server.getLocalPort();
        }
    }

    private PathEvents events(int rank) {
        return new PathEvents() {
            @Override
            public void opened(Path path) {
                assertNull(opened[rank], "two connections to rank " + path.peer());
                opened[rank] = path;
            }

            @Override
            public void unreachable(int peer, String reason) {
                unreachable[rank] = reason;
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
    }

    @AfterEach
    void close() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
        for (TcpTransport transport : transports) {
            transport.close();
        }
    }

    private void turnUntil(long limitMs, BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + limitMs * 1_000_000;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "not within " + limitMs + " ms");
            for (TcpTransport transport : transports) {
                transport.await(1_000_000, () -> false);
            }
        }
    }

    private Socket stranger(int rank) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(addresses[rank].host(), addresses[rank].port()), 1000);
        socket.setSoTimeout(1);
        sockets.add(socket);
        return socket;
    }

    /** Whether the other end closed; an answer of even one byte fails the test. */
    private static boolean isEnded(Socket socket) {
        try {
            int answer = socket.getInputStream().read();
            assertEquals(-1, answer, "an answer to a stranger");
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            // Reset.
            return true;
        }
    }

    private void assertThatTheyStillConnect() {
        transports[0].connect(1);
        turnUntil(5000, () -> opened[0] != null && opened[1] != null);
    }

    /** OPEN of rank 1 to rank 0, as rank 1 itself would send it but for what the caller changes. */
    private static ByteBuffer open(SessionKey key, int source, int initiator) {
        ByteBuffer frame = Frame.allocate(Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES);
        Frame.begin(frame, 0, FrameType.HELLO);
        Frame.flags(frame, 0, Hello.OPEN);
        Frame.payloadBytes(frame, 0, Hello.PAYLOAD_BYTES);
        Frame.epoch(frame, 0, EPOCH);
        Frame.source(frame, 0, source);
        Frame.destination(frame, 0, 0);
        byte[] code = Hello.code(key, Hello.OPEN, EPOCH, initiator, 0, NONCE, null);
        Hello.write(frame, Frame.HEADER_BYTES, NONCE, code);
        return frame;
    }

    private static byte[] bytes(ByteBuffer frame) {
        byte[] bytes = new byte[frame.capacity()];
        frame.get(0, bytes);
        return bytes;
    }

    private void assertDropped(byte[] bytes) throws IOException {
        Socket stranger = stranger(0);
        stranger.getOutputStream().write(bytes);
        turnUntil(2000, () -> isEnded(stranger));
        assertNull(opened[0]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldAnswerNothingToStrangers(String io) throws IOException {
        start(io, -1);
        assertDropped("GET / HTTP/1.1\r\nHost: somebody.example\r\nUser-Agent: a scanner of ports\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII));
        byte[] wrong = new byte[SessionKey.BYTES];
        wrong[31] = 1;
        assertDropped(bytes(open(new SessionKey(wrong), 1, 1)));
        assertDropped(bytes(open(KEY, 0, 0)));
        assertDropped(bytes(open(KEY, 7, 7)));
        assertDropped(bytes(open(KEY, 1, 0)));
        assertThatTheyStillConnect();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldRefuseOtherEpochsStepsAndVersions(String io) throws IOException {
        start(io, -1);
        ByteBuffer stale = open(KEY, 1, 1);
        Frame.epoch(stale, 0, EPOCH - 1);
        assertDropped(bytes(stale));
        ByteBuffer confirm = open(KEY, 1, 1);
        Frame.flags(confirm, 0, Hello.CONFIRM);
        assertDropped(bytes(confirm));
        ByteBuffer newer = open(KEY, 1, 1);
        newer.put(Frame.HEADER_BYTES + Hello.VERSION_MIN_OFFSET, (byte) (Frame.VERSION + 1));
        newer.put(Frame.HEADER_BYTES + Hello.VERSION_MAX_OFFSET, (byte) (Frame.VERSION + 2));
        assertDropped(bytes(newer));
        assertThatTheyStillConnect();
    }

    /** Who has heard an OPEN go by and plays it again gets an answer that is of no use to it. */
    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldOpenNothingForAnOpenThatIsPlayedAgain(String io) throws IOException {
        start(io, -1);
        Socket stranger = stranger(0);
        stranger.getOutputStream().write(bytes(open(KEY, 1, 1)));
        ByteBuffer confirm = open(KEY, 1, 1);
        Frame.flags(confirm, 0, Hello.CONFIRM);
        stranger.getOutputStream().write(bytes(confirm));
        byte[] answer = new byte[Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES];
        int[] have = {0};
        turnUntil(2000, () -> {
            try {
                have[0] += Math.max(0, stranger.getInputStream().read(answer, have[0], answer.length - have[0]));
            } catch (SocketTimeoutException e) {
                return false;
            } catch (IOException e) {
                return true;
            }
            return have[0] == answer.length;
        });
        turnUntil(2000, () -> isEnded(stranger));
        assertNull(opened[0]);
        assertThatTheyStillConnect();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldEndSilentStrangersAndLimitTheirNumber(String io) throws IOException {
        start(io, -1);
        List<Socket> silent = new ArrayList<>();
        for (int i = 0; i < STRANGERS_MAX; i++) {
            silent.add(stranger(0));
            if (i % 32 == 0) {
                transports[0].poll();
            }
        }
        turnUntil(500, () -> transports[0].poll() == 0);
        assertFalse(isEnded(silent.get(0)));
        Socket surplus = stranger(0);
        turnUntil(2000, () -> isEnded(silent.get(0)));
        assertFalse(isEnded(silent.get(1)));
        assertFalse(isEnded(surplus));
        silent.add(surplus);
        turnUntil(4500, () -> silent.stream().allMatch(DirectHandshakeTest::isEnded));
        assertThatTheyStillConnect();
    }

    /** An OPEN that was heard on its way is good for one connection, though it proves that the peer once said it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void shouldTakeAnOpenOnce(int rank) throws IOException {
        start("epoll", -1);
        byte[] open = bytes(hello(Hello.OPEN, 1 - rank, rank, 1 - rank, NONCE, NONCE, null));
        Socket first = stranger(rank);
        first.getOutputStream().write(open);
        turnUntil(2000, () -> hasAnswer(first));
        for (int i = 0; i < 2 * CLAIMS_MAX; i++) {
            Socket replayed = stranger(rank);
            replayed.getOutputStream().write(open);
            turnUntil(2000, () -> isEnded(replayed));
        }
        first.close();
        assertThatTheyStillConnect();
    }

    private static boolean hasAnswer(Socket socket) {
        try {
            return socket.getInputStream().available() > 0;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Somebody who holds back many OPENs plays them all: each is good for an answer, but only so many wait at a time. */
    @Test
    void shouldLimitTheConnectionsThatAProofIsGoodFor() throws IOException {
        start("epoll", -1);
        List<Socket> replayed = new ArrayList<>();
        for (int i = 0; i < 2 * CLAIMS_MAX; i++) {
            byte[] nonce = NONCE.clone();
            nonce[0] = (byte) (100 + i);
            Socket socket = stranger(0);
            socket.getOutputStream().write(bytes(hello(Hello.OPEN, 1, 0, 1, nonce, nonce, null)));
            replayed.add(socket);
            transports[0].poll();
        }
        List<Socket> ended = new ArrayList<>();
        turnUntil(2000, () -> {
            replayed.stream().filter(one -> !ended.contains(one) && isOver(one)).forEach(ended::add);
            return ended.size() == CLAIMS_MAX;
        });
        turnUntil(4500, () -> replayed.stream().allMatch(DirectHandshakeTest::isOver));
        assertNull(opened[0]);
        assertThatTheyStillConnect();
    }

    /** Whether the other end closed, with or without an answer before. */
    private static boolean isOver(Socket socket) {
        try {
            return socket.getInputStream().read(new byte[Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES]) < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            // Reset.
            return true;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void shouldConnectThoughOnlyOneSideReachesTheOther(int deaf) throws IOException {
        start("epoll", deaf);
        transports[0].connect(1);
        transports[1].connect(0);
        turnUntil(6000, () -> opened[0] != null && opened[1] != null);
        assertEquals(1 - deaf, opened[deaf].peer());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void shouldSayWhatWasTriedAndStillTakeThePeersConnection(int deaf) throws IOException {
        start("epoll", deaf);
        int caller = 1 - deaf;
        transports[caller].connect(deaf);
        turnUntil(6000, () -> unreachable[caller] != null);
        assertTrue(unreachable[caller].contains("127.0.0.1:"), unreachable[caller]);
        assertTrue(unreachable[caller].toLowerCase(Locale.ROOT).contains("refused"), unreachable[caller]);
        transports[deaf].connect(caller);
        turnUntil(6000, () -> opened[0] != null && opened[1] != null);
        assertNotNull(opened[caller]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldOpenOneConnectionThoughBothBegin(String io) throws IOException {
        start(io, -1);
        transports[0].connect(1);
        transports[1].connect(0);
        turnUntil(5000, () -> opened[0] != null && opened[1] != null);
        long quietNs = System.nanoTime() + 50_000_000;
        turnUntil(1000, () -> System.nanoTime() - quietNs > 0);
        assertNull(unreachable[0]);
        assertNull(unreachable[1]);
    }

    /** One frame of the handshake. */
    private static ByteBuffer hello(
            int step, int from, int to, int initiator, byte[] opened, byte[] own, byte[] answered) {
        ByteBuffer frame = Frame.allocate(Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES);
        Frame.begin(frame, 0, FrameType.HELLO);
        Frame.flags(frame, 0, step);
        Frame.payloadBytes(frame, 0, Hello.PAYLOAD_BYTES);
        Frame.epoch(frame, 0, EPOCH);
        Frame.source(frame, 0, from);
        Frame.destination(frame, 0, to);
        byte[] code = Hello.code(KEY, step, EPOCH, initiator, initiator == from ? to : from, opened, answered);
        Hello.write(frame, Frame.HEADER_BYTES, own, code);
        return frame;
    }

    private ByteBuffer read(Socket socket) throws IOException {
        ByteBuffer frame = Frame.allocate(Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES);
        byte[] bytes = new byte[frame.capacity()];
        int[] have = {0};
        socket.setSoTimeout(1);
        turnUntil(2000, () -> {
            try {
                have[0] += Math.max(0, socket.getInputStream().read(bytes, have[0], bytes.length - have[0]));
            } catch (SocketTimeoutException e) {
                return false;
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            return have[0] == bytes.length;
        });
        frame.put(0, bytes);
        return frame;
    }

    /** Starts one rank whose peer is this test, at an address of its own, and takes the connection that it opens. */
    private Socket peerOf(int rank) throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            for (int one = 0; one < 2; one++) {
                transports[one] = new TcpTransport(
                        ZipSettings.builder().session("s").size(2).rank(one).build());
                addresses[one] = transports[one].candidates().get(0);
            }
            List<Member> members = new ArrayList<>();
            for (int one = 0; one < 2; one++) {
                Candidate address = one == rank
                        ? addresses[one]
                        : new Candidate(Candidate.Kind.LOOPBACK, "tcp", "127.0.0.1", server.getLocalPort());
                members.add(new Member(one, "this host", List.of(address), List.of("tcp")));
            }
            transports[rank].start(new GroupView("s", EPOCH, rank, members, KEY, 1 << 20, 1 << 16), events(rank));
            transports[rank].connect(1 - rank);
            Socket socket = server.accept();
            sockets.add(socket);
            return socket;
        }
    }

    /** A connection that both ends have opened at once has an OPEN from each: that of the lower rank counts. */
    @Test
    void shouldLetTheLowerRankLeadAConnectionThatBothOpened() throws IOException {
        Socket peer = peerOf(0);
        byte[] nonce = Hello.nonce(read(peer), Frame.HEADER_BYTES);
        peer.getOutputStream().write(bytes(hello(Hello.OPEN, 1, 0, 1, NONCE, NONCE, null)));
        peer.getOutputStream().write(bytes(hello(Hello.ANSWER, 1, 0, 0, nonce, NONCE, NONCE)));
        ByteBuffer confirm = read(peer);
        assertEquals(Hello.CONFIRM, Frame.flags(confirm, 0));
        assertEquals(1, opened[0].peer());
    }

    @Test
    void shouldFollowTheLowerRankOnAConnectionThatBothOpened() throws IOException {
        Socket peer = peerOf(1);
        read(peer);
        peer.getOutputStream().write(bytes(hello(Hello.OPEN, 0, 1, 0, NONCE, NONCE, null)));
        ByteBuffer answer = read(peer);
        assertEquals(Hello.ANSWER, Frame.flags(answer, 0));
        assertNull(opened[1]);
        byte[] nonce = Hello.nonce(answer, Frame.HEADER_BYTES);
        peer.getOutputStream().write(bytes(hello(Hello.CONFIRM, 0, 1, 0, NONCE, NONCE, nonce)));
        turnUntil(2000, () -> opened[1] != null);
        assertEquals(0, opened[1].peer());
    }

    @Test
    void shouldNotFollowAnOpenWithoutProofOnAConnectionOfItsOwn() throws IOException {
        Socket peer = peerOf(1);
        read(peer);
        ByteBuffer forged = hello(Hello.OPEN, 0, 1, 0, NONCE, NONCE, null);
        forged.put(Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES - 1, (byte)
                ~forged.get(Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES - 1));
        peer.getOutputStream().write(bytes(forged));
        turnUntil(2000, () -> isEnded(peer));
        assertNull(opened[1]);
    }

    /** Ranks of two hosts behind one address, as the relay sees it; nobody listens at the addresses of their own. */
    private void startApart(String io) throws IOException {
        List<Member> members = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            transports[rank] = new TcpTransport(ZipSettings.builder()
                    .session("s")
                    .size(2)
                    .rank(rank)
                    .set(Setting.IO, io)
                    .build());
            int port = transports[rank].rendezvousPort();
            members.add(new Member(
                    rank,
                    "host " + rank,
                    List.of(
                            new Candidate(Candidate.Kind.PRIVATE, "tcp", "127.0.0.1", deadPort()),
                            new Candidate(Candidate.Kind.OBSERVED, "tcp", "127.0.0.1", port)),
                    List.of("tcp")));
        }
        for (int rank = 0; rank < 2; rank++) {
            transports[rank].start(new GroupView("s", EPOCH, rank, members, KEY, 1 << 20, 1 << 16), events(rank));
        }
    }

    /** On one host the listener of one of them takes the other's connection, or both meet; one comes of it. */
    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldOpenOneConnectionWhenBothPunch(String io) throws IOException {
        startApart(io);
        long atNs = System.nanoTime() + 20_000_000;
        transports[0].punch(1, atNs, 1_000_000);
        transports[1].punch(0, atNs, 1_000_000);
        turnUntil(5000, () -> opened[0] != null && opened[1] != null);
        assertTrue(System.nanoTime() - atNs >= 0, "before its time");
        long quietNs = System.nanoTime() + 200_000_000;
        turnUntil(1000, () -> System.nanoTime() - quietNs > 0);
        assertFalse(transports[0].isConnecting());
        assertFalse(transports[1].isConnecting());
    }
}
