package io.zipcomm.testkit.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What each flavour does, seen by sockets on both sides of it. */
@Tag("once")
final class NatFlavourTest {

    private static final int PORT = NatFlavour.HTTPS_PORT;
    private static final int OTHER_PORT = 8080;
    private static final int TRIES = 10;

    private static NetworkLab lab;
    private static Probe server;
    private static Probe other;
    private static final Map<NatFlavour, LabNat> NATS = new EnumMap<>(NatFlavour.class);
    private static final Map<NatFlavour, Probe> FIRST = new EnumMap<>(NatFlavour.class);
    private static final Map<NatFlavour, Probe> SECOND = new EnumMap<>(NatFlavour.class);
    private static int localPorts = 20_000;

    private final int local = localPorts++;

    @BeforeAll
    static void open() {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        lab = NetworkLab.open();
        server = Probe.start(lab.publicHost("server"));
        other = Probe.start(lab.publicHost("other"));
        for (NatFlavour flavour : NatFlavour.values()) {
            LabNat nat = lab.nat(flavour.name(), flavour);
            NATS.put(flavour, nat);
            FIRST.put(flavour, Probe.start(nat.host(flavour + "-1")));
            SECOND.put(flavour, Probe.start(nat.host(flavour + "-2")));
        }
        for (Probe one : new Probe[] {server, other}) {
            assertEquals("ok", one.ask("serve", PORT));
            assertEquals("ok", one.ask("serve", OTHER_PORT));
        }
    }

    @AfterAll
    static void close() {
        if (lab != null) {
            lab.close();
        }
    }

    private static String at(Probe probe, int port) {
        return Probe.at(probe.host().address(), port);
    }

    private static int portOf(String seen) {
        return Integer.parseInt(seen.substring(seen.indexOf(',') + 1));
    }

    private static String addressOf(String seen) {
        return seen.substring(0, seen.indexOf(','));
    }

