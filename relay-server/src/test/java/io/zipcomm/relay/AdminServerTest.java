package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.admin.AdminActions;
import io.zipcomm.relay.admin.AdminServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What an operator sees and does over HTTP. */
@Tag("once")
final class AdminServerTest {

    private static final RelaySecret SECRET = RelaySecret.random();

    private final HttpClient client = HttpClient.newHttpClient();
    private final List<String> asked = new ArrayList<>();
    private RelayFixture fixture;
    private AdminServer admin;
    private String problem;
    private Set<RelayOption> leftOut = Set.of();

    private final AdminActions actions = new AdminActions() {
        @Override
        public void drain() {
            asked.add("drain");
        }

        @Override
        public Set<RelayOption> reload() {
            asked.add("reload");
            if (problem != null) {
                throw new ZipException(ErrorCode.BAD_SETTING, problem);
            }
            return leftOut;
        }
    };

    @BeforeEach
    void start() {
        fixture = new RelayFixture(
                RelaySettings.builder().listen("127.0.0.1:0").secret(SECRET).threads(2));
        admin = AdminServer.start(fixture.relay, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), actions);
    }

    @AfterEach
    void stop() {
        fixture.close();
        admin.close();
        Await.until(
                "the admin server's thread has ended",
                () -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().startsWith("zip-relay-admin")));
    }

    private static String token(String session) {
        return RelayTokens.mint(TokenKey.of(SECRET), TokenRequest.forSession(session));
    }

    private List<TestRank> group(String session, int size) {
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            group.add(fixture.opened(
                    TestRank.attached(fixture.at, join(session, size, rank).setToken(token(session)))));
        }
        group.forEach(TestRank::awaitReady);
        return group;
    }

    private HttpResponse<String> send(String method, String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder()
                .uri(URI.create("http://127.0.0.1:" + admin.address().getPort() + path))
                .timeout(Duration.ofSeconds(10))
                .method(method, HttpRequest.BodyPublishers.noBody());
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private void expect(int status, String body, String method, String path, String... headers) throws Exception {
        HttpResponse<String> response = send(method, path, headers);
        assertEquals(status, response.statusCode(), response.body());
        assertTrue(response.body().contains(body), response.body());
    }

    @Test
    void shouldSayWhetherItIsHealthyAndReady() throws Exception {
        expect(200, "ok", "GET", "/health");
        expect(200, "ready", "GET", "/ready");
        group("s", 1);
        assertFalse(fixture.relay.drain().isDone());
        expect(503, "draining", "GET", "/ready");
        expect(200, "ok", "GET", "/health?verbose");
        fixture.relay.close();
        expect(503, "a thread of the relay", "GET", "/health");
    }

    @Test
    void shouldRefuseWhatItDoesNotKnow() throws Exception {
        expect(404, "GET /health", "GET", "/");
        expect(404, "GET /health", "GET", "/healthy");
        expect(405, "expected GET", "POST", "/metrics");
        expect(405, "expected POST", "GET", "/drain");
        expect(403, "not from web pages", "POST", "/drain", "Origin", "http://example.net");
        expect(403, "not from web pages", "POST", "/reload", "Sec-Fetch-Site", "none");
        assertEquals(List.of(), asked);
    }

    @Test
    void shouldDrainAndReload() throws Exception {
        expect(202, "draining", "POST", "/drain");
        expect(200, "reloaded", "POST", "/reload");
        leftOut = EnumSet.of(RelayOption.THREADS, RelayOption.MEMORY);
        expect(200, "reloaded; a restart is needed for threads, memory", "POST", "/reload");
        problem = "relay option keys is wrong";
        expect(422, "nothing is changed: BAD_SETTING", "POST", "/reload");
        assertEquals(List.of("drain", "reload", "reload", "reload"), asked);
    }

    // Sessions

    @Test
    void shouldShowSessionsAsJsonWithoutAnythingThatAdmits() throws Exception {
        List<TestRank> group = group("na\"me", 2);
        group.get(0).send(1, new byte[36]);
        group.get(1).receive();
        HttpResponse<String> response = send("GET", "/sessions");
        assertEquals(
                "application/json",
                response.headers().firstValue("content-type").orElseThrow());
        String json = response.body();
        assertFalse(json.contains(token("na\"me")), json);
        assertEquals(
                List.of(
                        "draining",
                        "connections",
                        "sessions",
                        "name",
                        "state",
                        "size",
                        "present",
                        "epoch",
                        "ageMs",
                        "waitingBytes",
                        "bytesForwarded",
                        "ranks",
                        "rank",
                        "address",
                        "attached",
                        "flows",
                        "ranksLeftOut"),
                fieldsOf(json));
        assertTrue(json.contains("\"name\":\"na\\\"me\""), json);
        assertTrue(json.contains("\"state\":\"complete\""), json);
        assertTrue(json.contains("\"bytesForwarded\":100"), json);
        assertTrue(
                json.contains(
                        "\"address\":\"127.0.0.1:" + group.get(1).control.socket.getLocalPort() + "\""),
                json);
    }

    /** Parses all of it; each name once, in order. */
    private static List<String> fieldsOf(String json) throws IOException {
        List<String> fields = new ArrayList<>();
        try (JsonParser parser = new JsonFactory().createParser(json)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token == JsonToken.FIELD_NAME && !fields.contains(parser.currentName())) {
                    fields.add(parser.currentName());
                }
            }
        }
        return fields;
    }

    // Metrics

    private String scrape() throws Exception {
        HttpResponse<String> response = send("GET", "/metrics");
        assertEquals(200, response.statusCode());
        assertTrue(response.headers().firstValue("content-type").orElseThrow().startsWith("text/plain; version=0.0.4"));
        return response.body();
    }

    private void expectSample(String sample, String value) throws Exception {
        String text = scrape();
        assertTrue(
                text.lines().anyMatch(line -> line.equals(sample + " " + value)), sample + " " + value + "\n" + text);
    }

    @Test
    void shouldCountWhatHappens() throws Exception {
        List<TestRank> group = group("s", 2);
        group.get(0).send(1, new byte[36]);
        group.get(1).receive();
        group.get(1).roundTrip();
        fixture.opened(TestRank.asking(fixture.at, join("s", 2, 0))).expectRefusal(ErrorCode.UNAUTHORIZED);
        expectSample("zip_relay_sessions", "1.0");
        expectSample("zip_relay_ranks", "2.0");
        expectSample("zip_relay_forwarded_frames_total", "1.0");
        expectSample("zip_relay_forwarded_bytes_total", "100.0");
        expectSample("zip_relay_refusals_total{code=\"UNAUTHORIZED\"}", "1.0");
        expectSample("zip_relay_refusals_total{code=\"GROUP_FULL\"}", "0.0");
        expectSample("zip_relay_gathering_seconds_count", "1");
        expectSample("zip_relay_session_seconds_count", "0");
        expectSample("zip_relay_draining", "0.0");
        expectSample("zip_relay_waiting_memory_bytes", "0.0");
        expectSample("zip_relay_under_way_bytes", "0.0");
        expectSample("zip_relay_threads", "2.0");
        expectSample("zip_relay_limit{limit=\"sessions-max\"}", "1000.0");
        expectSample("zip_relay_limit_reached_total{limit=\"sessions-max\"}", "0.0");
        fixture.relay.reload(RelaySettings.builder()
                .listen("127.0.0.1:0")
                .secret(SECRET)
                .set(RelayOption.SESSIONS_MAX, "1")
                .build());
        fixture.opened(TestRank.asking(fixture.at, join("t", 2, 0).setToken(token("t"))))
                .expectRefusal(ErrorCode.LIMIT);
        expectSample("zip_relay_limit{limit=\"sessions-max\"}", "1.0");
        expectSample("zip_relay_limit_reached_total{limit=\"sessions-max\"}", "1.0");
        TestRank.closeAll(group);
        Await.until("the session is gone", () -> fixture.relay.stats().sessions() == 0);
        expectSample("zip_relay_session_seconds_count", "1");
        // The first to end was lost to the other; then nobody was left to tell.
        expectSample("zip_relay_members_gone_total{cause=\"lost\"}", "2.0");
        Await.until("connections are gone", () -> fixture.relay.stats().connections() == 0);
        expectSample("zip_relay_connections", "0.0");
    }

    /** Every limit among the options is in the metrics. */
    @Test
    void shouldHaveMetricsForEveryLimit() throws Exception {
        String text = scrape();
        Set<String> notLimits = Set.of(
                "heartbeat-interval",
                "threads",
                "spin-time",
                "drain-timeout",
                "io",
                "listen",
                "admin",
                "keys",
                "secret-file",
                "insecure",
                "token-expiry-required");
        for (RelayOption option : RelayOption.values()) {
            boolean shown = text.contains("zip_relay_limit{limit=\"" + option.key() + "\"}");
            boolean limit = !notLimits.contains(option.key())
                    && Set.of(
                                    "connections",
                                    "connections/s",
                                    "sessions",
                                    "ranks",
                                    "bytes",
                                    "bytes/s",
                                    "messages/s",
                                    "operations",
                                    "ms")
                            .contains(option.unit());
            assertEquals(limit, shown, option.key());
        }
    }

    @Test
    void shouldHaveMetricsThatAreDocumented() throws Exception {
        Set<String> exported = scrape().lines()
                .filter(line -> line.startsWith("# TYPE zip_relay_"))
                .map(line -> line.split(" ", -1)[2])
                .collect(Collectors.toCollection(TreeSet::new));
        String document = Files.readString(Path.of("..", "docs", "operations.md"));
        Set<String> documented = new TreeSet<>();
        Matcher rows = Pattern.compile("(?m)^\\| `(zip_relay_[a-z_]+)").matcher(document);
        while (rows.find()) {
            documented.add(rows.group(1));
        }
        // A maximum goes with every timer.
        exported.removeIf(name -> name.endsWith("_seconds_max"));
        assertEquals(exported, documented);
    }

    // Clients that mean no good

    @Test
    void shouldAnswerWhileSlowClientsHoldConnections() throws Exception {
        List<Socket> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 200; i++) {
                Socket socket = new Socket();
                socket.connect(admin.address(), 5000);
                slow.add(socket);
                try {
                    socket.getOutputStream().write("GET /metrics HT".getBytes(StandardCharsets.US_ASCII));
                } catch (IOException e) {
                    // It made room for a later one.
                }
            }
            expect(200, "ok", "GET", "/health");
            group("s", 2).get(0).roundTrip();
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
        expect(200, "ok", "GET", "/health");
    }

    @Test
    void shouldStandWhatIsNoRequest() throws Exception {
        for (String wrong : List.of(
                "\0\1\2\3\r\n\r\n",
                "GET " + "/x".repeat(10_000) + " HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nX: " + "x".repeat(20_000) + "\r\n\r\n",
                "POST /drain HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n",
                "POST /drain HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n")) {
            try (Socket socket = new Socket()) {
                socket.connect(admin.address(), 5000);
                socket.setSoTimeout(15_000);
                socket.getOutputStream().write(wrong.getBytes(StandardCharsets.ISO_8859_1));
                socket.shutdownOutput();
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
                assertTrue(answer.isEmpty() || answer.startsWith("HTTP/1.1 4"), answer);
            } catch (IOException e) {
                // A reset is an answer too.
            }
        }
        assertEquals(List.of(), asked);
        expect(200, "ok", "GET", "/health");
    }

    @Test
    void shouldSayThatTheAddressIsTaken() {
        ZipException taken =
                assertThrows(ZipException.class, () -> AdminServer.start(fixture.relay, admin.address(), actions));
        assertEquals(ErrorCode.BAD_SETTING, taken.code());
        assertTrue(taken.getMessage().contains("admin cannot listen on"), taken.getMessage());
    }
}
