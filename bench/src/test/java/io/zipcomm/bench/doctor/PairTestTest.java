package io.zipcomm.bench.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.transport.RelayAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two doctors of one machine, at two relays; those of two machines are in the lab. */
@Timeout(60)
final class PairTestTest {

    private final RelayServer one = relay();
    private final RelayServer two = relay();

    private static RelayServer relay() {
        return RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    @AfterEach
    void close() {
        one.close();
        two.close();
    }

    private static RelayAddress addressOf(RelayServer relay) {
        return new RelayAddress("127.0.0.1", relay.address().getPort());
    }

    private Examination examination(String peer, Duration patience) {
        return new Examination(
                List.of(addressOf(one), addressOf(two)), "", "", Duration.ZERO, peer, patience, Duration.ofSeconds(1));
    }

    private record Outcome(boolean healthy, Map<String, String> findings) {}

    private static Outcome examine(Examination examination) {
        Map<String, String> findings = new LinkedHashMap<>();
        boolean healthy = new Doctor(one -> findings.put(one.topic(), one.text())).examine(examination);
        return new Outcome(healthy, findings);
    }

    @Test
    void shouldMeetAtOneOfTwoRelaysAndConnectOnTheirMachine() throws Exception {
        Examination both = examination("here", Duration.ofSeconds(20));
        CompletableFuture<Outcome> other = CompletableFuture.supplyAsync(() -> examine(both));
        for (Outcome end : List.of(examine(both), other.get(40, TimeUnit.SECONDS))) {
            Map<String, String> findings = end.findings();
            assertTrue(end.healthy(), findings.toString());
            assertTrue(findings.get("rung relay").contains(" ms; path relay, round trip "), findings.toString());
            assertTrue(findings.get("rung loopback").startsWith("works: open after "), findings.toString());
            assertTrue(findings.get("rung loopback").contains("; path tcp, round trip "), findings.toString());
            assertEquals("skipped: both are on one machine", findings.get("rung hole punching"));
            assertTrue(findings.get("pair").startsWith("direct, by loopback"), findings.toString());
        }
    }

    @Test
    void shouldSayThatNobodyCame() {
        Outcome alone = examine(examination("lonely", Duration.ofSeconds(1)));
        assertFalse(alone.healthy());
        String text = alone.findings().get("rung relay");
        assertTrue(text.startsWith("nobody came: './zip doctor --peer lonely' has to run at the same time"), text);
        assertTrue(text.contains("JOIN_TIMEOUT"), text);
    }
}
