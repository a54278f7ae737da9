package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.ConnectProxy;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.TestCertificates;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that get through to their relay in every way there is, or are told why not. */
@Timeout(60)
@Tag("once")
final class RelayAccessTest {

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    Path folder;

    private TestCertificates certificates;

    @BeforeEach
    void foundAuthority() {
        certificates = new TestCertificates(folder);
    }

    private static ZipSettings.Builder settings(String relay, int size) {
        return ZipSettings.builder()
                .relay(relay)
                .session("s")
                .size(size)
                .transport(TransportChoice.RELAY)
                .joinTimeout(Duration.ofSeconds(10))
                .operationTimeout(Duration.ofSeconds(10));
    }

    private ZipSettings.Builder trusting(String relay, int size) {
        return settings(relay, size)
                .set(Setting.RELAY_CA, certificates.authority().toString());
    }

    private RelayServer relay(TestCertificates.Pair own) {
        return RelayServer.start(options(own).build());
    }

    private static RelaySettings.Builder options(TestCertificates.Pair own) {
        return RelaySettings.builder()
                .listen("127.0.0.1:0")
                .insecure(true)
                .set(RelayOption.TLS_CERT, own.certificate().toString())
                .set(RelayOption.TLS_KEY, own.key().toString());
    }

    private static String at(String scheme, RelayServer relay) {
        return scheme + "://127.0.0.1:" + relay.address().getPort();
    }

    private static ZipException refusal(ZipSettings.Builder settings) {
        try (Communicator joined = Zip.join(settings.build())) {
            throw new AssertionError("joined as rank " + joined.rank());
        } catch (ZipException e) {
            return e;
        }
    }

    private static void assertRefused(ZipSettings.Builder settings, ErrorCode code, String... parts) {
        ZipException failure = refusal(settings);
        assertEquals(code, failure.code(), failure.getMessage());
        for (String part : parts) {
            assertTrue(failure.getMessage().contains(part), failure.getMessage());
        }
    }

    /** Short and long messages both ways at once, more than sockets and layers keep. */
    private static void exchange(List<Communicator> group) throws Exception {
        Threads.each(2, rank -> {
            Communicator world = group.get(rank);
            for (int count : new int[] {1, 1000, 20_000, 2_000_000}) {
                int[] mine = new int[count];
                java.util.Arrays.setAll(mine, i -> i * 31 + rank);
                int[] theirs = new int[count];
                var sent = world.sendAsync(1 - rank, count, io.zipcomm.buffer.Payload.of(mine));
                world.receive(1 - rank, count, theirs);
                sent.await();
                for (int i = 0; i < count; i++) {
                    if (theirs[i] != i * 31 + 1 - rank) {
                        throw new AssertionError("element " + i + " of " + count + " is " + theirs[i]);
                    }
                }
            }
            return null;
        });
    }

    private static void close(List<Communicator> group) throws Exception {
        Threads.each(group.size(), rank -> {
            group.get(rank).close();
            return null;
        });
    }

    private static List<Communicator> pair(Way way, String io) throws Exception {
        return Threads.each(
                2,
                rank -> Zip.join(way.apply(settings("unused", 2))
                        .rank(rank)
                        .set(Setting.IO, io)
                        .build()));
    }

    @ParameterizedTest
    @EnumSource(Way.Kind.class)
    void shouldCarryMessagesOfEveryLength(Way.Kind kind) throws Exception {
        for (String io : List.of("epoll", "nio")) {
            try (Way way = Way.open(kind)) {
                List<Communicator> group = pair(way, io);
                exchange(group);
                close(group);
                if (way.proxy != null) {
                    assertEquals(
                            4, way.proxy.targets().size(), way.proxy.targets().toString());
                }
            }
        }
    }

    /** The connection moves to the event loop of its session when its first message has come, wrapped or not. */
    @ParameterizedTest
    @EnumSource(Way.Kind.class)
    void shouldServeSessionsOnSeveralThreads(Way.Kind kind) throws Exception {
        try (Way way = Way.open(kind, RelaySettings.builder().threads(3))) {
            for (int session = 0; session < 6; session++) {
                String name = "s" + session;
                List<Communicator> group = Threads.each(
                        2,
                        rank -> Zip.join(way.apply(settings("unused", 2))
                                .session(name)
                                .rank(rank)
                                .build()));
                Threads.each(2, rank -> {
                    int[] got = new int[1];
                    var sent = group.get(rank).sendAsync(1 - rank, 1, io.zipcomm.buffer.Payload.of(new int[] {rank}));
                    group.get(rank).receive(1 - rank, 1, got);
                    sent.await();
                    assertEquals(1 - rank, got[0]);
                    return null;
                });
                close(group);
            }
        }
    }

