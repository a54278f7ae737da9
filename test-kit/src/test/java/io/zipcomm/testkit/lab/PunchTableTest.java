package io.zipcomm.testkit.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Which pairs of hosts TCP hole punching by plain sockets connects. It shows what the lab allows, so what may be expected of the
 * product in it.
 */
@Tag("once")
final class PunchTableTest {

    private static final int PORT = NatFlavour.HTTPS_PORT;
    private static final int LIMIT_MS = 5000;

    /** Of pairs that must connect, which take no longer for it unless this machine is starved. */
    private static final int STARVED_LIMIT_MS = 20_000;

    private static final int AT_ONCE = 20;

    private NetworkLab lab;
    private Probe rendezvous;

    @BeforeEach
    void open() {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        lab = NetworkLab.open();
        rendezvous = Probe.start(lab.publicHost("rendezvous"));
        assertEquals("ok", rendezvous.ask("serve", PORT));
    }

    @AfterEach
    void close() {
        if (lab != null) {
            lab.close();
        }
    }

    /** A pair whose two sides have each taken a port, and told each other by what addresses it can be reached. */
    private final class Pair {
        private final String name;
        private final Probe a;
        private final Probe b;
        private final CompletableFuture<String> addressesOfA;
        private final CompletableFuture<String> addressesOfB;
        private String result;

        private Pair(String name, Probe a, Probe b) {
            this.name = name;
            this.a = a;
            this.b = b;
            String server = Probe.at(rendezvous.host().address(), PORT);
            addressesOfA = a.asked("open", name, server);
            addressesOfB = b.asked("open", name, server);
        }

        /** Both sides begin at once. */
        private CompletableFuture<String> punch(int limitMs) {
            String token = String.format("%07x", name.hashCode() & 0xfffffff);
            String toA = addressesOfA.join().replace(' ', ';');
            String toB = addressesOfB.join().replace(' ', ';');
            CompletableFuture<String> atA = a.asked("punch", name, "lead", token, limitMs, toB);
            CompletableFuture<String> atB = b.asked("punch", name, "follow", token, limitMs, toA);
            return atA.thenCombine(atB, Pair::agreed);
        }

        private static String agreed(String atA, String atB) {
            return atA.startsWith("direct") == atB.startsWith("direct") ? atA : "torn: " + atA + ", " + atB;
        }

        private boolean isDirect() {
            return result.startsWith("direct");
        }

        /** Milliseconds, or why there are none. */
        private String cell() {
            return String.format("%6s", isDirect() ? result.substring(result.lastIndexOf(' ') + 1) : result);
        }
    }

    /** Some at a time: they are to fail by their gateways and not for want of a processor. */
    private static void punch(List<Pair> pairs, int limitMs) {
        for (Pair pair : pairs) {
            CompletableFuture.allOf(pair.addressesOfA, pair.addressesOfB).join();
        }
        for (int from = 0; from < pairs.size(); from += AT_ONCE) {
            List<Pair> some = pairs.subList(from, Math.min(pairs.size(), from + AT_ONCE));
            List<CompletableFuture<String>> results =
                    some.stream().map(pair -> pair.punch(limitMs)).toList();
            for (int i = 0; i < some.size(); i++) {
                some.get(i).result = results.get(i).join();
            }
        }
    }

    /**
     * Where the machine was too busy for SYNs that cross, a half of a connection that a gateway does not let through keeps a pair of
     * ports for a minute: that is the ports' trouble, and no gateway's.
     */
    private void againFromOtherPorts(List<Pair> connectable) {
        for (Pair pair : connectable) {
            if (!pair.isDirect()) {
                System.out.println(pair.name + ": " + pair.result + ", and once more from other ports");
                Pair again = new Pair(pair.name + "-again", pair.a, pair.b);
                punch(List.of(again), STARVED_LIMIT_MS);
                pair.result = again.result;
            }
        }
    }

    @Test
    void shouldConnectWhatCanBeConnected() {
        Map<NatFlavour, Probe> left = new EnumMap<>(NatFlavour.class);
        Map<NatFlavour, Probe> right = new EnumMap<>(NatFlavour.class);
        for (NatFlavour flavour : NatFlavour.values()) {
            left.put(flavour, Probe.start(lab.nat(flavour + "-l", flavour).host(flavour + "-lh")));
            right.put(flavour, Probe.start(lab.nat(flavour + "-r", flavour).host(flavour + "-rh")));
        }
        Map<NatFlavour, List<Pair>> rows = new EnumMap<>(NatFlavour.class);
        List<Pair> connectable = new ArrayList<>();
        List<Pair> others = new ArrayList<>();
        Map<String, Boolean> expected = new TreeMap<>();
        for (NatFlavour a : NatFlavour.values()) {
            rows.put(a, new ArrayList<>());
            for (NatFlavour b : EnumSet.range(NatFlavour.PUBLIC, a)) {
                Pair pair = new Pair(a + "-" + b, left.get(a), right.get(b));
                expected.put(pair.name, a.isPunchableTo(b));
                rows.get(a).add(pair);
                (a.isPunchableTo(b) ? connectable : others).add(pair);
            }
        }
        // Those that never succeed take all the time there is, so they come together.
        punch(connectable, STARVED_LIMIT_MS);
        againFromOtherPorts(connectable);
        punch(others, LIMIT_MS);
        Map<String, Boolean> found = new TreeMap<>();
        rows.forEach((a, row) -> {
            row.forEach(pair -> found.put(pair.name, pair.isDirect()));
            System.out.printf("%-21s%s%n", a, row.stream().map(Pair::cell).collect(Collectors.joining()));
        });
        assertEquals(expected, found);
    }

    @Test
    void shouldConnectNeighboursAndNestedHosts() {
        LabNat cone = lab.nat("cone", NatFlavour.CONE);
        LabNat noHairpin = lab.nat("no-hairpin", NatFlavour.NO_HAIRPIN);
        LabNat isolated = lab.nat("isolated", NatFlavour.ISOLATED);
        LabNat symmetric = lab.nat("symmetric", NatFlavour.SYMMETRIC);
        Probe far = Probe.start(lab.nat("far", NatFlavour.CONE).host("far-1"));
        Probe inCone = Probe.start(cone.nat("cone-in-cone", NatFlavour.CONE).host("in-cone"));
        Probe inSymmetric =
                Probe.start(symmetric.nat("cone-in-symmetric", NatFlavour.CONE).host("in-symmetric"));
        List<Pair> pairs = List.of(
                new Pair("neighbours-without-hairpin", start(noHairpin, "n1"), start(noHairpin, "n2")),
                new Pair("isolated-neighbours", start(isolated, "i1"), start(isolated, "i2")),
                new Pair("cone-in-cone-with-cone", inCone, far),
                new Pair("cone-in-cone-with-neighbour-of-inner", inCone, start(cone, "c1")),
                new Pair("cone-in-symmetric-with-cone", inSymmetric, far));
        punch(pairs, LIMIT_MS);
        assertEquals(
                List.of(true, false, true, true, false),
                pairs.stream().map(Pair::isDirect).toList(),
                () -> pairs.stream()
                        .map(pair -> pair.name + ": " + pair.result)
                        .toList()
                        .toString());
    }

    private static Probe start(LabNat nat, String name) {
        return Probe.start(nat.host(name));
    }
}
