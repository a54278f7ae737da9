package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Counts by address, on a clock of its own. */
final class GateTest {

    private static final long SECOND_NS = TimeUnit.SECONDS.toNanos(1);

    private static RelayState state(RelayOption option, int limit) {
        return new RelayState(
                RelayFixture.insecure().set(option, Integer.toString(limit)).build());
    }

    private static InetAddress address(String text) throws UnknownHostException {
        return InetAddress.getByName(text);
    }

    @Test
    void shouldCountIpv6AddressesByTheirNetwork() throws Exception {
        Gate gate = state(RelayOption.ADDRESS_CONNECTIONS_MAX, 1).gate();
        Gate.Pass one = gate.enter(address("2001:db8:1:2::1"), 0);
        assertNull(one.refusal());
        assertEquals(
                RelayOption.ADDRESS_CONNECTIONS_MAX,
                gate.enter(address("2001:db8:1:2:ffff::9"), 0).refusal().option());
        assertNull(gate.enter(address("2001:db8:1:3::1"), 0).refusal());
        assertNull(gate.enter(address("192.0.2.1"), 0).refusal());
        assertNull(gate.enter(address("192.0.2.2"), 0).refusal());
        one.left();
        one.left();
        assertNull(gate.enter(address("2001:db8:1:2::7"), 0).refusal());
        assertNotNull(gate.enter(address("2001:db8:1:2::7"), 0).refusal());
    }

    @Test
    void shouldCountEachConnectionOnceHoweverItEnds() throws Exception {
        RelayState state = state(RelayOption.CONNECTIONS_MAX, 2);
        Gate.Pass one = state.gate().enter(address("192.0.2.1"), 0);
        Gate.Pass two = state.gate().enter(address("192.0.2.2"), 0);
        Gate.Pass refused = state.gate().enter(address("192.0.2.3"), 0);
        assertEquals(RelayOption.CONNECTIONS_MAX, refused.refusal().option());
        refused.handshakeOver();
        refused.left();
        one.handshakeOver();
        one.handshakeOver();
        assertEquals(1, state.counters().handshakes.get());
        assertEquals(2, state.counters().connections.get());
        one.left();
        two.left();
        two.handshakeOver();
        assertEquals(0, state.counters().handshakes.get());
        assertEquals(0, state.counters().connections.get());
    }

    @Test
    void shouldEndTheOldestHandshakeOfTheAddressForItsNewest() throws Exception {
        RelayState state = state(RelayOption.ADDRESS_HANDSHAKES_MAX, 2);
        Gate.Pass[] passes = enter(state, "192.0.2.1", 4);
        assertEquals(RelayOption.ADDRESS_HANDSHAKES_MAX, passes[0].refusal().option());
        assertNotNull(passes[1].refusal());
        assertNull(passes[2].refusal());
        assertNull(passes[3].refusal());
        assertEquals(2, state.counters().handshakes.get());
        // It is there until it has heard why.
        assertEquals(4, state.counters().connections.get());
        for (Gate.Pass pass : passes) {
            pass.handshakeOver();
            pass.left();
        }
        assertEquals(0, state.counters().handshakes.get());
        assertEquals(0, state.counters().connections.get());
    }

    /** Whoever holds most gives way, so that nobody keeps others out, and nobody is ended for one who floods. */
    @Test
    void shouldEndTheOldestHandshakeOfWhoHoldsMost() throws Exception {
        RelayState state = state(RelayOption.HANDSHAKES_MAX, 4);
        Gate.Pass first = state.gate().enter(address("192.0.2.7"), 0);
        Gate.Pass[] flood = enter(state, "192.0.2.1", 3);
        int[] told = new int[1];
        flood[0].whenEnded(() -> told[0]++);
        Gate.Pass other = state.gate().enter(address("192.0.2.2"), 0);
        assertEquals(1, told[0]);
        assertEquals(RelayOption.HANDSHAKES_MAX, flood[0].refusal().option());
        enter(state, "192.0.2.1", 100);
        assertNull(first.refusal());
        assertNull(other.refusal());
        assertEquals(4, state.counters().handshakes.get());
    }

    @Test
    void shouldEndTheOldestOfAllWhereEachHoldsOne() throws Exception {
        RelayState state = state(RelayOption.HANDSHAKES_MAX, 100);
        Gate.Pass[] passes = new Gate.Pass[150];
        for (int i = 0; i < passes.length; i++) {
            passes[i] = state.gate().enter(address("192.0.2." + i), 0);
        }
        for (int i = 0; i < passes.length; i++) {
            assertEquals(i < 50, passes[i].refusal() != null, "the one that came as number " + i);
        }
    }

    private static Gate.Pass[] enter(RelayState state, String from, int count) throws UnknownHostException {
        Gate.Pass[] passes = new Gate.Pass[count];
        for (int i = 0; i < count; i++) {
            passes[i] = state.gate().enter(address(from), 0);
        }
        return passes;
    }

    @Test
    void shouldForgetAddressesWhoseTimeIsOver() throws Exception {
        Gate gate = state(RelayOption.ADDRESS_HANDSHAKES_PER_SECOND, 2).gate();
        Gate.Pass[] passes = new Gate.Pass[4];
        for (int i = 0; i < 4; i++) {
            passes[i] = gate.enter(address("192.0.2.1"), 0);
            assertNull(passes[i].refusal());
        }
        assertNotNull(gate.enter(address("192.0.2.1"), 0).refusal());
        assertNull(gate.enter(address("192.0.2.2"), 0).refusal());
        for (Gate.Pass pass : passes) {
            pass.left();
        }
        // To forget it now would be to let as many come again.
        gate.sweep(SECOND_NS);
        assertEquals(2, gate.addresses());
        assertNull(gate.enter(address("192.0.2.1"), SECOND_NS).refusal());
        gate.sweep(60 * SECOND_NS);
        assertEquals(2, gate.addresses());
        assertNull(gate.enter(address("192.0.2.3"), 60 * SECOND_NS).refusal());
    }
}
