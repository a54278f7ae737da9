package io.zipcomm.bench.worker;

/**
 * The ranks of a contestant that run Java, as one of them sees the others: its operations, and the few messages by which
 * they keep in step, which are not timed.
 */
interface Team {

    int rank();

    int size();

    /**
     * The operations.
     *
     * @param algorithm by which they are done, or {@link CaseOrder#AUTO}
     * @param segments  bytes in a segment of long messages, or 0 where the contestant chooses or has none
     */
    Operations operations(String algorithm, int segments);

    /**
     * The saturated stream by which the rows of a group are rated: from rank 0 to rank 1.
     *
     * @param bothWays whether rank 1 sends another one at the same time
     * @param progress told of what is done
     */
    default Exercise stream(boolean bothWays, Progress progress) {
        throw new UnsupportedOperationException("this contestant has no stream");
    }

    /** Sends the first {@code count} numbers of an array. */
    void send(int peer, long[] numbers, int count);

    /** Waits for as many numbers as the peer sends. */
    void receive(int peer, long[] numbers, int count);

    /** Bytes that this rank has sent so far; NaN if nobody counts. */
    double sentBytes();
}
