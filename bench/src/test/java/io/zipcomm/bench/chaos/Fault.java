package io.zipcomm.bench.chaos;

import java.time.Duration;

/** What is done to a group. */
enum Fault {

    /** One or two processes are ended by SIGKILL. */
    KILL(true, Duration.ofSeconds(2)),

    /** The same right after the relay was started again: until all that live are back, the dead are taken for late. */
    KILL_BEHIND_RESTART(true, Limits.SILENCE),

    /** A process stands still for less than the heartbeat timeout. */
    PAUSE(false, Duration.ZERO),

    /** A process stands still for longer. */
    FREEZE(true, Limits.SILENCE),

    /** A host has no network for less than the heartbeat timeout. */
    BLIP(false, Duration.ZERO),

    /** A host has no network for longer. */
    CUT(true, Limits.SILENCE),

    /** The relay is ended by SIGKILL, and another started at its address. */
    RELAY_RESTART(false, Duration.ZERO);

    /** Times that the relay's heartbeats give. */
    static final class Limits {

        /** The default of the relay. */
        static final Duration HEARTBEAT_TIMEOUT = Duration.ofSeconds(5);

        /** From the last sign of life until all know. */
        static final Duration SILENCE = HEARTBEAT_TIMEOUT.plusSeconds(1);

        private Limits() {}
    }

    private final boolean deadly;
    private final Duration limit;

    Fault(boolean deadly, Duration limit) {
        this.deadly = deadly;
        this.limit = limit;
    }

    /** Whether the group is to lose its victims; if not, it may not notice anything but a delay. */
    boolean deadly() {
        return deadly;
    }

    /** From the fault until all survivors have agreed who is dead. */
    Duration limit() {
        return limit;
    }

    /** Whether it needs hosts with networks of their own. */
    boolean needsNetworks() {
        return this == BLIP || this == CUT;
    }
}
