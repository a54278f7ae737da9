package io.zipcomm.bench.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.testkit.lab.LabNat;
import io.zipcomm.testkit.lab.NatFlavour;
import io.zipcomm.testkit.lab.NetworkLab;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Groups of two, behind pairs of gateways: whether they end up direct or relayed, and that all collectives are right. There
 * is one process in each host, which is a rank of many groups at once.
 */
@Tag("once")
final class NatTableTest {

    /** Time for a link that must not become direct: longer than a try. */
    private static final long SETTLE_MS = 7000;

    /** For one that must: it takes no longer for it unless this machine is starved, and then a try may fail. */
    private static final long STARVED_SETTLE_MS = 25_000;

    private static final long LIMIT_S = 60;

    /** They are to be told apart by their gateways and not by want of a processor. */
    private static final int AT_ONCE = 9;

    /** Those that stay relayed do little but wait. */
    private static final int RELAYED_AT_ONCE = 2 * AT_ONCE;

    private static final Set<NatFlavour> COMPANIONS = EnumSet.of(NatFlavour.CONE, NatFlavour.SYMMETRIC);

    /** Of two block lengths. */
    private static final int COLLECTIVES = 2 * 13;

    private NetworkLab lab;
    private String relay;

    @BeforeEach
    void open() throws IOException {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        lab = NetworkLab.open();
        relay = LabGroup.startRelay(lab.publicHost("relay"));
    }

    @AfterEach
    void close() {
        if (lab != null) {
            lab.close();
        }
    }

    /** Two ranks and what is expected of them. */
    private static final class Pair {
        private final String name;
        private final LabNode a;
        private final LabNode b;
        private final boolean direct;
        private String outcome;
        private String line;

        private Pair(String name, LabNode a, LabNode b, boolean direct) {
            this.name = name;
            this.a = a;
            this.b = b;
            this.direct = direct;
        }

        private long settleMs() {
            return direct ? STARVED_SETTLE_MS : SETTLE_MS;
        }

        private String expected() {
            return (direct ? "DIRECT" : "RELAYED") + ", " + COLLECTIVES + " collectives right";
        }

        private void fared(List<LabGroup.Rank> ranks) {
            List<String> both = new ArrayList<>();
            for (int rank = 0; rank < ranks.size(); rank++) {
                LabGroup.Rank one = ranks.get(rank);
                LabGroup.Path path = one.paths().get(1 - rank);
                String kind = path == null ? "NOTHING" : path.isDirect() ? "DIRECT" : "RELAYED";
                both.add(
                        one.failure() != null
                                ? kind + ", " + one.failure()
                                : kind + ", " + one.collectives() + " collectives right");
            }
            outcome = both.get(0).equals(both.get(1)) ? both.get(0) : both.get(0) + " / " + both.get(1);
            LabGroup.Rank slower =
                    ranks.get(ranks.get(0).messageMs() > ranks.get(1).messageMs() ? 0 : 1);
            long directMs = ranks.stream()
                    .flatMap(rank -> rank.paths().values().stream())
                    .mapToLong(LabGroup.Path::directMs)
                    .max()
                    .orElse(-1);
            line = String.format(
                    "%-45s %-8s %6d %8d %7s%s",
                    name,
                    outcome.substring(0, outcome.indexOf(',')),
                    slower.joinedMs(),
                    slower.messageMs(),
                    directMs < 0 ? "-" : directMs + "",
                    outcome.equals(expected()) ? "" : "   expected " + expected() + ", was " + outcome);
        }
    }

    private void run(List<Pair> pairs) throws InterruptedException {
        // Those that stay relayed wait as long as they are given, so they wait together.
        runInTurns(pairs.stream().filter(pair -> pair.direct).toList(), AT_ONCE);
        runInTurns(pairs.stream().filter(pair -> !pair.direct).toList(), RELAYED_AT_ONCE);
    }

    private void runInTurns(List<Pair> pairs, int atOnce) throws InterruptedException {
        for (int from = 0; from < pairs.size(); from += atOnce) {
            List<Pair> some = pairs.subList(from, Math.min(pairs.size(), from + atOnce));
            List<LabGroup> groups = some.stream()
                    .map(pair -> LabGroup.start(relay, pair.name, List.of(pair.a, pair.b), pair.settleMs()))
                    .toList();
            long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
            for (int i = 0; i < some.size(); i++) {
                some.get(i).fared(groups.get(i).await(deadlineNs));
            }
        }
    }

