package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.internal.Combiner;
import java.util.EnumMap;
import java.util.Map;

/** The library's reductions for a relay: the same kernels, so that results have the same bits. */
public final class BlockCombiner implements Combiner {

    /** By number; null where there is none, as for the user's own, which are known to no relay. */
    private static final ReduceOp[] REDUCTIONS = new ReduceOp[ReduceOp.Kind.values().length + 1];

    static {
        ReduceOp[] all = {
            ReduceOp.SUM,
            ReduceOp.PROD,
            ReduceOp.MIN,
            ReduceOp.MAX,
            ReduceOp.AVG,
            ReduceOp.BAND,
            ReduceOp.BOR,
            ReduceOp.BXOR
        };
        for (ReduceOp one : all) {
            REDUCTIONS[one.kind().number()] = one;
        }
    }

    private final Map<DataType, Kernel> kernels = new EnumMap<>(DataType.class);
    private final Segment left = Segment.allocate(BLOCK_BYTES);
    private final Segment right = Segment.allocate(BLOCK_BYTES);

    /** Found by {@link java.util.ServiceLoader}. */
    public static final class Provider implements Combiner.Provider {

        /** Nothing is made yet. */
        public Provider() {}

        @Override
        public Combiner open() {
            return new BlockCombiner();
        }
    }

    @Override
    public boolean supports(DataType type, int reduction) {
        ReduceOp op = reduction < REDUCTIONS.length ? REDUCTIONS[reduction] : null;
        return op != null && op.supports(type);
    }

    @Override
    public Segment left() {
        return left;
    }

    @Override
    public Segment right() {
        return right;
    }

    @Override
    public void combine(DataType type, int reduction, int bytes, int ranks) {
        ReduceOp op = REDUCTIONS[reduction];
        Kernel kernel = kernels.computeIfAbsent(type, Kernel::of);
        int count = bytes / type.bytes();
        for (int from = 0; from < count; from += kernel.blockCount()) {
            int some = Math.min(kernel.blockCount(), count - from);
            kernel.read(kernel.elements(left), from, kernel.left(), some);
            kernel.read(kernel.elements(right), from, kernel.right(), some);
            kernel.combine(op, some);
            if (ranks > 1 && op.kind() == ReduceOp.Kind.AVG) {
                kernel.divide(ranks, some);
            }
            kernel.round(some);
            kernel.write(kernel.elements(left), from, some);
        }
    }
}
