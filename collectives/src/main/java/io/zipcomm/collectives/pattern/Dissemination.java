package io.zipcomm.collectives.pattern;

/**
 * Rounds in which every rank sends to the one at a distance of 1, 2, 4 and so on: after each, a rank has heard, directly
 * or not, of twice as many. For any number of ranks.
 *
 * @param rank this rank
 * @param size number of ranks
 */
public record Dissemination(int rank, int size) {

    /** Rounds until all have heard of all: log2(P), rounded up. */
    public int rounds() {
        return Integer.SIZE - Integer.numberOfLeadingZeros(size - 1);
    }

    /** How far away the partners of a round are. */
    public int distance(int round) {
        return 1 << round;
    }

    /** The rank at a distance after this one. */
    public int after(int distance) {
        return (rank + distance) % size;
    }

    /** The rank at a distance before this one. */
    public int before(int distance) {
        return Math.floorMod(rank - distance, size);
    }
}
