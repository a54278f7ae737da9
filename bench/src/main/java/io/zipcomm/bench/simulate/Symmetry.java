package io.zipcomm.bench.simulate;

/** How peers are counted from a rank, so that ranks which do the same have equal plans. */
enum Symmetry {
    /** By how many ranks the peer comes after, all round. */
    TRANSLATION {
        @Override
        int difference(int rank, int peer, int size) {
            return Math.floorMod(peer - rank, size);
        }

        @Override
        int peer(int rank, int difference, int size) {
            int sum = rank + difference;
            return sum < size ? sum : sum - size;
        }

        @Override
        int inverse(int difference, int size) {
            return difference == 0 ? 0 : size - difference;
        }
    },
    /** By which bits differ; for a power of two of ranks. */
    REFLECTION {
        @Override
        int difference(int rank, int peer, int size) {
            return rank ^ peer;
        }

        @Override
        int peer(int rank, int difference, int size) {
            return rank ^ difference;
        }

        @Override
        int inverse(int difference, int size) {
            return difference;
        }
    };

    /** What leads from a rank to a peer. */
    abstract int difference(int rank, int peer, int size);

    /** Where it leads. */
    abstract int peer(int rank, int difference, int size);

    /** What leads back. */
    abstract int inverse(int difference, int size);
}
