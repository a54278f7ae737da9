package io.zipcomm.bench.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.bench.Main;
import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelaySecret;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.relay.RelayTokens;
import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.ConnectProxy;
import io.zipcomm.testkit.TestCertificates;
import io.zipcomm.transport.RelayAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DoctorTest {

    private static final String NATIVE_PATH = "zip.native.path";

    private final Map<String, String> findings = new LinkedHashMap<>();
    private final Doctor doctor =
            new Doctor(finding -> assertNull(findings.put(finding.topic(), finding.text()), finding.topic()));
    private final RelaySecret secret = RelaySecret.random();

    private RelayServer relay() {
        return RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").secret(secret).build());
    }

    private static RelayAddress addressOf(RelayServer relay) {
        return new RelayAddress("127.0.0.1", relay.address().getPort());
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    @Test
    void shouldNameTransportsAndSockets() {
        assertTrue(doctor.examine(new Examination(List.of(), "")));
        assertTrue(findings.get("transport tcp").startsWith("available, by "), findings.toString());
        assertTrue(findings.get("transport relay").startsWith("available, by "), findings.toString());
        assertTrue(findings.get("transport tcp").endsWith("; direct, any host, reads in place"), findings.toString());
        assertTrue(findings.get("NAT").startsWith("not looked at"));
    }

    @Test
    void shouldSayWhatRanksOfThisHostCanShare(@TempDir Path folder) {
        System.setProperty(Setting.SHARED_MEMORY.property(), folder.toString());
        doctor.examine(new Examination(List.of(), ""));
        String memory = findings.get("transport aeron-ipc");
        assertTrue(memory.matches("available, by Aeron [0-9.]+, .*; direct, this host only, reads in place"), memory);
        assertTrue(memory.contains(folder + " (ZIP_SHARED_MEMORY) with "), memory);
        assertTrue(
                memory.matches(".* \\d+ MiB free: a group of 2 here would take up to \\d+ MiB, a group of 8 .*"),
                memory);
        findings.clear();
        System.setProperty(Setting.SHARED_MEMORY.property(), "none");
        doctor.examine(new Examination(List.of(), ""));
        assertTrue(findings.get("transport aeron-ipc").contains("not used: ZIP_SHARED_MEMORY is none"));
        findings.clear();
        System.setProperty(
                Setting.SHARED_MEMORY.property(), folder.resolve("nowhere").toString());
        doctor.examine(new Examination(List.of(), ""));
        assertTrue(findings.get("transport aeron-ipc").contains("nowhere', which is not a directory"));
    }

    /** With a library, whose tests need it, and without: which of them is there is the machine's to say. */
    @Test
    void shouldSayWhatRdmaThereIsAndWhyNot() {
        String path = System.getProperty(NATIVE_PATH, "");
        try {
            System.setProperty(NATIVE_PATH, "/no/such/place");
            assertEquals("NOT available: zip.native.path names no libzip_fabric.so: /no/such/place", transportRdma());
            System.clearProperty(NATIVE_PATH);
            assertTrue(
                    transportRdma().startsWith("NOT available: libzip_fabric.so is not on the class path"),
                    findings.toString());
        } finally {
            System.setProperty(NATIVE_PATH, path);
        }
        assumeTrue(Files.exists(Path.of(path, "libzip_fabric.so")), "no native library was built");
        String line = transportRdma();
        assertTrue(
                line.matches(
                        "available, by libfabric \\d+\\.\\d+; .*; not encrypted; direct, any host, reads in place"),
                line);
        assertTrue(line.contains("tcp;ofi_rxm") && line.contains("; auto "), line);
    }

    private String transportRdma() {
        findings.clear();
        doctor.examine(new Examination(List.of(), ""));
        return findings.get("transport rdma");
    }

    /** The flag that Agrona needs is that of a process: another one is asked. */
    @Test
    void shouldSayWhichFlagOfTheJvmIsMissing() throws IOException {
        Process asked = new ProcessBuilder(ChildJvm.command(List.of(), Main.class, "doctor"))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> lines;
        try (BufferedReader out = asked.inputReader(StandardCharsets.UTF_8)) {
            lines = out.lines().toList();
        }
        assertTrue(
                lines.stream()
                        .anyMatch(line -> line.matches("transport aeron-ipc +NOT available: .*--add-opens"
                                + " java\\.base/jdk\\.internal\\.misc=ALL-UNNAMED")),
                lines.toString());
        assertTrue(lines.stream().anyMatch(line -> line.matches("transport tcp +available, .*")), lines.toString());
    }

    @Test
    void shouldJoinAtARelayWithAToken() {
        try (RelayServer relay = relay()) {
            String token = RelayTokens.mint(secret, "doctor*", Optional.empty(), Optional.empty());
            assertTrue(doctor.examine(new Examination(List.of(addressOf(relay)), token)), findings.toString());
            assertTrue(findings.get("relay " + addressOf(relay)).startsWith("reachable; round trip "));
            assertTrue(findings.get("admission").startsWith("a group of 1 joined in "), findings.toString());
            assertEquals("would work with peers on this machine", findings.get("ladder, aeron-ipc"));
        }
    }

    @Test
    void shouldNotCallItSickThatARelayWantsAToken() {
        try (RelayServer relay = relay()) {
            assertTrue(doctor.examine(new Examination(List.of(addressOf(relay)), "")), findings.toString());
            assertTrue(findings.get("admission").startsWith("the relay wants a token"), findings.toString());
        }
    }

    @Test
    void shouldAskForTheSessionThatATokenAdmitsTo() {
        try (RelayServer relay = relay()) {
            String token = RelayTokens.mint(secret, "nightly", Optional.empty(), Optional.empty());
            Examination named = new Examination(
                    List.of(addressOf(relay)),
                    token,
                    "nightly",
                    Duration.ofMillis(1),
                    "",
                    Examination.WAIT,
                    Examination.RUNG);
            assertTrue(doctor.examine(named), findings.toString());
            assertTrue(findings.get("admission").startsWith("a group of 1 joined in "), findings.toString());
            assertTrue(findings.get("idle").endsWith(" is still there"), findings.toString());
            findings.clear();
            assertFalse(doctor.examine(new Examination(List.of(addressOf(relay)), token)));
            assertTrue(findings.get("admission").contains("--session names one that the token admits to"));
        }
    }

    @Test
    void shouldCallAWrongTokenSick() {
        try (RelayServer relay = relay()) {
            assertFalse(doctor.examine(new Examination(List.of(addressOf(relay)), "not a token")));
            assertTrue(findings.get("admission").startsWith("REFUSED: UNAUTHORIZED"), findings.toString());
        }
    }

    @Test
    void shouldSayThatNobodyListens() throws IOException {
        int port = freePort();
        RelayAddress nobody = new RelayAddress("127.0.0.1", port);
        assertFalse(doctor.examine(new Examination(List.of(nobody), "")));
        assertEquals(
                1,
                findings.values().stream()
                        .filter(text -> text.startsWith("NOT reachable"))
                        .count());
    }

    // ---- each step of the way to a relay

    private static final List<Setting> WAY = List.of(Setting.PROXY, Setting.RELAY_CA, Setting.SHARED_MEMORY);

    @AfterEach
    void clear() {
        WAY.forEach(setting -> System.clearProperty(setting.property()));
    }

    private RelayServer insecure(RelaySettings.Builder settings) {
        return RelayServer.start(settings.listen("127.0.0.1:0").insecure(true).build());
    }

    private String lookAt(String relay) {
        findings.clear();
        new Doctor(finding -> findings.put(finding.topic(), finding.text()))
                .examine(new Examination(RelayAddress.parseAll(relay), ""));
        return findings.get("relay " + relay);
    }

    private void says(String relay, String... parts) {
        String text = lookAt(relay);
        for (String part : parts) {
            assertTrue(text != null && text.contains(part), part + " in " + findings);
        }
    }

    @Test
    void shouldGoByTlsWebSocketAndProxy(@TempDir Path folder) {
        TestCertificates certificates = new TestCertificates(folder);
        TestCertificates.Pair own = certificates.local("relay");
        try (RelayServer plain = insecure(RelaySettings.builder());
                RelayServer secure = insecure(RelaySettings.builder()
                        .set(RelayOption.TLS_CERT, own.certificate().toString())
                        .set(RelayOption.TLS_KEY, own.key().toString()));
                ConnectProxy proxy = ConnectProxy.open();
                ConnectProxy closed = ConnectProxy.answering("403 Forbidden")) {
            String open = "127.0.0.1:" + plain.address().getPort();
            String tls = "127.0.0.1:" + secure.address().getPort();
            says(open, "reachable; round trip ", "; plain TCP over IPv4, ");
            says("ws://" + open + "/zip", "reachable; round trip ", "; WebSocket over IPv4, ");
            says("ws://" + open + "/other", "NOT reachable: WebSocket handshake: ", "websocket-path");
            says("zips://" + open, "NOT reachable: TLS handshake: ", "ZIP_RELAY_CA");
            says("zips://" + tls, "NOT reachable: TLS handshake: ", "ZIP_RELAY_CA");
            says(tls, "reachable by plain TCP; admission: REFUSED: BAD_SETTING", "wants TLS");
            System.setProperty(
                    Setting.RELAY_CA.property(), certificates.authority().toString());
            says("zips://" + tls, "reachable; round trip ", "; TLS over IPv4, ");
            says("wss://" + tls + "/zip", "reachable; round trip ", "; WebSocket in TLS over IPv4, ");

            System.setProperty(Setting.PROXY.property(), "http://127.0.0.1:" + proxy.port());
            says(open, "; plain TCP through the proxy at 127.0.0.1:" + proxy.port() + ", which is reached over IPv4, ");
            assertTrue(findings.get("NAT").startsWith("not seen: the relay is reached through a proxy"));
            assertTrue(findings.get("ladder, equal peer, hole punching").startsWith("would not work: only what goes"));
            System.setProperty(Setting.PROXY.property(), "http://127.0.0.1:" + closed.port());
            says(open, "NOT reachable: proxy at 127.0.0.1:" + closed.port() + ": ", "403", "CONNECT");
        }
    }

    @Test
    void shouldSayThatANameIsUnknown() {
        says("no-such-host.invalid:7077", "NOT reachable: name resolution: unknown host no-such-host.invalid");
        assertTrue(findings.get("ladder, any peer, relay").startsWith("would not work"), findings.toString());
    }

    @Test
    void shouldSayThatConnectionsAreRefused() throws IOException {
        says("127.0.0.1:" + freePort(), "NOT reachable: connect: 127.0.0.1: ", "efused", "Nothing listens there");
    }

    @Test
    void shouldBeSatisfiedWithOneAddressOfAName() {
        try (RelayServer relay = insecure(RelaySettings.builder())) {
            // The name has ::1 too, on most machines; nobody listens there.
            RelayAddress name = new RelayAddress("localhost", relay.address().getPort());
            boolean healthy = new Doctor(finding -> findings.put(finding.topic(), finding.text()))
                    .examine(new Examination(List.of(name), ""));
            assertTrue(healthy, findings.toString());
            assertTrue(
                    findings.entrySet().stream()
                            .anyMatch(one -> one.getKey().startsWith("relay " + name)
                                    && one.getValue().startsWith("reachable; round trip ")),
                    findings.toString());
        }
    }

    /** At whatever address of it. */
    @Test
    void shouldNotTakeThisMachineForANetwork() throws IOException {
        InetAddress own = NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
                .findFirst()
                .orElse(InetAddress.getLoopbackAddress());
        try (RelayServer relay = RelayServer.start(RelaySettings.builder()
                .listen(own.getHostAddress() + ":0")
                .insecure(true)
                .build())) {
            RelayAddress here =
                    new RelayAddress(own.getHostAddress(), relay.address().getPort());
            assertTrue(doctor.examine(new Examination(List.of(here), "")));
            assertEquals("cannot be told: the relay is on this machine", findings.get("NAT"));
            assertTrue(findings.get("ladder, " + LadderWords.UNSEEN_PEERS).startsWith("cannot be told alone"));
        }
    }

    @Test
    void shouldCallOneOfTwoRelaysThatIsDownSick() throws IOException {
        try (RelayServer relay = insecure(RelaySettings.builder())) {
            RelayAddress nobody = new RelayAddress("127.0.0.1", freePort());
            assertFalse(doctor.examine(new Examination(List.of(addressOf(relay), nobody), "")));
            assertTrue(findings.get("relay " + addressOf(relay)).startsWith("reachable"), findings.toString());
            assertTrue(findings.get("relay " + nobody).startsWith("NOT reachable: connect: "), findings.toString());
            assertTrue(findings.get("admission").startsWith("a group of 1 joined in "), findings.toString());
        }
    }

    @Test
    void shouldWriteJson() throws IOException {
        String json = FindingsJson.of(List.of(new Finding("a", "says \"b\"", false), new Finding("c", "", true)));
        assertEquals(
                "{\"healthy\":false,\"findings\":[{\"topic\":\"a\",\"text\":\"says \\\"b\\\"\",\"wrong\":false},"
                        + "{\"topic\":\"c\",\"text\":\"\",\"wrong\":true}]}",
                json);
    }
}
