package io.zipcomm.testkit.lab;

import java.time.Duration;

/**
 * The wire between a host or a gateway, its near end, and what is next to it on the way to the internet. Both directions are
 * alike, packets stay in order, and a change holds for packets that come after it.
 *
 * <p>A new link has {@link NetworkLab#DELAY}, no loss and no limit of rate.
 *
 * <p>Thread: any. No method blocks for longer than a command to the wire takes, well under a millisecond.
 */
public final class LabLink {

    private static final int MILLIONTHS_IN_A_PERCENT = 10_000;
    private static final long BITS_IN_A_MEGABIT = 1_000_000;

    private final WireProcess wire;
    private final int number;

    /** Makes two devices and the wire between them. */
    LabLink(WireProcess wire, Namespace near, String nearDevice, Namespace far, String farDevice) {
        this.wire = wire;
        String ends = near.descriptor() + " " + nearDevice + " " + far.descriptor() + " " + farDevice;
        number = Integer.parseInt(wire.ask("link " + ends + " " + micros(NetworkLab.DELAY)));
    }

    private static long micros(Duration duration) {
        return duration.toNanos() / 1000;
    }

    /**
     * Packets that the wire carried, and those that it did not, since the link was made. A packet is a train of up to 64 KiB
     * unless the link has loss or a limit of rate.
     *
     * @param sent        from the near end
     * @param sentLost    of these, did not arrive
     * @param received    to the near end
     * @param receivedLost of these, did not arrive
     */
    public record Counts(long sent, long sentLost, long received, long receivedLost) {}

    /** What went over the wire so far. */
    public Counts counts() {
        long[] counts = wire.askNumbers("counts " + number);
        return new Counts(counts[0] + counts[1], counts[1], counts[2] + counts[3], counts[3]);
    }

    /**
     * Sets how long packets are under way.
     *
     * @param oneWay time in either direction, in whole microseconds
     */
    public void delay(Duration oneWay) {
        set("delay", micros(oneWay) + "");
    }

    /**
     * Loses packets, each one by itself and each direction by itself. Equal seeds lose the same packets of a sequence.
     *
     * @param percent of all packets, 0 to 100
     * @param seed    of the random choice
     */
    public void lossy(double percent, int seed) {
        set("loss", Math.round(percent * MILLIONTHS_IN_A_PERCENT) + " " + Integer.toUnsignedString(seed));
    }

    /**
     * Limits what goes over the wire in each direction, headers of IP included. Up to 100 ms of it wait for their turn, and
     * more is lost.
     *
     * @param megabits a second; 0 is no limit
     */
    public void rate(double megabits) {
        set("rate", Math.round(megabits * BITS_IN_A_MEGABIT) + "");
    }

    /** Loses every packet from now on, also those under way. */
    public void cut() {
        set("cut", "1");
    }

    /** Ends a {@link #cut}. */
    public void heal() {
        set("cut", "0");
    }

    private void set(String what, String value) {
        wire.ask(what + " " + number + " " + value);
    }
}
