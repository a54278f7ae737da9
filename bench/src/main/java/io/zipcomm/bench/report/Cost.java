package io.zipcomm.bench.report;

/**
 * What an operation cost besides its time, and how steady that time was. Numbers that were not counted are NaN.
 *
 * @param spread          how far apart the medians of the slices of a row lie: (largest - least) / median of all; 0 for one
 *                        slice
 * @param cpuUs           processor time of all ranks together for an operation, in microseconds, the harness' barriers
 *                        included
 * @param contextSwitches of all ranks together for an operation, willing or not
 * @param allocatedBytes  most bytes that one rank's calling thread allocated on the heap for an operation
 * @param sentBytes       most bytes that one rank sent for an operation, barriers included
 * @param peakMemoryBytes resident memory of the largest rank at its peak, since its process began
 */
public record Cost(
        double spread,
        double cpuUs,
        double contextSwitches,
        double allocatedBytes,
        double sentBytes,
        double peakMemoryBytes) {

    /** Nothing was counted. */
    public static final Cost UNKNOWN = new Cost(Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);

    /** Only what moved and what was allocated. */
    public static Cost ofBytes(double sentBytes, double allocatedBytes) {
        return new Cost(Double.NaN, Double.NaN, Double.NaN, allocatedBytes, sentBytes, Double.NaN);
    }
}
