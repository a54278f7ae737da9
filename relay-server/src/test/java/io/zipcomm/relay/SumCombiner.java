package io.zipcomm.relay;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Segment;
import io.zipcomm.internal.Combiner;

/** Adds FLOAT32, for a relay without the module that knows all reductions. */
public final class SumCombiner implements Combiner {

    static final int SUM = 1;

    /** Cannot be added: this combiner has a defect. */
    public static final float DEFECT = 1234567.5f;

    private final Segment left = Segment.allocate(BLOCK_BYTES);
    private final Segment right = Segment.allocate(BLOCK_BYTES);

    /** Found by the relay. */
    public static final class Provider implements Combiner.Provider {

        /** Nothing is made yet. */
        public Provider() {}

        @Override
        public Combiner open() {
            return new SumCombiner();
        }
    }

    @Override
    public boolean supports(DataType type, int reduction) {
        return type == DataType.FLOAT32 && reduction == SUM;
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
        for (int i = 0; i < bytes / Float.BYTES; i++) {
            if (right.floats().get(i) == DEFECT) {
                throw new IllegalStateException("the number that cannot be added");
            }
            left.floats().put(i, left.floats().get(i) + right.floats().get(i));
        }
    }
}
