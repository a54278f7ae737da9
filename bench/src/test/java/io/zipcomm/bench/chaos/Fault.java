package io.zipcomm.bench.chaos;

import java.time.Duration;

/** What is done to a group. */
enum Fault {

    /** One or two processes are ended by SIGKILL. */
    KILL(Outcome.VICTIMS_ARE_LOST, Limits.DEATH),

    /** The same right after the relay was started again: until all that live are back, the dead are taken for late. */
    KILL_BEHIND_RESTART(Outcome.VICTIMS_ARE_LOST, Limits.SILENCE),

    /** A process stands still for less than the heartbeat timeout. */
    PAUSE(Outcome.NONE, Duration.ZERO),

    /** A process stands still for longer. */
    FREEZE(Outcome.VICTIMS_ARE_LOST, Limits.SILENCE),

    /** A process stands still for a minute. */
    FREEZE_MINUTE(Outcome.VICTIMS_ARE_LOST, Limits.SILENCE),

    /** A host has no network for less than the heartbeat timeout. */
    BLIP(Outcome.NONE, Duration.ZERO),

    /** A host has no network for longer. */
    CUT(Outcome.VICTIMS_ARE_LOST, Limits.SILENCE),

    /** A process stands still and its host has no network, as a virtual machine of which a snapshot is taken, for less than the heartbeat timeout. */
    SUSPEND(Outcome.NONE, Duration.ZERO),

    /** The same for longer: what was said to it meanwhile, and that its connections were closed, has not arrived. */
    SNAPSHOT(Outcome.VICTIMS_ARE_LOST, Limits.SILENCE),

    /** The same for a minute. */
    SNAPSHOT_MINUTE(Outcome.VICTIMS_ARE_LOST, Limits.SILENCE),

    /** The relay is ended by SIGKILL, and another started at its address. */
    RELAY_RESTART(Outcome.NONE, Duration.ZERO),

    /** The relay is ended by SIGKILL, for good. Who has direct paths only goes on, until a process is killed too. */
    RELAY_LOSS(Outcome.GROUP_ENDS, Limits.RELAY);

    /** What is to come of it. */
    enum Outcome {
        /** A delay. */
        NONE,

        /** All others go on in another epoch. */
        VICTIMS_ARE_LOST,

        /** There is no other epoch. */
        GROUP_ENDS
    }

    /** Times that documents give, with defaults. */
    static final class Limits {

        /** From the end of a process until all know. */
        static final Duration DEATH = Duration.ofSeconds(2);

        /** The default of the relay. */
        static final Duration HEARTBEAT_TIMEOUT = Duration.ofSeconds(5);

        /** From the last sign of life until all know. */
        static final Duration SILENCE = HEARTBEAT_TIMEOUT.plusSeconds(1);

        /** The default of ranks. */
        static final Duration RELAY_TIMEOUT = Duration.ofSeconds(10);

        /** From the end of the relay until all that need it know. */
        static final Duration RELAY = RELAY_TIMEOUT.plusSeconds(1);

        /** Of the ranks here. */
        static final Duration OPERATION_TIMEOUT = Duration.ofSeconds(30);

        /** From the end of a process until all have noticed that had lost the relay before: by their deadlines, if by nothing else. */
        static final Duration DEATH_WITHOUT_RELAY = OPERATION_TIMEOUT.plusSeconds(1);

        /** From when a process goes on that stood still until it knows that it was given up. */
        static final Duration EXPELLED = Duration.ofSeconds(5);

        /** From when a host has its network back until a process on it has ended: it may have tried for a while to reach the relay. */
        static final Duration CUT_OFF = RELAY_TIMEOUT.plusSeconds(5);

        private Limits() {}
    }

    private final Outcome outcome;
    private final Duration limit;

    Fault(Outcome outcome, Duration limit) {
        this.outcome = outcome;
        this.limit = limit;
    }

    Outcome outcome() {
        return outcome;
    }

    /** Whether the group is to lose its victims. */
    boolean deadly() {
        return outcome == Outcome.VICTIMS_ARE_LOST;
    }

    /** From the fault until all survivors have agreed who is dead, or know that there is nobody to ask. */
    Duration limit() {
        return limit;
    }

    /** Whether its victims stand still. */
    boolean stops() {
        return switch (this) {
            case PAUSE, FREEZE, FREEZE_MINUTE, SUSPEND, SNAPSHOT, SNAPSHOT_MINUTE -> true;
            default -> false;
        };
    }

    /** Whether the hosts of its victims have no network, so that each needs one of its own. */
    boolean cuts() {
        return switch (this) {
            case BLIP, CUT, SUSPEND, SNAPSHOT, SNAPSHOT_MINUTE -> true;
            default -> false;
        };
    }

    /** How long it lasts at least. */
    Duration lasts() {
        return this == FREEZE_MINUTE || this == SNAPSHOT_MINUTE ? Duration.ofMinutes(1) : Duration.ZERO;
    }

    /** Whether it is done to the relay. */
    boolean isOfRelay() {
        return this == RELAY_RESTART || this == RELAY_LOSS;
    }
}
