package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.PooledByteBufAllocator;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.testkit.TestCertificates;
import io.zipcomm.wire.proto.Join;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * The relay that is abused: tokens of both kinds, TLS and frames in the clear on its one port, one event loop for everything,
 * and a session that is served whatever happens. What a test opens here is closed after it, and then the relay holds that
 * session and nothing else.
 */
final class AbuseRelay implements AutoCloseable {

    static final int HANDSHAKE_TIMEOUT_MS = 1500;
    static final int HEARTBEAT_TIMEOUT_MS = 5000;
    private static final String HEALTHY = "healthy";
    private static final int HEALTHY_SIZE = 4;

    final RelayServer relay;
    final InetSocketAddress at;

    /** Signs tokens, as the relay's key. */
    final RelaySecret secret = RelaySecret.random();

    /** Signs tokens that the relay checks with the public half. */
    final TokenKey pair;

    final Path publicKey;
    final SSLSocketFactory tls;
    private final Path certificate;
    private final Path certificateKey;
    private final HealthySession healthy;
    private final List<AutoCloseable> opened = new ArrayList<>();

    AbuseRelay(Path folder) throws IOException, GeneralSecurityException {
        TestCertificates authority = new TestCertificates(folder);
        TestCertificates.Pair own = authority.local("relay");
        certificate = own.certificate();
        certificateKey = own.key();
        tls = trusting(authority.authority());
        List<Path> files = TokenKeyFiles.generate(TokenKey.Algorithm.EDDSA, folder.resolve("signer.pem"));
        pair = TokenKey.read(files.get(0));
        publicKey = files.get(1);
        relay = RelayServer.start(settings().build());
        at = relay.address();
        // Half of it in TLS; nobody else gets its token.
        List<TestRank> ranks = new ArrayList<>();
        for (int rank = 0; rank < HEALTHY_SIZE; rank++) {
            IntFunction<RawConnection> dial =
                    rank % 2 == 0 ? receive -> new RawConnection(at, receive) : receive -> tls(receive);
            TokenKey signer = rank < HEALTHY_SIZE / 2 ? pair : TokenKey.of(secret);
            String token = RelayTokens.mint(signer, TokenRequest.forSession(HEALTHY));
            Join.Builder join = TestRank.join(HEALTHY, HEALTHY_SIZE, rank).setToken(token);
            ranks.add(new TestRank(dial, HEALTHY).ask(join).awaitAdmitted().attach());
        }
        ranks.forEach(TestRank::awaitReady);
        healthy = new HealthySession(ranks);
    }

