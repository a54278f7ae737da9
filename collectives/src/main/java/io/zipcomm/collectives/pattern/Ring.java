package io.zipcomm.collectives.pattern;

/**
 * Ranks in a circle, each sending to the next; and which of P chunks goes over it in each of the P - 1 steps.
 *
 * <p>Reducing, chunk c starts at rank c + 1 and goes round to rank c, growing on the way. Gathering, it starts at rank c
 * and ends at rank c - 1.
 *
 * @param rank this rank
 * @param size number of ranks, and of chunks
 */
public record Ring(int rank, int size) {

    /** Steps to get something from every rank to every other. */
    public int steps() {
        return size - 1;
    }

    /** To whom this rank sends. */
    public int next() {
        return (rank + 1) % size;
    }

    /** From whom this rank receives. */
    public int previous() {
        return Math.floorMod(rank - 1, size);
    }

    /** The chunk that this rank sends in a reducing step. */
    public int reducedSent(int step) {
        return Math.floorMod(rank - step - 1, size);
    }

    /** The chunk that this rank receives and adds to in a reducing step; it sends it in the next. */
    public int reducedReceived(int step) {
        return reducedSent(step + 1);
    }

    /** The chunk that this rank sends in a gathering step: its own in the first. */
    public int gatheredSent(int step) {
        return Math.floorMod(rank - step, size);
    }

    /** The chunk that this rank receives in a gathering step; it sends it in the next. */
    public int gatheredReceived(int step) {
        return gatheredSent(step + 1);
    }
}