    private static void verify(List<Pair> pairs) {
        System.out.printf("%-45s %-8s %6s %8s %7s%n", "pair (ms)", "path", "join", "message", "direct");
        pairs.forEach(pair -> System.out.println(pair.line));
        Map<String, String> expected = new TreeMap<>();
        Map<String, String> found = new TreeMap<>();
        for (Pair pair : pairs) {
            if (!pair.outcome.equals(pair.expected())) {
                expected.put(pair.name, pair.expected());
                found.put(pair.name, pair.outcome);
            }
        }
        assertEquals(expected, found, () -> found.size() + " of " + pairs.size() + " pairs");
    }

    /** Each with its like, with the usual one, and with the one that is worst to punch through. */
    @Test
    void shouldConnectDirectlyWhereThatCanBe() throws InterruptedException {
        connect((a, b) -> a == b || COMPANIONS.contains(a) || COMPANIONS.contains(b));
    }

    @Test
    @Tag("long")
    void shouldConnectEveryPairDirectlyWhereThatCanBe() throws InterruptedException {
        connect((a, b) -> true);
    }

    private void connect(BiPredicate<NatFlavour, NatFlavour> which) throws InterruptedException {
        Map<NatFlavour, LabNode> left = new EnumMap<>(NatFlavour.class);
        Map<NatFlavour, LabNode> right = new EnumMap<>(NatFlavour.class);
        for (NatFlavour flavour : NatFlavour.values()) {
            left.put(flavour, start(lab.nat(flavour + "-l", flavour), flavour + "-lh"));
            right.put(flavour, start(lab.nat(flavour + "-r", flavour), flavour + "-rh"));
        }
        List<Pair> pairs = new ArrayList<>();
        for (NatFlavour a : NatFlavour.values()) {
            for (NatFlavour b : EnumSet.range(NatFlavour.PUBLIC, a)) {
                if (which.test(a, b)) {
                    pairs.add(new Pair(a + "-" + b, left.get(a), right.get(b), a.isPunchableTo(b)));
                }
            }
        }
        run(pairs);
        verify(pairs);
    }

    /** Hosts behind one gateway, behind gateways behind gateways, and the rank that can be reached as the lower one. */
    @Test
    void shouldConnectNeighboursNestedHostsAndEitherRank() throws InterruptedException {
        LabNat cone = lab.nat("cone", NatFlavour.CONE);
        LabNat noHairpin = lab.nat("no-hairpin", NatFlavour.NO_HAIRPIN);
        LabNat isolated = lab.nat("isolated", NatFlavour.ISOLATED);
        LabNat symmetric = lab.nat("symmetric", NatFlavour.SYMMETRIC);
        LabNode far = start(lab.nat("far", NatFlavour.CONE), "far-1");
        LabNode inCone = start(cone.nat("cone-in-cone", NatFlavour.CONE), "in-cone");
        LabNode inSymmetric = start(symmetric.nat("cone-in-symmetric", NatFlavour.CONE), "in-symmetric");
        LabNode open = start(lab.nat("open", NatFlavour.PUBLIC), "open-1");
        LabNode full = start(lab.nat("full", NatFlavour.FULL_CONE), "full-1");
        List<Pair> pairs = List.of(
                new Pair("public-as-rank-0-with-cone", open, far, true),
                new Pair("full-cone-as-rank-0-with-symmetric", full, start(symmetric, "s1"), true),
                new Pair("neighbours-without-hairpin", start(noHairpin, "n1"), start(noHairpin, "n2"), true),
                new Pair("isolated-neighbours", start(isolated, "i1"), start(isolated, "i2"), false),
                new Pair("cone-in-cone-with-cone", inCone, far, true),
                new Pair("cone-in-cone-with-neighbour-of-inner", inCone, start(cone, "c1"), true),
                new Pair("cone-in-symmetric-with-cone", inSymmetric, far, false));
        run(pairs);
        verify(pairs);
    }

    private static LabNode start(LabNat nat, String name) {
        return LabNode.start(nat.host(name));
    }
}
