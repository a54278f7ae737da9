package io.zipcomm.collectives.pattern;

/**
 * A tree of depth log2(P) in which every subtree is a stretch of consecutive vranks: that of v begins at v and has as
 * many members as v's lowest set bit is worth, cut off at P.
 *
 * @param vrank this rank, renumbered so that the root is 0
 * @param size  number of ranks
 */
public record BinomialTree(int vrank, int size) {

    /** The vrank of this rank's parent; not for the root. */
    public int parent() {
        return vrank & (vrank - 1);
    }

    /** Whether this rank has no parent. */
    public boolean isRoot() {
        return vrank == 0;
    }

    /** Number of children. */
    public int children() {
        int count = 0;
        while (distance(count) < reach() && vrank + distance(count) < size) {
            count++;
        }
        return count;
    }

    /** The vrank of a child: the more its index, the larger its subtree. */
    public int child(int index) {
        return vrank + distance(index);
    }

    /** Number of ranks in the subtree of a child, itself included. */
    public int childSubtree(int index) {
        return Math.min(distance(index), size - child(index));
    }

    /** Number of ranks in this rank's subtree, itself included. */
    public int subtree() {
        return Math.min(reach(), size - vrank);
    }

    private static int distance(int index) {
        return 1 << index;
    }

    /** Children are nearer than this. */
    private int reach() {
        return isRoot() ? Integer.highestOneBit(Math.max(1, size - 1)) << 1 : Integer.lowestOneBit(vrank);
    }
}
