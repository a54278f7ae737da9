package io.zipcomm.bench.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.testkit.lab.LabHost;
import io.zipcomm.testkit.lab.NatFlavour;
import io.zipcomm.testkit.lab.NetworkLab;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Ranks in hosts that have IPv6 alone, two of them behind firewalls that let in only what was asked for: all links become
 * direct, and all collectives are right.
 */
final class Ipv6Test {

    private static final long SETTLE_MS = 15_000;
    private static final long LIMIT_S = 60;
    private static final int COLLECTIVES = 2 * 13;

    @Test
    void shouldConnectDirectlyWithoutIpv4() throws IOException, InterruptedException {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        try (NetworkLab lab = NetworkLab.open()) {
            String relay = LabGroup.startRelayV6(lab.publicHost("relay"));
            List<LabHost> hosts = List.of(
                    lab.publicHost("public-1"),
                    lab.publicHost("public-2"),
                    lab.nat("firewall-1", NatFlavour.FIREWALL).host("inside-1"),
                    lab.nat("firewall-2", NatFlavour.FIREWALL).host("inside-2"));
            List<LabNode> nodes = new ArrayList<>();
            for (LabHost host : hosts) {
                forgetIpv4(host);
                nodes.add(LabNode.start(host));
            }
            LabGroup group = LabGroup.start(relay, "six", nodes, SETTLE_MS);
            List<LabGroup.Rank> ranks = group.await(System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S));
            for (int rank = 0; rank < ranks.size(); rank++) {
                LabGroup.Rank one = ranks.get(rank);
                System.out.println(hosts.get(rank) + ": " + one);
                assertNull(one.failure());
                assertEquals(COLLECTIVES, one.collectives());
                for (int peer = 0; peer < ranks.size(); peer++) {
                    assertTrue(
                            peer == rank || one.paths().get(peer).isDirect(),
                            hosts.get(rank) + " and " + hosts.get(peer) + " are not connected directly");
                }
            }
        }
    }

    private static void forgetIpv4(LabHost host) throws IOException, InterruptedException {
        Process flush = host.start(List.of("ip", "-4", "addr", "flush", "dev", "eth0"), Map.of());
        assertTrue(flush.waitFor(10, TimeUnit.SECONDS));
        assertEquals(0, flush.exitValue());
    }
}
