package io.zipcomm.bench.report;

import io.zipcomm.bench.plan.BenchOperation;

/**
 * What a message costs on a path. Where it rates a row, it was measured beside each slice.
 *
 * @param alphaUs      microseconds a message: half the median round trip of 8 bytes
 * @param betaUsPerByte microseconds a byte: from a saturated stream in one direction
 * @param duplexUsPerByte microseconds a byte in each direction, of two saturated streams against each other: more than beta
 *                     where both directions share a processor or a wire
 */
public record CostModel(double alphaUs, double betaUsPerByte, double duplexUsPerByte) {

    /** A model that knows nothing. */
    public static final CostModel UNKNOWN = new CostModel(Double.NaN, Double.NaN);

    /** Of a path whose directions do not slow each other down. */
    public CostModel(double alphaUs, double betaUsPerByte) {
        this(alphaUs, betaUsPerByte, betaUsPerByte);
    }

    /** Least time of an operation, in microseconds: see {@link BenchOperation}. Adding numbers is taken to be free. */
    public double boundUs(BenchOperation operation, int ranks, long bytes) {
        double bound = operation.latencySteps(ranks) * alphaUs;
        double usPerByte = operation.isTwoWay() ? duplexUsPerByte : betaUsPerByte;
        return operation.hasBytes() ? bound + operation.byteFactor(ranks) * bytes * usPerByte : bound;
    }

    /** Least time over measured time; NaN for groups of one, which need no messages. */
    public double efficiency(BenchOperation operation, int ranks, long bytes, double measuredUs) {
        return ranks > 1 ? boundUs(operation, ranks, bytes) / measuredUs : Double.NaN;
    }

    /** Stream bandwidth in 10^9 bytes a second. */
    public double streamGBps() {
        return 1e-3 / betaUsPerByte;
    }

    /** Bandwidth of each of two streams against each other, in 10^9 bytes a second. */
    public double duplexGBps() {
        return 1e-3 / duplexUsPerByte;
    }
}
