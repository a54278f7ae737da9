package io.zipcomm.relay.route;

/** Limits that forwarding knows; what they are set by is the owner's business. */
public enum ForwardLimit {
    /** Payload of a frame. */
    FRAGMENT,
    /** What waits for slow ranks, in all. */
    MEMORY,
    /** What waits for the slow ranks of a group. */
    SESSION_MEMORY,
    /** How long bytes wait for a rank that takes none. */
    STANDSTILL,
    /** Bytes each second from a rank. */
    RANK_RATE,
    /** Bytes each second from all ranks of a group. */
    GROUP_RATE,
    /** Operations of the hub that are under way. */
    HUB_OPERATIONS
}