    @Test
    void shouldSayWhatIsWrongWithACertificate() {
        try (RelayServer expired = relay(certificates.expired("old"));
                RelayServer other = relay(certificates.forHost("other", "elsewhere.example"));
                RelayServer right = relay(certificates.local("right"))) {
            for (String scheme : List.of("zips", "wss")) {
                assertRefused(
                        trusting(at(scheme, expired), 1),
                        ErrorCode.RELAY_UNREACHABLE,
                        at(scheme, expired),
                        "TLS handshake",
                        "has expired");
                assertRefused(
                        trusting(at(scheme, other), 1),
                        ErrorCode.RELAY_UNREACHABLE,
                        "TLS handshake",
                        "for another name");
                assertRefused(
                        settings(at(scheme, right), 1),
                        ErrorCode.RELAY_UNREACHABLE,
                        "TLS handshake",
                        "authority that is not trusted",
                        "ZIP_RELAY_CA");
            }
        }
    }

    @Test
    void shouldSayThatOneSideSpeaksTlsAndTheOtherDoesNot() {
        try (RelayServer secure = relay(certificates.local("right"));
                RelayServer plain = RelayServer.start(RelaySettings.builder()
                        .listen("127.0.0.1:0")
                        .insecure(true)
                        .build())) {
            assertRefused(settings(at("zip", secure), 1), ErrorCode.BAD_SETTING, "wants TLS", "zips://");
            assertRefused(settings(at("ws", secure), 1), ErrorCode.RELAY_UNREACHABLE, "WebSocket handshake", "403");
            assertRefused(
                    trusting(at("zips", plain), 1), ErrorCode.RELAY_UNREACHABLE, "TLS handshake", "does not speak TLS");
        }
    }

    @Test
    void shouldAskForCertificatesOfRanks() throws Exception {
        TestCertificates strangers = new TestCertificates(Files.createDirectory(folder.resolve("strangers")));
        TestCertificates.Pair own = certificates.local("rank");
        TestCertificates.Pair foreign = strangers.local("stranger");
        RelaySettings.Builder options = options(certificates.local("right"))
                .set(RelayOption.TLS_CLIENT_CA, certificates.authority().toString());
        try (RelayServer relay = RelayServer.start(options.build())) {
            ZipException none = refusal(trusting(at("zips", relay), 1));
            assertTrue(none.getMessage().contains("ZIP_TLS_CERT"), none.getMessage());
            ZipException wrong = refusal(trusting(at("zips", relay), 1)
                    .set(Setting.TLS_CERT, foreign.certificate().toString())
                    .set(Setting.TLS_KEY, foreign.key().toString()));
            assertTrue(wrong.getMessage().contains("ZIP_TLS_CERT"), wrong.getMessage());
            Zip.join(trusting(at("wss", relay), 1)
                            .set(Setting.TLS_CERT, own.certificate().toString())
                            .set(Setting.TLS_KEY, own.key().toString())
                            .build())
                    .close();
        }
    }

    @Test
    void shouldTakeANewCertificateWithoutEndingASession() throws Exception {
        TestCertificates.Pair own = certificates.local("right");
        TestCertificates successors = new TestCertificates(Files.createDirectory(folder.resolve("new")));
        TestCertificates.Pair next = successors.local("next");
        try (RelayServer relay = relay(own)) {
            List<Communicator> group = Threads.each(
                    2,
                    rank -> Zip.join(trusting(at("zips", relay), 2).rank(rank).build()));
            Files.copy(next.certificate(), own.certificate(), StandardCopyOption.REPLACE_EXISTING);
            Files.copy(next.key(), own.key(), StandardCopyOption.REPLACE_EXISTING);
            relay.reloadCertificates();
            assertRefused(trusting(at("zips", relay), 1).session("later"), ErrorCode.RELAY_UNREACHABLE, "not trusted");
            Zip.join(settings(at("zips", relay), 1)
                            .session("later")
                            .set(Setting.RELAY_CA, successors.authority().toString())
                            .build())
                    .close();
            // One that cannot be used changes nothing.
            Files.writeString(own.key(), "nonsense");
            ZipException broken =
                    org.junit.jupiter.api.Assertions.assertThrows(ZipException.class, relay::reloadCertificates);
            assertTrue(broken.getMessage().contains("right.key"), broken.getMessage());
            Zip.join(settings(at("zips", relay), 1)
                            .session("latest")
                            .set(Setting.RELAY_CA, successors.authority().toString())
                            .build())
                    .close();
            exchange(group);
            close(group);
        }
    }

