package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import java.nio.Buffer;

/**
 * Combines blocks of elements of one type.
 *
 * <p>Both operands are copied into arrays that stay in the first-level cache and are combined by plain loops from index
 * 0, which the compiler turns into vector instructions. It does not do so for loops over parts of larger arrays, which
 * begin at an index of their own, nor for element-wise access to memory off the heap: both took four to eight times as
 * long. So a block costs three copies within the cache beside the loop, whatever the memory is; they are what is left
 * between this and one loop over two arrays.
 *
 * <p>Thread: the engine holder; one kernel serves all operations of a communicator.
 */
public abstract class Kernel {

    /**
     * Length of a block: both operands, and what they are copied from and to, fit the first-level cache with room to spare.
     * Of 4 to 64 KiB this was the fastest or equal to it for messages of 64 KiB, 1 MiB and 16 MiB.
     */
    static final int BLOCK_BYTES = 4096;

    /** For memory that has neither an array nor a buffer, and for what arrives between two elements' places. */
    private final Segment staging = Segment.allocate(BLOCK_BYTES);

    private final int blockCount;

    /**
     * For subclasses of this package.
     *
     * @param blockCount elements in {@link #left} and in {@link #right}, together {@link #BLOCK_BYTES} at most
     */
    Kernel(int blockCount) {
        this.blockCount = blockCount;
    }

    /** A kernel for elements of a type. */
    public static Kernel of(DataType type) {
        return switch (type) {
            case INT8 -> new ByteKernel();
            case FLOAT16 -> new Float16Kernel();
            case BFLOAT16 -> new Bfloat16Kernel();
            case INT32 -> new IntKernel();
            case INT64 -> new LongKernel();
            case FLOAT32 -> new FloatKernel();
            case FLOAT64 -> new DoubleKernel();
        };
    }

    /** Elements in a block. */
    final int blockCount() {
        return blockCount;
    }

    /** An array of {@link #blockCount} elements, where results are formed. */
    abstract Object left();

    /** Another such array. */
    abstract Object right();

    /** A segment's view as elements. */
    abstract Buffer elements(Segment segment);

    /** Copies elements from a view, from an index on, to the beginning of {@link #left} or {@link #right}. */
    abstract void read(Buffer from, int index, Object block, int count);

    /** Copies the first elements of {@link #left} into a view, from an index on. */
    abstract void write(Buffer to, int index, int count);

    /** Replaces {@link #left} by {@link #left} combined with {@link #right}. */
    abstract void combine(ReduceOp op, int count);

    /** Divides {@link #left}, after {@link #combine}. */
    abstract void divide(int by, int count);

    /** Ends what {@link #combine} and {@link #divide} did to {@link #left}: kernels that work in a wider type round. */
    void round(int count) {}

    /** Memory for a block. */
    Segment staging() {
        return staging;
    }
}
