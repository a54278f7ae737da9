package io.zipcomm.bench.worker;

/**
 * How M bytes are cut into one block for each rank: as evenly as whole elements allow, longer ones last.
 *
 * @param count elements in all
 * @param ranks number of blocks
 */
record Blocks(int count, int ranks) {

    /** First element of a block. */
    int start(int rank) {
        return (int) ((long) count * rank / ranks);
    }

    /** Elements in a block. */
    int length(int rank) {
        return start(rank + 1) - start(rank);
    }

    /** Whether all blocks have the same length. */
    boolean isEven() {
        return count % ranks == 0;
    }

    int[] lengths() {
        int[] lengths = new int[ranks];
        for (int rank = 0; rank < ranks; rank++) {
            lengths[rank] = length(rank);
        }
        return lengths;
    }
}