    @Test
    void shouldSayWhatTheProxySaid() {
        try (RelayServer relay = RelayServer.start(RelaySettings.builder()
                        .listen("127.0.0.1:0")
                        .insecure(true)
                        .build());
                ConnectProxy guarded = ConnectProxy.guarded("me:secret");
                ConnectProxy closed = ConnectProxy.answering("403 Forbidden");
                ConnectProxy silent = ConnectProxy.answering("")) {
            ZipSettings.Builder settings = settings(at("zip", relay), 1).joinTimeout(Duration.ofSeconds(1));
            String port = "127.0.0.1:" + guarded.port();
            assertRefused(
                    settings.set(Setting.PROXY, "http://" + port),
                    ErrorCode.RELAY_UNREACHABLE,
                    "proxy at " + port,
                    "407",
                    "wants user and password");
            ZipException wrong = refusal(settings.set(Setting.PROXY, "http://me:wrong@" + port));
            assertTrue(wrong.getMessage().contains("user and password are wrong"), wrong.getMessage());
            assertTrue(!wrong.getMessage().contains("me:"), wrong.getMessage());
            assertRefused(
                    settings.set(Setting.PROXY, "http://127.0.0.1:" + closed.port()),
                    ErrorCode.RELAY_UNREACHABLE,
                    "403",
                    "does not allow");
            assertRefused(
                    settings.set(Setting.PROXY, "http://127.0.0.1:" + silent.port()),
                    ErrorCode.RELAY_UNREACHABLE,
                    "proxy at",
                    "no answer in");
            // Not for this relay.
            Zip.join(settings.set(Setting.NO_PROXY, "example.net, 127.0.0.1").build())
                    .close();
        }
    }

    /** Answers whatever comes with the same bytes, and ends. */
    private static ServerSocket answering(String answer, boolean echoesKey) throws IOException {
        ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(() -> {
            while (!server.isClosed()) {
                try (Socket one = server.accept()) {
                    InputStream in = one.getInputStream();
                    byte[] some = new byte[4096];
                    int bytes = in.read(some);
                    String key = "";
                    if (echoesKey && bytes > 0) {
                        String text = new String(some, 0, bytes, StandardCharsets.ISO_8859_1);
                        key = text.replaceAll("(?s).*Sec-WebSocket-Key: (\\S+).*", "$1");
                    }
                    one.getOutputStream().write(answer.replace("KEY", key).getBytes(StandardCharsets.ISO_8859_1));
                } catch (IOException e) {
                    // The next one, or the end.
                }
            }
        });
        thread.setDaemon(true);
        thread.start();
        return server;
    }

    @Test
    void shouldRefuseAnAnswerThatDoesNotFitTheWebSocketsRequest() throws Exception {
        String switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
        for (String answer : List.of(
                switching + "Sec-WebSocket-Accept: KEY\r\n\r\n",
                switching + "\r\n",
                "HTTP/1.1 404 Not Found\r\n\r\n",
                "SSH-2.0-OpenSSH\r\n\r\n\r\n")) {
            try (ServerSocket server = answering(answer, true)) {
                ZipException failure = refusal(settings("ws://127.0.0.1:" + server.getLocalPort(), 1));
                assertEquals(ErrorCode.RELAY_UNREACHABLE, failure.code(), failure.getMessage());
                assertTrue(failure.getMessage().contains("WebSocket handshake"), failure.getMessage());
                assertTrue(failure.elapsedMs() < 5000, failure.getMessage());
            }
        }
    }

    @Test
    void shouldSurviveWhatIsNoTls() throws Exception {
        // An alert, half a record, and records that lie about their length.
        for (byte[] bytes : new byte[][] {
            {0x15, 3, 3, 0, 2, 2, 40}, {0x16, 3}, java.util.Arrays.copyOf(new byte[] {0x16, 3, 3, -1, -1}, 400)
        }) {
            String answer = new String(bytes, StandardCharsets.ISO_8859_1);
            try (ServerSocket server = answering(answer, false)) {
                ZipException failure = null;
                // Some are tried until the time is over, and a busy machine may need more of it to come as far as that.
                for (int seconds = 1; seconds <= 16 && !failedInTheHandshake(failure); seconds *= 2) {
                    failure = refusal(trusting("zips://127.0.0.1:" + server.getLocalPort(), 1)
                            .joinTimeout(Duration.ofSeconds(seconds)));
                }
                assertTrue(failedInTheHandshake(failure), failure.code() + ": " + failure.getMessage());
            }
        }
    }

