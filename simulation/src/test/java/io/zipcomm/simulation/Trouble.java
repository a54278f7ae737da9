package io.zipcomm.simulation;

/**
 * What a fault does to a host, and for how long.
 *
 * @param fault   what struck
 * @param host    to whom; null for all
 * @param fromNs  instant at which it began
 * @param untilNs instant at which it was over; what follows from it may take longer
 */
record Trouble(Fault fault, Host host, long fromNs, long untilNs) {

    /** Whether something was going on between two instants. */
    boolean isWithin(long beganNs, long endedNs) {
        return fromNs <= endedNs && untilNs >= beganNs;
    }

    boolean isReset() {
        return fault.effect() == Fault.Effect.AWAY;
    }

    boolean isRestart() {
        return fault == Fault.RESTART_RELAY;
    }
}
