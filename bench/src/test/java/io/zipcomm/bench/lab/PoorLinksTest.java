package io.zipcomm.bench.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.testkit.lab.LabNat;
import io.zipcomm.testkit.lab.NatFlavour;
import io.zipcomm.testkit.lab.NetworkLab;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** All collectives are right over links that lose packets or are slow, on direct paths and by the relay; good ones are in {@link MeshTest}. */
@Tag("once")
final class PoorLinksTest {

    /** For the link that is to become direct; those that cannot wait as long. */
    private static final long SETTLE_MS = 4000;

    private static final long LIMIT_S = 60;
    private static final int COLLECTIVES = 2 * 13;
    private static final int DIRECT = 0;
    private static final int BY_RELAY = 2;

    private static final double LOST_PERCENT = 1;
    private static final double MEGABITS = 20;

    private List<LabNat> nats;
    private List<LabNode> nodes;
    private String relay;

    @Test
    void shouldDoEveryCollectiveOverPoorLinks() throws Exception {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        try (NetworkLab lab = NetworkLab.open()) {
            relay = LabGroup.startRelay(lab.publicHost("relay"));
            nats = List.of(
                    lab.nat("a", NatFlavour.CONE),
                    lab.nat("b", NatFlavour.ENDPOINT_INDEPENDENT),
                    lab.nat("c", NatFlavour.SYMMETRIC));
            nodes = nats.stream()
                    .map(nat -> LabNode.start(nat.host("in-" + nat.name())))
                    .toList();
            run("lossy", LOST_PERCENT, 0);
            run("slow", 0, MEGABITS);
        }
    }

    /** Of three ranks, two reach each other directly, and the third only by the relay. */
    private void run(String name, double lostPercent, double megabits) throws InterruptedException {
        for (int i = 0; i < nats.size(); i++) {
            nats.get(i).link().lossy(lostPercent, 17 + i);
            nats.get(i).link().rate(megabits);
        }
        long lostBefore = lost();
        List<LabGroup.Rank> ranks = LabGroup.start(relay, name, nodes, SETTLE_MS)
                .await(System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S));
        long lost = lost() - lostBefore;
        for (LabGroup.Rank rank : ranks) {
            assertNull(rank.failure(), name);
            assertEquals(COLLECTIVES, rank.collectives(), name);
        }
        LabGroup.Rank first = ranks.get(DIRECT);
        assertTrue(first.paths().get(1).isDirect(), name);
        assertEquals("relay", first.paths().get(BY_RELAY).name(), name);
        assertTrue(lostPercent == 0 || lost > 0, name + ": no packet was lost");
        System.out.printf(
                "%s links (%.0f %% lost, %s Mbit/s): joined after %d ms, first message %d ms later, direct %d ms after joining,"
                        + " %d collectives in %d ms, %d packets lost%n",
                name,
                lostPercent,
                megabits == 0 ? "any" : String.valueOf(megabits),
                first.joinedMs(),
                first.messageMs(),
                first.paths().get(1).directMs(),
                first.collectives(),
                first.collectivesMs(),
                lost);
    }

    private long lost() {
        return nats.stream()
                .map(nat -> nat.link().counts())
                .mapToLong(counts -> counts.sentLost() + counts.receivedLost())
                .sum();
    }
}
