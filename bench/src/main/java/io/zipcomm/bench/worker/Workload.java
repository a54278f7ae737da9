package io.zipcomm.bench.worker;

/** One collective operation with its memory: what goes in, what has to come out. */
interface Workload {

    /**
     * Writes what goes in and spoils what comes out.
     *
     * @param iteration which data; the same on all ranks
     * @param all       every element, or those at the probes
     */
    void prepare(int iteration, boolean all);

    /** Does the operation. */
    void run();

    /**
     * Checks what came out.
     *
     * @param iteration as prepared
     * @param all       every element, or those at the probes
     * @return null if it is right, otherwise what is wrong first
     */
    String mismatch(int iteration, boolean all);
}
