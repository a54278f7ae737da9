package io.zipcomm.bench.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.relay.RelaySecret;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.relay.RelayTokens;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class DoctorTest {

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

    @Test
    void shouldNameTransportsAndSockets() {
        assertTrue(doctor.examine(new Examination(List.of(), "")));
        assertTrue(findings.get("transport tcp").startsWith("available, by "), findings.toString());
        assertTrue(findings.get("transport relay").startsWith("available, by "), findings.toString());
        assertTrue(findings.get("transport tcp").endsWith("; direct, any host, reads in place"), findings.toString());
        assertTrue(findings.get("NAT").startsWith("not looked at"));
    }

    @Test
    void shouldJoinAtARelayWithAToken() {
        try (RelayServer relay = relay()) {
            String token = RelayTokens.mint(secret, "doctor*", Optional.empty(), Optional.empty());
            assertTrue(doctor.examine(new Examination(List.of(addressOf(relay)), token)), findings.toString());
            assertTrue(findings.get("relay " + addressOf(relay)).startsWith("reachable; round trip "));
            assertTrue(findings.get("admission").startsWith("a group of 1 joined in "), findings.toString());
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
    void shouldCallAWrongTokenSick() {
        try (RelayServer relay = relay()) {
            assertFalse(doctor.examine(new Examination(List.of(addressOf(relay)), "not a token")));
            assertTrue(findings.get("admission").startsWith("REFUSED: UNAUTHORIZED"), findings.toString());
        }
    }

    @Test
    void shouldSayThatNobodyListens() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        RelayAddress nobody = new RelayAddress("127.0.0.1", port);
        assertFalse(doctor.examine(new Examination(List.of(nobody), "")));
        assertEquals(
                1,
                findings.values().stream()
                        .filter(text -> text.startsWith("NOT reachable"))
                        .count());
    }
}
