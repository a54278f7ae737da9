package io.zipcomm.bench.report;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import java.util.Locale;

/**
 * What an all-reduce of a large message costs besides time: bytes on the wire, compared with the least that any algorithm
 * needs, and memory that is left to the garbage collector.
 */
public final class AllReduceAudit {

    /** From this size on the lower bound on bytes means something: headers and barriers no longer count. */
    public static final long BYTES_MIN = 16L << 20;

    /** Bytes on the wire may exceed the bound by this fraction. */
    public static final double EXCESS_MAX = 0.02;

    /** Heap bytes that a call may allocate on its own thread: the payload views, the operation and its future. */
    public static final double ALLOCATED_MAX = 1024;

    private AllReduceAudit() {}

    /** Whether a row can be audited. */
    public static boolean covers(Row row) {
        return row.operation() == BenchOperation.ALLREDUCE
                && row.isMeasured()
                && !row.isBaseline()
                && row.ranks() > 1
                && row.bytes() >= BYTES_MIN;
    }

    /**
     * One line.
     *
     * @param row an all-reduce
     */
    public static String line(Row row) {
        double sentBytesMax = row.cost().sentBytes();
        double allocatedBytesMax = row.cost().allocatedBytes();
        double bound = row.operation().byteFactor(row.ranks()) * row.bytes();
        double excess = sentBytesMax / bound - 1;
        return String.format(
                Locale.ROOT,
                "allreduce %s, %s, %d ranks, %s: at most %,.0f bytes sent by a rank, %+.2f %% of 2(P-1)/P M (goal: within"
                        + " %.0f %%)%s; %,.0f bytes allocated by a call (goal: at most %,.0f)%s",
                ByteSize.describe(row.bytes()),
                row.transport(),
                row.ranks(),
                row.algorithm(),
                sentBytesMax,
                100 * excess,
                100 * EXCESS_MAX,
                Math.abs(excess) > EXCESS_MAX ? "  ABOVE THE GOAL" : "",
                allocatedBytesMax,
                ALLOCATED_MAX,
                allocatedBytesMax > ALLOCATED_MAX ? "  ABOVE THE GOAL" : "");
    }
}
