package io.zipcomm.collectives.select;

import io.zipcomm.internal.Signature;
import io.zipcomm.settings.ZipSettings.RelayCollectives;

/** The names of algorithms. One name may stand for an algorithm of several operations. */
public enum AlgorithmName {
    /** Rounds of doubling distance. */
    DISSEMINATION(1),
    /** A tree of depth log2 P. */
    BINOMIAL(2),
    /** Segments from rank to rank. */
    CHAIN(3),
    /** Chunks to all, then round a ring. */
    SCATTER_ALLGATHER(4),
    /** Exchanges at doubling distances. */
    DOUBLING(5),
    /** Segments round a ring. */
    RING(6),
    /** Halving, then doubling, or up a tree where one rank gets all. */
    RABENSEIFNER(7),
    /** Exchanges of halves at halving distances. */
    HALVING(8),
    /** The root and each other rank. */
    LINEAR(9),
    /** Blocks together over doubling distances. */
    BRUCK(10),
    /** Each pair for itself. */
    PAIRWISE(11),
    /** Inside hosts, between hosts, and inside again. */
    HIERARCHICAL(12),
    /** The relay sends what one rank gives it to the others. */
    RELAY_MULTICAST(13),
    /** The relay also combines what ranks give it. */
    RELAY_REDUCE(14),
    /** Each rank combines a chunk of all, and sends it to all. */
    EXCHANGE(15);

    private final int number;

    AlgorithmName(int number) {
        this.number = number;
    }

    /** Whether it cuts long messages into segments. */
    public boolean hasSegments() {
        return switch (this) {
            case CHAIN, SCATTER_ALLGATHER, RING, RABENSEIFNER, HALVING, HIERARCHICAL, EXCHANGE -> true;
            case DISSEMINATION, BINOMIAL, DOUBLING, LINEAR, BRUCK, PAIRWISE, RELAY_MULTICAST, RELAY_REDUCE -> false;
        };
    }

    /** Whether its segments are cut from the whole message; otherwise from what each rank has of it. */
    public boolean cutsWholeMessage() {
        return this == CHAIN || this == HIERARCHICAL;
    }

    /** What the relay must be allowed to do. */
    public RelayCollectives needs() {
        return switch (this) {
            case RELAY_MULTICAST -> RelayCollectives.MULTICAST;
            case RELAY_REDUCE -> RelayCollectives.REDUCE;
            default -> RelayCollectives.OFF;
        };
    }

    /** The number that stands for this on the wire. */
    public int number() {
        return number;
    }

    /** Name for people: {@code ring}. */
    @Override
    public String toString() {
        return Signature.algorithmName(number);
    }

    /** The algorithm with a name as people write it, or null. */
    public static AlgorithmName of(String text) {
        for (AlgorithmName name : values()) {
            if (name.toString().equals(text)) {
                return name;
            }
        }
        return null;
    }
}
