package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.transport.RelayAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RelayOrderTest {

    private static final int SESSIONS = 3000;

    private static final List<RelayAddress> RELAYS = RelayAddress.parseAll("a:7077,b:7077,zips://c:7077");

    @Test
    void shouldNotDependOnTheOrderInWhichRelaysAreKnown() {
        List<RelayAddress> shuffled = new ArrayList<>(RELAYS);
        for (int i = 0; i < 50; i++) {
            Collections.shuffle(shuffled, new Random(i));
            assertEquals(RelayOrder.of("s" + i, RELAYS), RelayOrder.of("s" + i, shuffled));
        }
    }

    @Test
    void shouldTakeARelayForTheSameHoweverItIsSpokenTo() {
        List<RelayAddress> otherwise = RelayAddress.parseAll("ws://C:7077/x,zips://A:7077,wss://b:7077");
        for (int i = 0; i < 50; i++) {
            List<String> hosts = RelayOrder.of("s" + i, RELAYS).stream()
                    .map(RelayAddress::host)
                    .toList();
            List<String> others = RelayOrder.of("s" + i, otherwise).stream()
                    .map(relay -> relay.host().toLowerCase(java.util.Locale.ROOT))
                    .toList();
            assertEquals(hosts, others);
        }
    }

    @Test
    void shouldSpreadSessionsAndMoveOnlyThoseOfARelayThatGoes() {
        int[] sessions = new int[RELAYS.size()];
        for (int i = 0; i < SESSIONS; i++) {
            List<RelayAddress> order = RelayOrder.of("s" + i, RELAYS);
            sessions[RELAYS.indexOf(order.get(0))]++;
            List<RelayAddress> without = RelayOrder.of("s" + i, RELAYS.subList(0, 2));
            List<RelayAddress> rest = new ArrayList<>(order);
            rest.remove(RELAYS.get(2));
            assertEquals(rest, without);
        }
        for (int count : sessions) {
            assertTrue(Math.abs(count - SESSIONS / RELAYS.size()) < SESSIONS / 20, count + " of " + SESSIONS);
        }
    }

    /** The order is part of the protocol between ranks of different builds: it must not change. */
    @Test
    void shouldOrderAsEver() {
        assertEquals(
                "abc",
                RelayOrder.of("nightly-17", RELAYS).stream()
                        .map(RelayAddress::host)
                        .reduce("", String::concat));
    }

    @Test
    void shouldMakeARelayOfEachAddressOfAName() throws Exception {
        List<RelayAddress> resolved = RelayOrder.resolved(
                RelayAddress.parseAll("zips+dns://localhost:9,zips://127.0.0.1:9"), 10_000_000_000L);
        assertEquals("zips://127.0.0.1:9", resolved.get(0).toString());
        assertEquals("localhost", resolved.get(0).name());
    }
}
