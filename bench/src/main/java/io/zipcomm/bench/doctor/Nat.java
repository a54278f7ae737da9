package io.zipcomm.bench.doctor;

/**
 * What is between this process and its relays.
 *
 * @param mapping    where a port of this process is seen from outside
 * @param otherPorts whether connections to other ports than the relay's are let out
 * @param reach      whether a relay forwards for this process
 */
record Nat(Mapping mapping, Seen otherPorts, Seen reach) {

    /** Where a port of this process is seen from outside. */
    enum Mapping {
        /** At its own address. */
        NONE,
        /** At the same address and port by everybody. */
        STEADY,
        /** At another port with every destination, or with every connection. */
        CHANGING,
        /** There is a NAT; whether everybody sees the same is not known. */
        UNKNOWN,
        /** Nobody outside has seen it. */
        UNSEEN,
        /** All go through a proxy: no other connections are expected to pass. */
        PROXY
    }

    /** What a measurement says. */
    enum Seen {
        YES,
        NO,
        UNKNOWN
    }
}
