package io.zipcomm.bench.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.testkit.lab.LabNat;
import io.zipcomm.testkit.lab.NatFlavour;
import io.zipcomm.testkit.lab.NetworkLab;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Eight ranks behind a mix of gateways: some links are direct, some stay on the relay, and all collectives are right. */
final class MeshTest {

    private static final long SETTLE_MS = 5000;
    private static final long LIMIT_S = 60;
    private static final int COLLECTIVES = 2 * 13;
    private static final int HTTPS_RANK = 6;

    @Test
    void shouldDoEveryCollectiveOverAMixOfPaths() throws IOException, InterruptedException {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        try (NetworkLab lab = NetworkLab.open()) {
            String relay = LabGroup.startRelay(lab.publicHost("relay"));
            LabNat shared = lab.nat("shared", NatFlavour.NO_HAIRPIN);
            List<LabNode> nodes = List.of(
                    LabNode.start(lab.publicHost("public")),
                    LabNode.start(shared.host("shared-1")),
                    LabNode.start(shared.host("shared-2")),
                    LabNode.start(lab.nat("cone", NatFlavour.CONE).host("in-cone")),
                    LabNode.start(lab.nat("symmetric", NatFlavour.SYMMETRIC).host("in-symmetric")),
                    LabNode.start(lab.nat("full", NatFlavour.FULL_CONE).host("in-full")),
                    LabNode.start(lab.nat("https", NatFlavour.HTTPS_ONLY).host("in-https")),
                    LabNode.start(lab.nat("reset", NatFlavour.CONE_RESET).host("in-reset")));
            LabGroup group = LabGroup.start(relay, "mesh", nodes, SETTLE_MS);
            List<LabGroup.Rank> ranks = group.await(System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S));
            for (int rank = 0; rank < ranks.size(); rank++) {
                System.out.println(nodes.get(rank).host() + ": " + ranks.get(rank));
            }
            for (LabGroup.Rank rank : ranks) {
                assertNull(rank.failure());
                assertEquals(COLLECTIVES, rank.collectives());
            }
            assertTrue(ranks.get(1).paths().get(2).isDirect(), "neighbours, by their private addresses");
            for (int peer = 1; peer < ranks.size(); peer++) {
                if (peer != HTTPS_RANK) {
                    assertEquals(
                            "relay", ranks.get(HTTPS_RANK).paths().get(peer).name(), "rank " + peer);
                }
            }
        }
    }
}