    @ParameterizedTest
    @EnumSource
    void shouldMapAsItSays(NatFlavour flavour) {
        Probe host = FIRST.get(flavour);
        String one = host.ask("map", "mapped", at(server, PORT), local);
        String two = host.ask("map", "mapped-too", at(other, PORT), local);
        String expectedAddress = switch (flavour) {
            case PUBLIC, FIREWALL, OUTBOUND_TCP_ONLY -> host.host().address().getHostAddress();
            default -> NATS.get(flavour).publicAddress().getHostAddress();
        };
        assertEquals(expectedAddress, addressOf(one));
        assertEquals(expectedAddress, addressOf(two));
        switch (flavour) {
            case SYMMETRIC -> assertNotEquals(portOf(one), portOf(two));
            case ENDPOINT_INDEPENDENT -> {
                assertEquals(portOf(one), portOf(two));
                assertNotEquals(local, portOf(one));
            }
            default -> {
                assertEquals(local, portOf(one));
                assertEquals(local, portOf(two));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFilterAsItSays(NatFlavour flavour) {
        Probe host = FIRST.get(flavour);
        assertEquals("ok", host.ask("serve", local));
        String seen = host.ask("map", "filtered", at(server, PORT), local);
        CompletableFuture<String> sameAddress = server.asked("connect", 0, seen);
        CompletableFuture<String> stranger = other.asked("connect", 0, seen);
        String expected = switch (flavour) {
            case PUBLIC, FULL_CONE -> "connected connected";
            case ADDRESS_RESTRICTED -> "connected silence";
            case CONE_RESET -> "reset reset";
            default -> "silence silence";
        };
        assertEquals(expected, sameAddress.join() + " " + stranger.join());
        // The flow that opened the port is none the worse for it.
        assertEquals("still", host.ask("say", "filtered", "still"));
    }

    @ParameterizedTest
    @EnumSource
    void shouldPassUdpOrNot(NatFlavour flavour) {
        Probe host = FIRST.get(flavour);
        String seen = host.ask("udp", local, at(server, PORT), at(other, PORT));
        if (flavour == NatFlavour.OUTBOUND_TCP_ONLY
                || flavour == NatFlavour.UDP_BLOCKED
                || flavour == NatFlavour.HTTPS_ONLY) {
            assertEquals("silence", seen);
            return;
        }
        int space = seen.indexOf(' ');
        int one = portOf(seen.substring(0, space));
        int two = portOf(seen.substring(space + 1));
        switch (flavour) {
            case SYMMETRIC -> assertNotEquals(one, two);
            case ENDPOINT_INDEPENDENT -> assertEquals(one, two);
            default -> {
                assertEquals(local, one);
                assertEquals(local, two);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldLetOutWhatItSays(NatFlavour flavour) {
        String expected = flavour == NatFlavour.HTTPS_ONLY ? "silence" : "connected";
        assertEquals(expected, FIRST.get(flavour).ask("connect", 0, at(server, OTHER_PORT)));
    }

    @ParameterizedTest
    @EnumSource
    void shouldConnectNeighboursAsItSays(NatFlavour flavour) {
        Probe target = SECOND.get(flavour);
        assertEquals("ok", target.ask("serve", local));
        String seen = target.ask("map", "neighbour", at(server, PORT), local);
        CompletableFuture<String> hairpin = FIRST.get(flavour).asked("connect", 0, seen);
        CompletableFuture<String> direct = FIRST.get(flavour).asked("connect", 0, at(target, local));
        String expected = switch (flavour) {
            case ISOLATED -> "silence silence";
            case ENDPOINT_INDEPENDENT, SYMMETRIC, NO_HAIRPIN, HTTPS_ONLY -> "silence connected";
            default -> "connected connected";
        };
        assertEquals(expected, hairpin.join() + " " + direct.join());
    }

    /** A host does not connect from the port of its public address to itself, but as the neighbour that was asked for. */
    @Test
    void shouldShowAHairpinThePublicAddress() {
        Probe target = SECOND.get(NatFlavour.CONE);
        assertEquals("ok", target.ask("serve", local));
        String seen = target.ask("map", "hairpin", at(server, PORT), local);
        Probe host = FIRST.get(NatFlavour.CONE);
        assertEquals(
                NATS.get(NatFlavour.CONE).publicAddress().getHostAddress() + "," + (local + 10_000),
                host.ask("map", "over-hairpin", seen, local + 10_000));
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"PUBLIC", "FIREWALL", "OUTBOUND_TCP_ONLY"})
    void shouldForgetSilently(NatFlavour flavour) throws InterruptedException {
        Probe host = FIRST.get(flavour);
        String seen = host.ask("map", "forgotten", at(server, PORT), local);
        assertEquals("before", host.ask("say", "forgotten", "before"));
        awaitQuiet(host.host().link());
        NATS.get(flavour).forget();

        // From outside nothing comes in, and the sender is told nothing, unless the gateway resets.
        assertEquals("ok", server.ask("push", seen, "lost"));
        CompletableFuture<String> heard = host.asked("hear", "forgotten");
        String atServer = flavour == NatFlavour.CONE_RESET ? "reset" : "silence";
        assertEquals("silence", heard.join());
        assertEquals(atServer, flavour == NatFlavour.CONE_RESET ? resetAtServer(seen) : "silence");

        String fromInside = host.ask("say", "forgotten", "again");
        switch (flavour) {
            case SHORT_IDLE -> assertEquals("silence", fromInside);
            case CONE_RESET, SYMMETRIC, ENDPOINT_INDEPENDENT -> assertEquals("reset", fromInside);
            // What was lost is sent again, and comes first: when the server's system thinks that it is time.
            default -> {
                String first = fromInside;
                for (int i = 0; i < TRIES && first.equals("silence"); i++) {
                    first = host.ask("hear", "forgotten");
                }
                assertTrue(first.equals("lost") || first.equals("again"), first);
            }
        }
    }

    /** Until there are no acknowledgements under way any more, which would open the flow again. */
    private static void awaitQuiet(LabLink link) throws InterruptedException {
        LabLink.Counts before = null;
        for (LabLink.Counts now = link.counts(); !now.equals(before); now = link.counts()) {
            before = now;
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    private static String resetAtServer(String seen) {
        String pushed = server.ask("push", seen, "more");
        return pushed.equals("ok") ? server.ask("push", seen, "more") : pushed;
    }

    /** Those that it began with one host and those that this one began with it; another's go on. */
    @Test
    void shouldForgetFlowsToOneHostOnly() throws InterruptedException {
        Probe host = FIRST.get(NatFlavour.CONE_RESET);
        String seen = host.ask("map", "stays", at(server, PORT), local);
        host.ask("map", "goes", at(other, PORT), local);
        assertEquals(local, portOf(seen));
        awaitQuiet(host.host().link());
        NATS.get(NatFlavour.CONE_RESET).forget(other.host().address());
        assertEquals("reset", host.ask("say", "goes", "gone"));
        assertEquals("still", host.ask("say", "stays", "still"));
    }

    /** Also the inside sends in vain. */
    @Test
    void shouldForgetIdleFlows() throws InterruptedException {
        Probe host = FIRST.get(NatFlavour.SHORT_IDLE);
        host.ask("map", "idle", at(server, PORT), local);
        for (int i = 0; i < 2 * NatFlavour.SHORT_IDLE_S; i++) {
            TimeUnit.MILLISECONDS.sleep(600);
            assertEquals("busy" + i, host.ask("say", "idle", "busy" + i));
        }
        TimeUnit.MILLISECONDS.sleep(1000 * NatFlavour.SHORT_IDLE_S + 1500);
        assertEquals("silence", host.ask("say", "idle", "idle"));
    }

    @Test
    void shouldCutAndHeal() {
        Probe host = FIRST.get(NatFlavour.CONE);
        host.ask("map", "cut", at(server, PORT), local);
        NATS.get(NatFlavour.CONE).cut();
        assertEquals("silence", host.ask("say", "cut", "lost"));
        assertEquals("silence", host.ask("connect", 0, at(server, PORT)));
        NATS.get(NatFlavour.CONE).heal();
        assertEquals("connected", host.ask("connect", 0, at(server, PORT)));
    }
}
