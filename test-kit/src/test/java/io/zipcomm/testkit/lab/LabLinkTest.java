package io.zipcomm.testkit.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Delay, loss, rate and speed of wires, seen by sockets at their ends. */
@Tag("once")
final class LabLinkTest {

    private static final int PORT = 5000;
    private static final int ROUND_TRIPS = 20;
    private static final int DATAGRAMS = 500;
    private static final int SEED = 7;

    private NetworkLab lab;
    private LabNat nat;
    private Probe near;
    private Probe far;
    private String server;

    @BeforeEach
    void open() {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        lab = NetworkLab.open();
        nat = lab.nat("nat", NatFlavour.CONE);
        near = Probe.start(nat.host("near"));
        far = Probe.start(lab.publicHost("far"));
        server = Probe.at(far.host().address(), PORT);
        assertEquals("ok", far.ask("serve", PORT));
    }

    @AfterEach
    void close() {
        if (lab != null) {
            lab.close();
        }
    }

    private double roundTripMs() {
        return Integer.parseInt(near.ask("pingpong", "flow", ROUND_TRIPS)) / 1000.0;
    }

    /** The fastest of several: what makes it slower is the machine. */
    @Test
    void shouldDelayBothWaysByTheSumOfTheLinks() {
        near.ask("map", "flow", server, 0);
        double least = 2 * 3 * NetworkLab.DELAY.toMillis();
        double byDefault = roundTripMs();
        assertTrue(byDefault >= least && byDefault < least + 10, () -> byDefault + " ms by default");

        near.host().link().delay(Duration.ofMillis(45));
        double longer = roundTripMs();
        assertTrue(longer >= least + 80 && longer < least + 90, () -> longer + " ms with 40 ms more each way");

        near.host().link().delay(Duration.ZERO);
        double shorter = roundTripMs();
        assertTrue(shorter >= least - 10 && shorter < least, () -> shorter + " ms with 5 ms less each way");
    }

    @Test
    void shouldLoseThePercentageAndTheSamePacketsForTheSameSeed() throws InterruptedException {
        far.host().link().lossy(20, SEED);
        long first = lostOnTheWay();
        far.host().link().lossy(20, SEED);
        long again = lostOnTheWay();
        far.host().link().lossy(20, SEED + 1);
        long other = lostOnTheWay();
        assertEquals(first, again);
        // Binomial, 500 of 20 %: 100 with a deviation of 9. The seeds decide, so this holds always or never.
        assertTrue(first > 70 && first < 130, () -> first + " of " + DATAGRAMS + " lost");
        assertNotEquals(first, other);

        far.host().link().lossy(0, SEED);
        assertEquals(0, lostOnTheWay());
    }

    private long lostOnTheWay() throws InterruptedException {
        LabLink.Counts before = far.host().link().counts();
        long arrivedBefore = Long.parseLong(far.ask("datagrams"));
        assertEquals("ok", near.ask("blast", server, DATAGRAMS));
        LabLink.Counts after = far.host().link().counts();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (after.received() < before.received() + DATAGRAMS) {
            assertTrue(System.nanoTime() < deadline, "the datagrams do not arrive");
            TimeUnit.MILLISECONDS.sleep(5);
            after = far.host().link().counts();
        }
        long lost = after.receivedLost() - before.receivedLost();
        long arrived = 0;
        while (arrived != DATAGRAMS - lost) {
            assertTrue(System.nanoTime() < deadline, arrived + " datagrams came, " + lost + " were lost");
            TimeUnit.MILLISECONDS.sleep(5);
            arrived = Long.parseLong(far.ask("datagrams")) - arrivedBefore;
        }
        return lost;
    }

    @Test
    void shouldCarryDataDespiteLoss() {
        near.host().link().lossy(5, SEED);
        near.ask("map", "flow", server, 0);
        long us = Long.parseLong(near.ask("stream", "flow", 300_000));
        assertTrue(us > 0);
        assertTrue(near.host().link().counts().sentLost() > 0, "nothing was lost");
    }

    @Test
    void shouldLimitTheRate() {
        near.host().link().rate(8);
        near.ask("map", "flow", server, 0);
        double seconds = Long.parseLong(near.ask("stream", "flow", 1_000_000)) / 1e6;
        // 1 MB is 8 Mbit, and 4 % more with its headers; 100 ms of it may wait, so little is lost.
        assertTrue(seconds > 1 && seconds < 2, () -> "1 MB in " + seconds + " s at 8 Mbit/s");

        near.host().link().rate(0);
        double unlimited = Long.parseLong(near.ask("stream", "flow", 1_000_000)) / 1e6;
        assertTrue(unlimited < 1, () -> "1 MB in " + unlimited + " s without limit");
    }

    /** Three wires and a gateway in a row; on an idle machine it is 3 to 6 Gbit/s. */
    @Test
    void shouldBeFastWithoutDelay() {
        for (LabLink link :
                new LabLink[] {near.host().link(), nat.link(), far.host().link()}) {
            link.delay(Duration.ZERO);
        }
        near.ask("map", "flow", server, 0);
        double best = 0;
        for (int i = 0; i < 3; i++) {
            int bytes = 200_000_000;
            best = Math.max(best, bytes * 8e-3 / Long.parseLong(near.ask("stream", "flow", bytes)));
        }
        System.out.printf("through a NAT and three wires without delay: %.1f Gbit/s%n", best);
        assertTrue(best > 0.5, best + " Gbit/s");
    }
}
