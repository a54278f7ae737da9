package io.zipcomm.bench.cluster;

/** Makes the contestants of one kind: one for each group size, and another one when its processes have failed. */
interface ContestantFactory {

    /**
     * A contestant without processes yet. Never fails.
     *
     * @param ranks size of its group
     */
    Contestant create(int ranks);
}
