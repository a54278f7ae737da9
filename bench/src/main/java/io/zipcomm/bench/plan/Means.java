package io.zipcomm.bench.plan;

import java.util.Arrays;
import java.util.Set;

/** By what processes of one machine reach each other: who goes by the same means is compared first. */
public enum Means {
    /** Connections, and stores that are reached by them. */
    SOCKETS("plain sockets", "nio-spin", "plain spinning SocketChannel"),
    /** Memory that several processes have mapped, or read of each other. */
    SHARED_MEMORY("shared memory", "shm-spin", "one mapped cache line each, spinning");

    private static final Set<String> IN_MEMORY = Set.of(Transports.AERON_IPC, "mpi-shm");

    private final String noun;
    private final String floor;
    private final String floorDescription;

    Means(String noun, String floor, String floorDescription) {
        this.noun = noun;
        this.floor = floor;
        this.floorDescription = floorDescription;
    }

    /** Of a transport of the library, or of a baseline but the floor, which goes by each. */
    public static Means of(String transport) {
        return IN_MEMORY.contains(transport) ? SHARED_MEMORY : SOCKETS;
    }

    /**
     * Of a floor, by the name of its algorithm.
     *
     * @throws IllegalArgumentException if no floor is called so
     */
    public static Means ofFloor(String algorithm) {
        return Arrays.stream(values())
                .filter(one -> one.floor.equals(algorithm))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no floor by '" + algorithm + "'"));
    }

    /** For people. */
    public String noun() {
        return noun;
    }

    /** What stands in the column of the algorithm for the least that can be done by it, with nothing of the library. */
    public String floor() {
        return floor;
    }

    /** What that does, for people. */
    public String floorDescription() {
        return floorDescription;
    }
}