    private static boolean failedInTheHandshake(ZipException failure) {
        return failure != null
                && failure.code() == ErrorCode.RELAY_UNREACHABLE
                && failure.getMessage().contains("TLS handshake");
    }

    @Test
    void shouldNotWaitLongerThanItsDeadlineForAHandshake() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            for (String scheme : List.of("zips", "ws", "wss")) {
                ZipException failure = refusal(trusting(scheme + "://127.0.0.1:" + silent.getLocalPort(), 1)
                        .joinTimeout(Duration.ofMillis(700)));
                assertEquals(ErrorCode.RELAY_UNREACHABLE, failure.code(), failure.getMessage());
                assertTrue(failure.getMessage().contains("handshake: no answer in"), failure.getMessage());
                assertTrue(failure.elapsedMs() < 5000, failure.getMessage());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldReachARelayByIpv6(String io) throws Exception {
        RelaySettings.Builder six =
                options(certificates.local("six")).listen("[::1]:0").set(RelayOption.TLS_REQUIRED, "false");
        try (RelayServer relay = RelayServer.start(six.build())) {
            for (String scheme : List.of("zip", "wss")) {
                Zip.join(trusting(scheme + "://[::1]:" + relay.address().getPort(), 1)
                                .set(Setting.IO, io)
                                .build())
                        .close();
            }
        }
    }

    /** The first address refuses, the second does not answer, the third is the relay's. */
    @ParameterizedTest
    @ValueSource(strings = {"EPOLL", "NIO"})
    void shouldTryAllAddressesOfAHost(String io) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                Poller poller = Poller.open(ZipSettings.IoChoice.valueOf(io))) {
            int port = server.getLocalPort();
            List<InetSocketAddress> addresses =
                    List.of(at(port, 127, 0, 0, 2), at(port, 192, 0, 2, 1), at(port, 127, 0, 0, 1));
            ZipSettings settings = settings("127.0.0.1:" + port, 1).build();
            long beganNs = System.nanoTime();
            AddressRace.Runner winner = AddressRace.connect(
                    poller,
                    settings.relay(),
                    addresses,
                    0,
                    beganNs + Duration.ofSeconds(10).toNanos());
            long tookMs = (System.nanoTime() - beganNs) / 1_000_000;
            assertEquals(at(port, 127, 0, 0, 1), winner.socket().remote());
            assertTrue(tookMs < 3000, "took " + tookMs + " ms");
            winner.socket().close();
        }
    }

    private static InetSocketAddress at(int port, int... address) throws IOException {
        byte[] bytes = new byte[address.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) address[i];
        }
        return new InetSocketAddress(InetAddress.getByAddress(bytes), port);
    }

    @Test
    void shouldTryBothKindsOfAddressesInTurn() throws Exception {
        InetSocketAddress a = at(1, 10, 0, 0, 1);
        InetSocketAddress b = at(1, 10, 0, 0, 2);
        InetSocketAddress c = at(1, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
        InetSocketAddress d = at(1, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3);
        assertEquals(List.of(a, c, b, d), AddressRace.inTurn(List.of(a, b, c, d)));
        assertEquals(List.of(c, a, b), AddressRace.inTurn(List.of(c, a, b)));
    }

    /** What is in between ends the connections without TLS' last word: they are opened again. */
    @Test
    void shouldTakeAConnectionThatIsCutOffForLost() throws Exception {
        try (RelayServer relay = relay(certificates.local("right"));
                ConnectProxy proxy = ConnectProxy.open()) {
            List<Communicator> group = Threads.each(
                    2,
                    rank -> Zip.join(trusting(at("wss", relay), 2)
                            .rank(rank)
                            .set(Setting.PROXY, "http://127.0.0.1:" + proxy.port())
                            .build()));
            exchange(group);
            proxy.cutOff();
            exchange(group);
            for (int rank = 0; rank < 2; rank++) {
                GroupCommunicator world = (GroupCommunicator) group.get(rank);
                assertEquals(1, world.progress().resumptions(1 - rank), "resumptions of rank " + rank);
            }
            close(group);
        }
    }
}
