package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.testkit.TestCertificates;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the relay's one port makes of whoever knocks. */
@Timeout(60)
final class DoorTest {

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @TempDir
    Path folder;

    private TestCertificates.Pair certificates;

    private static RelayFixture open() {
        return new RelayFixture(RelayFixture.insecure());
    }

    private RelayFixture guarded() {
        return guarded(RelayFixture.insecure());
    }

    private RelayFixture guarded(RelaySettings.Builder settings) {
        TestCertificates.Pair own = new TestCertificates(folder).local("relay");
        certificates = own;
        return new RelayFixture(
                settings.set(RelayOption.TLS_CERT, own.certificate().toString())
                        .set(RelayOption.TLS_KEY, own.key().toString()));
    }

    private static HttpResponse<String> get(RelayFixture fixture, String method, String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + fixture.at.getPort() + path))
                .version(HttpClient.Version.HTTP_1_1)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .timeout(PATIENCE)
                .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void shouldAnswerPlatformsThatAskWhetherItIsWell() throws Exception {
        try (RelayFixture fixture = open()) {
            for (String path : new String[] {"/", "/health", "/health?probe=1"}) {
                assertEquals(200, get(fixture, "GET", path).statusCode(), path);
                assertEquals(200, get(fixture, "HEAD", path).statusCode(), path);
            }
            HttpResponse<String> noUpgrade = get(fixture, "GET", "/zip");
            assertEquals(426, noUpgrade.statusCode());
            assertEquals("websocket", noUpgrade.headers().firstValue("upgrade").orElse(""));
            assertEquals(404, get(fixture, "GET", "/etc/passwd").statusCode());
        }
        // Also where the rest has to be in TLS.
        try (RelayFixture fixture = guarded()) {
            assertEquals(200, get(fixture, "GET", "/health").statusCode());
        }
    }

    /** With TLS 1.2 comes renegotiation: handshakes without end on a connection that counts as one. */
    @Test
    void shouldSpeakNoTlsThatAllowsSecondHandshake() throws Exception {
        try (RelayFixture fixture = guarded()) {
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
            authorities.load(null, null);
            try (InputStream certificate = Files.newInputStream(certificates.certificate())) {
                authorities.setCertificateEntry(
                        "relay", CertificateFactory.getInstance("X.509").generateCertificate(certificate));
            }
            trust.init(authorities);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            assertEquals("TLSv1.3", protocol(context, fixture, "TLSv1.3", "TLSv1.2"));
            assertThrows(SSLHandshakeException.class, () -> protocol(context, fixture, "TLSv1.2"));
        }
    }

    private static String protocol(SSLContext context, RelayFixture fixture, String... offered) throws IOException {
        try (SSLSocket socket =
                (SSLSocket) context.getSocketFactory().createSocket(fixture.at.getAddress(), fixture.at.getPort())) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.setEnabledProtocols(offered);
            socket.startHandshake();
            return socket.getSession().getProtocol();
        }
    }

    private static String raw(RelayFixture fixture, byte[] bytes) throws IOException {
        try (Socket socket = new Socket(fixture.at.getAddress(), fixture.at.getPort())) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.getOutputStream().write(bytes);
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            byte[] some = new byte[4096];
            try {
                for (int count = socket.getInputStream().read(some); count >= 0; ) {
                    answer.write(some, 0, count);
                    count = socket.getInputStream().read(some);
                }
            } catch (java.net.SocketException e) {
                // A reset is an end too.
            }
            return answer.toString(StandardCharsets.ISO_8859_1);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] upgrade(int version) {
        return ascii(String.join(
                "\r\n",
                "GET /zip HTTP/1.1",
                "Host: a",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Version: " + version,
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                "",
                ""));
    }

    @Test
    void shouldRefuseRequestsThatAreTooLongOrNone() throws Exception {
        try (RelayFixture fixture = open()) {
            assertTrue(raw(fixture, ascii("GET /" + "x".repeat(5000) + " HTTP/1.1\r\n\r\n"))
                    .startsWith("HTTP/1.1 400"));
            assertTrue(raw(fixture, ascii("GET / HTTP/1.1\r\nA: " + "x".repeat(10_000) + "\r\n\r\n"))
                    .startsWith("HTTP/1.1 400"));
            assertTrue(raw(fixture, upgrade(7)).contains(" 426 "));
        }
    }

    @Test
    void shouldEndARequestThatDoesNotEnd() throws Exception {
        try (RelayFixture fixture =
                new RelayFixture(RelayFixture.insecure().set(RelayOption.HANDSHAKE_TIMEOUT, "300"))) {
            assertEquals("", raw(fixture, ascii("GET / HT")));
            assertEquals(1, fixture.relay.stats().refusals().get(ErrorCode.LIMIT));
        }
    }

    private static final class Listener implements WebSocket.Listener {
        private final CompletableFuture<Integer> closed = new CompletableFuture<>();
        private final CompletableFuture<String> pong = new CompletableFuture<>();

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            closed.complete(code);
            return null;
        }

        @Override
        public CompletionStage<?> onPong(WebSocket socket, ByteBuffer message) {
            pong.complete(StandardCharsets.US_ASCII.decode(message).toString());
            socket.request(1);
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            closed.completeExceptionally(error);
        }
    }

    private static WebSocket connect(RelayFixture fixture, Listener listener) throws Exception {
        return HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .connectTimeout(PATIENCE)
                .buildAsync(URI.create("ws://127.0.0.1:" + fixture.at.getPort() + "/zip"), listener)
                .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** By another implementation of WebSockets than the library's own. */
    @Test
    void shouldServeTheWebSocketOfAStranger() throws Exception {
        try (RelayFixture fixture = open()) {
            Listener listener = new Listener();
            WebSocket socket = connect(fixture, listener);
            socket.sendPing(ByteBuffer.wrap(ascii("are you there"))).get(10, TimeUnit.SECONDS);
            assertEquals("are you there", listener.pong.get(10, TimeUnit.SECONDS));
            byte[] join = RawConnection.controlFrame(TestRank.message(TestRank.join("s", 2, 0)));
            // In two messages of two fragments each.
            for (int half = 0; half < 2; half++) {
                int from = half * 40;
                int to = half == 0 ? 40 : join.length;
                socket.sendBinary(ByteBuffer.wrap(join, from, 10), false).get(10, TimeUnit.SECONDS);
                socket.sendBinary(ByteBuffer.wrap(join, from + 10, to - from - 10), true)
                        .get(10, TimeUnit.SECONDS);
            }
            Await.until("the rank is there", () -> fixture.relay.stats().ranks() == 1);
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(10, TimeUnit.SECONDS);
            Await.until("the rank is gone", () -> fixture.relay.stats().ranks() == 0);
        }
    }

    @Test
    void shouldEndAWebSocketThatBreaksTheRules() throws Exception {
        try (RelayFixture fixture = open()) {
            Listener text = new Listener();
            connect(fixture, text).sendText("hello", true).get(10, TimeUnit.SECONDS);
            assertEquals(1003, text.closed.get(10, TimeUnit.SECONDS));
            Listener large = new Listener();
            CompletableFuture<WebSocket> sent = connect(fixture, large).sendBinary(ByteBuffer.allocate(70_000), true);
            assertEquals(1009, large.closed.get(10, TimeUnit.SECONDS));
            sent.cancel(false);
        }
    }

    /** Its system would answer what still comes with a reset, and who only writes would read no reason. */
    @Test
    void shouldTakeInWhatFollowsAfterItEndedAWebSocket() throws Exception {
        try (RelayFixture fixture = open();
                Socket socket = new Socket(fixture.at.getAddress(), fixture.at.getPort())) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.getOutputStream().write(upgrade(13));
            String answer = "";
            while (!answer.endsWith("\r\n\r\n")) {
                answer += (char) socket.getInputStream().read();
            }
            ByteBuffer header = ByteBuffer.allocate(14);
            header.put((byte) 0x82).put((byte) 0xFF).putLong(400_000).putInt(0);
            socket.getOutputStream().write(header.array());
            byte[] close = socket.getInputStream().readNBytes(2);
            assertEquals((byte) 0x88, close[0]);
            byte[] reason = socket.getInputStream().readNBytes(close[1]);
            assertEquals(1009, ByteBuffer.wrap(reason).getShort());
            for (int i = 0; i < 4; i++) {
                socket.getOutputStream().write(new byte[100_000]);
            }
            assertEquals(-1, socket.getInputStream().read());
        }
    }

    /** Behind a good beginning, or none: the relay ends each connection and keeps nothing. */
    @Test
    void shouldSurviveHostileTlsAndWebSockets() throws Exception {
        // One that says no more is waited for.
        try (RelayFixture fixture = guarded(RelayFixture.insecure().set(RelayOption.HANDSHAKE_TIMEOUT, "1000"))) {
            Random random = new Random(7);
            for (int i = 0; i < 200; i++) {
                byte[] bytes = new byte[1 + random.nextInt(2000)];
                random.nextBytes(bytes);
                bytes[0] = 0x16;
                if (i % 2 == 0 && bytes.length > 5) {
                    // A record of TLS, as far as its header goes.
                    bytes[1] = 3;
                    bytes[2] = 1;
                    bytes[3] = 0;
                }
                try (Socket socket = new Socket(fixture.at.getAddress(), fixture.at.getPort())) {
                    socket.getOutputStream().write(bytes);
                }
            }
            // One that begins and says no more.
            assertEquals("", raw(fixture, new byte[] {0x16, 3, 1, 1, 0, 1}).replaceAll("[^a-z]", ""));
        }
        try (RelayFixture fixture = open()) {
            Random random = new Random(8);
            for (int i = 0; i < 200; i++) {
                byte[] bytes = new byte[1 + random.nextInt(500)];
                random.nextBytes(bytes);
                try (Socket socket = new Socket(fixture.at.getAddress(), fixture.at.getPort())) {
                    socket.setSoTimeout((int) PATIENCE.toMillis());
                    socket.getOutputStream().write(upgrade(13));
                    assertEquals('H', socket.getInputStream().read());
                    socket.getOutputStream().write(bytes);
                }
            }
            Await.until("all are gone", () -> fixture.relay.stats().connections() == 0);
            fixture.group("s", 2);
        }
    }

    @Test
    void shouldRefuseFramesInTheClearWhereTlsIsRequired() {
        try (RelayFixture fixture = guarded();
                RawConnection plain = new RawConnection(fixture.at)) {
            plain.send(TestRank.message(TestRank.join("s", 1, 0)));
            assertTrue(plain.expectRefusal(ErrorCode.BAD_SETTING).contains("wants TLS"));
        }
    }
}