    private static SSLSocketFactory trusting(Path authority) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (var file = Files.newInputStream(authority)) {
            trusted.setCertificateEntry(
                    "authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context.getSocketFactory();
    }

    private RelaySettings.Builder settings() {
        return RelaySettings.builder()
                .listen("127.0.0.1:0")
                .secret(secret)
                .set(RelayOption.KEYS, publicKey.toString())
                .set(RelayOption.TLS_CERT, certificate.toString())
                .set(RelayOption.TLS_KEY, certificateKey.toString())
                .set(RelayOption.TLS_REQUIRED, "false")
                .heartbeat(Duration.ofMillis(500), Duration.ofMillis(HEARTBEAT_TIMEOUT_MS))
                // There is one group after the other, each of which has to be over before the next.
                .set(RelayOption.RESUME_GRACE, "0")
                .set(RelayOption.HANDSHAKE_TIMEOUT, Integer.toString(HANDSHAKE_TIMEOUT_MS))
                // All come from one address here, and faster than from any network.
                .set(RelayOption.ADDRESS_HANDSHAKES_PER_SECOND, "1000000")
                .set(RelayOption.MEMORY, Integer.toString(8 << 20));
    }

    /** The relay's settings, and one more. */
    RelaySettings.Builder with(RelayOption option, long value) {
        return settings().set(option, Long.toString(value));
    }

    /** Sets one limit for what comes next. */
    void limit(RelayOption option, long value) {
        relay.reload(with(option, value).build());
    }

    long reached(RelayOption option) {
        return relay.stats().limitsReached().getOrDefault(option, 0L);
    }

    /** Such a reason names the option, and the operator sees it in a metric. */
    void expectLimit(RelayOption option, String reason) {
        assertTrue(reason.endsWith(" (" + option.key() + ")"), reason);
        assertTrue(reached(option) > 0, option.key());
    }

    String token(String session) {
        return RelayTokens.mint(pair, TokenRequest.forSession(session));
    }

    /** What a rank with a token for the session says. */
    Join.Builder join(String session, int size, int rank) {
        return TestRank.join(session, size, rank).setToken(token(session));
    }

    <T extends AutoCloseable> T opened(T one) {
        opened.add(one);
        return one;
    }

    RawConnection connect() {
        return opened(new RawConnection(at));
    }

    /** From another address of this machine. */
    RawConnection connectFrom(String address) {
        try {
            Socket socket = new Socket();
            socket.bind(new InetSocketAddress(address, 0));
            return opened(new RawConnection(socket, at, 0, null));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A WebSocket in which nothing has been said. */
    RawConnection webSocket() throws IOException {
        RawConnection socket = connect();
        socket.write(FloodAbuse.UPGRADE);
        awaitWebSocket(socket);
        return socket;
    }

    /** It was asked for; reads the answer and nothing behind it. */
    static void awaitWebSocket(RawConnection socket) throws IOException {
        String answer = "";
        while (!answer.endsWith("\r\n\r\n")) {
            answer += (char) socket.socket.getInputStream().read();
        }
        assertTrue(answer.startsWith("HTTP/1.1 101"), answer);
    }

    RawConnection connectTls() {
        return opened(tls(0));
    }

    private RawConnection tls(int receiveBytes) {
        return new RawConnection(new Socket(), at, receiveBytes, tls);
    }

    TestRank asking(Join.Builder join) {
        return opened(TestRank.asking(at, join));
    }

    TestRank attached(Join.Builder join) {
        return asking(join).awaitAdmitted().attach();
    }

    /** A complete group. */
    List<TestRank> group(String session, int size) {
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            group.add(attached(join(session, size, rank)));
        }
        group.forEach(TestRank::awaitReady);
        return group;
    }

    /** Says this first, and is refused. */
    void expectRefusal(byte[] first, ErrorCode code, String reason) {
        RawConnection stranger = connect();
        stranger.write(first);
        String told = stranger.expectRefusal(code);
        assertTrue(told.contains(reason), told);
    }

    void awaitNoOtherSession() {
        Await.until("other sessions are gone", () -> relay.stats().sessions() == 1);
    }

    /** Ends every connection that a test has opened. */
    void closeAll() {
        try {
            for (AutoCloseable one : opened) {
                one.close();
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        opened.clear();
    }

    /** Ends what a test has begun. Only the healthy session is left, and it never waited for longer than it may. */
    void settle(String after) throws Exception {
        closeAll();
        relay.reload(settings().build());
        Duration worst = healthy.served();
        System.out.printf("abuse: %-60s worst round %d ms%n", after, worst.toMillis());
        assertTrue(worst.compareTo(HealthySession.ROUND_MAX) <= 0, () -> "a round took " + worst);
        awaitNoOtherSession();
        Await.until("handshakes are over", () -> relay.stats().handshakes() == 0);
        Await.until("nobody is being turned away", () -> relay.stats().surplus() == 0);
        Await.until("connections are gone", () -> relay.stats().connections() == 2 * healthy.size());
        Await.until("nothing waits", () -> relay.stats().bytesWaiting() == 0);
        Await.until("nothing waits for control connections", () -> relay.stats().controlBytesWaiting() == 0);
        Await.until("memory is free", () -> relay.stats().waitingMemory() == 0);
        RelayStats now = relay.stats();
        assertEquals(healthy.size(), now.ranks());
        assertEquals(0, now.hubOperationsOpen());
        assertEquals(0, now.defects(), "defects in the relay: see the log");
    }

    /** Ends the healthy session, and then the relay, in which nothing is left. */
    @Override
    public void close() {
        long left = relay.stats().membersLeft();
        healthy.close();
        System.out.printf("abuse: the healthy session did %d rounds%n", healthy.rounds());
        Await.until("no connection is left", () -> relay.stats().connections() == 0);
        // What served them hears of their end a moment later.
        Await.until("no session is left", () -> relay.stats().sessions() == 0);
        RelayStats last = relay.stats();
        assertEquals(0, last.ranks());
        assertEquals(0, last.handshakes());
        assertEquals(0, last.surplus());
        assertEquals(0, last.bytesWaiting());
        assertEquals(0, last.waitingMemory());
        assertEquals(0, last.bytesUnderWay());
        assertEquals(0, last.controlBytesWaiting());
        assertEquals(0, last.hubOperationsOpen());
        assertEquals(0, last.defects());
        assertEquals(left + healthy.size(), last.membersLeft());
        relay.close();
    }

    /** Direct memory that the process' buffers hold. */
    static long directBytes() {
        return PooledByteBufAllocator.DEFAULT.pinnedDirectMemory();
    }

    /** Buffers that the process has from the pool. Event loops keep some, so compare what is before and after them. */
    static long buffersInUse() {
        return PooledByteBufAllocator.DEFAULT.metric().directArenas().stream()
                .mapToLong(arena -> arena.numActiveAllocations())
                .sum();
    }
}
