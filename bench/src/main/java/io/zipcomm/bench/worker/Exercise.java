package io.zipcomm.bench.worker;

/** An operation with its memory, to be run many times by all ranks alike. */
interface Exercise {

    /**
     * Runs the operation some times and times each. All ranks give the same arguments.
     *
     * @param count    how many times
     * @param timesNs  receives the times of this rank, from index 0; 0 on ranks that do not time
     * @param thorough whether the first and the last run have all their data checked; a few elements always are
     */
    void run(int count, long[] timesNs, boolean thorough);

    /** The first wrong datum that this rank found in any run; null if there was none. */
    String mismatch();

    /** Bytes that this thread allocated on the Java heap within the operations of the last call of {@link #run}. */
    long allocatedBytes();
}
