package io.zipcomm.collectives.pattern;

/**
 * A number of ranks reduced to the power of two below it. Of the first ranks, as many as are too many, each even one is
 * <em>out</em>: it gives what it has to its odd neighbour, and gets the result from it in the end. The ranks that are in
 * are renumbered; their order stays, so that each has consecutive ranks' data.
 *
 * @param rank this rank
 * @param size number of ranks
 */
public record Fold(int rank, int size) {

    /** Number of ranks that are in: a power of two. */
    public int power() {
        return Integer.highestOneBit(size);
    }

    private int surplus() {
        return size - power();
    }

    /** Whether this rank is out. */
    public boolean isOut() {
        return rank < 2 * surplus() && rank % 2 == 0;
    }

    /** Whether this rank is in, and has a neighbour that is out. */
    public boolean hasNeighbour() {
        return rank < 2 * surplus() && rank % 2 == 1;
    }

    /** The other of two ranks of which one is out. */
    public int neighbour() {
        return rank ^ 1;
    }

    /** This rank's number among those that are in. */
    public int number() {
        return rank < 2 * surplus() ? rank / 2 : rank - surplus();
    }

    /** The rank with a number among those that are in. */
    public int rankOf(int number) {
        return number < surplus() ? 2 * number + 1 : number + surplus();
    }

    /** The first rank whose data a number stands for: its own, or its neighbour's. Of {@link #power}: the size. */
    public int firstOf(int number) {
        return number < surplus() ? 2 * number : number + surplus();
    }
}
