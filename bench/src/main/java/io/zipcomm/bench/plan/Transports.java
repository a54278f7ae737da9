package io.zipcomm.bench.plan;

import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** The library's transports, by the names that users write; every other contestant is a baseline. */
public final class Transports {

    /** Direct connections. */
    public static final String TCP = "tcp";

    /** Memory that ranks of one host share. */
    public static final String AERON_IPC = "aeron-ipc";

    /** Those that take part by default. */
    public static final List<String> DEFAULT = List.of(TCP, "relay");

    /** Those without a relay or a choice in between, which other systems are compared with by name. */
    public static final List<String> DIRECT = List.of(TCP, AERON_IPC, "aeron-udp", "rdma");

    /** All; whom others are compared with first comes first. */
    public static final List<String> ALL = List.of(TCP, AERON_IPC, "aeron-udp", "rdma", "auto", "relay");

    private Transports() {}

    /** Whether a contestant is a way of the library itself. */
    public static boolean isOwn(String contestant) {
        return ALL.contains(contestant);
    }

    /**
     * With which of the library's ways a baseline is compared: the first that goes by the same means, or else the first.
     *
     * @param means   of the baseline
     * @param present who took part
     */
    public static Optional<String> peer(Means means, Collection<String> present) {
        return sameMeans(means, present)
                .or(() -> ALL.stream().filter(present::contains).findFirst());
    }

    /** The first of the library's ways among those present that goes by some means. */
    public static Optional<String> sameMeans(Means means, Collection<String> present) {
        return ALL.stream()
                .filter(one -> present.contains(one) && Means.of(one) == means)
                .findFirst();
    }
}
