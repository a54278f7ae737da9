package io.zipcomm.bench.report;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.plan.Transports;
import java.util.Collection;
import java.util.Optional;

/**
 * One line of the result. Times are over iterations, of the slowest rank of each.
 *
 * @param operation   what was measured
 * @param transport   over which paths, or the name of a baseline
 * @param algorithm   how
 * @param ranks       size of the group
 * @param bytes       M; 0 for operations without data
 * @param iterations  how many were timed; 0 if the measurement failed
 * @param p50Us       median, microseconds; NaN if the measurement failed
 * @param p99Us       99th percentile, microseconds; NaN if the measurement failed
 * @param efficiency  lower bound over measured median, the median of the slices; NaN if there is nothing to compute it from
 * @param verified    whether every rank found the right data in every iteration
 * @param cost        what it cost besides the time
 */
public record Row(
        BenchOperation operation,
        String transport,
        String algorithm,
        int ranks,
        long bytes,
        int iterations,
        double p50Us,
        double p99Us,
        double efficiency,
        boolean verified,
        Cost cost) {

    /** Transport of rows that were measured with nothing of the library. */
    public static final String FLOOR = "floor";

    private static final double BYTES_PER_US_IN_GBPS = 1e-3;

    /** A row that could not be measured. */
    public static Row failed(BenchOperation operation, String transport, String algorithm, int ranks, long bytes) {
        return new Row(
                operation,
                transport,
                algorithm,
                ranks,
                bytes,
                0,
                Double.NaN,
                Double.NaN,
                Double.NaN,
                false,
                Cost.UNKNOWN);
    }

    /** Whether it is another system's, or the floor. */
    public boolean isBaseline() {
        return !Transports.isOwn(transport);
    }

    /** Whether it says what can be done with nothing of the library. */
    public boolean isFloor() {
        return transport.equals(FLOOR);
    }

    /** By what the processes reached each other. */
    public Means means() {
        return isFloor() ? Means.ofFloor(algorithm) : Means.of(transport);
    }

    /**
     * Which of the library's transports a baseline's row is compared with. A floor is compared with nothing but what goes by
     * the same means.
     *
     * @param present who took part
     */
    public Optional<String> peer(Collection<String> present) {
        return isFloor() ? Transports.sameMeans(means(), present) : Transports.peer(means(), present);
    }

    /** Whether there are times. */
    public boolean isMeasured() {
        return iterations > 0;
    }

    /** Bus bandwidth as nccl-tests defines it, in 10^9 bytes a second; NaN without data or times. */
    public double busGBps() {
        return isMeasured() && operation.hasBytes()
                ? operation.byteFactor(ranks) * bytes / p50Us * BYTES_PER_US_IN_GBPS
                : Double.NaN;
    }
}
