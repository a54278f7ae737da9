package io.zipcomm.collectives.kernel;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import java.nio.Buffer;

/**
 * A payload that combines what arrives with an operand, and keeps the result in a third place, which may be the
 * operand's own. Arriving bytes are combined as they come, a fragment at a time, while they are in the cache: no memory
 * for a whole message is needed, and no second pass over it.
 *
 * <p>Whoever brings the bytes must bring each once. The first exception of a user's function is kept, not thrown: what
 * arrives after it is dropped.
 *
 * <p>Thread: the engine holder.
 */
public final class Reduction extends Payload {

    /** Longer than any message: how long this is depends on what it is bound to. */
    private static final long BYTES_MAX = 1L << 62;

    private final int elementBytes;
    private final Kernel kernel;

    private Payload operand;
    private Object operandArray;
    private Buffer operandElements;
    private long operandOffset;

    private Payload target;
    private Object targetArray;
    private Buffer targetElements;
    private long targetOffset;

    private ReduceOp op;
    private boolean arrivedFirst;
    private int divisor;
    private Throwable failure;

    /**
     * Not yet bound to memory.
     *
     * @param kernel for the elements
     * @param type   of the elements
     */
    public Reduction(Kernel kernel, DataType type) {
        super(type, BYTES_MAX);
        this.kernel = kernel;
        elementBytes = type.bytes();
    }

    /**
     * Says what to combine with.
     *
     * @param payload has the operand
     * @param segment the payload's memory, if it is a segment from byte 0; otherwise null
     * @param offset  first byte in the payload
     */
    public void operand(Payload payload, Segment segment, long offset) {
        operand = payload;
        operandArray = payload.array();
        operandElements = segment != null ? kernel.elements(segment) : payload.elements();
        operandOffset = offset;
    }

    /**
     * Says where the result goes.
     *
     * @param payload takes the result
     * @param segment the payload's memory, if it is a segment from byte 0; otherwise null
     * @param offset  first byte in the payload
     */
    public void result(Payload payload, Segment segment, long offset) {
        target = payload;
        targetArray = payload.array();
        targetElements = segment != null ? kernel.elements(segment) : payload.elements();
        targetOffset = offset;
    }

    /**
     * Says how to combine. This is then ready for one message.
     *
     * @param newOp           what to do
     * @param newArrivedFirst whether what arrives is the left operand
     * @param newDivisor      by what to divide the result; 1 for nothing
     */
    public void combineBy(ReduceOp newOp, boolean newArrivedFirst, int newDivisor) {
        op = newOp;
        arrivedFirst = newArrivedFirst;
        divisor = newDivisor;
        failure = null;
    }

    /** Lets go of the memory. */
    public void clear() {
        operand = null;
        operandArray = null;
        operandElements = null;
        target = null;
        targetArray = null;
        targetElements = null;
        op = null;
        failure = null;
    }

    /** What a user's function threw first; null if nothing. */
    public Throwable failure() {
        return failure;
    }

    @Override
    public boolean isCombining() {
        return true;
    }

    @Override
    public void copyIn(long offset, Segment from, int at, int length) {
        if (failure != null) {
            return;
        }
        Object left = kernel.left();
        Object right = kernel.right();
        int done = 0;
        while (done < length) {
            int count = Math.min((length - done) / elementBytes, kernel.blockCount());
            loadArrived(from, at + done, arrivedFirst ? left : right, count);
            loadOperand(operandOffset + offset + done, arrivedFirst ? right : left, count);
            if (!combine(count)) {
                return;
            }
            store(targetOffset + offset + done, count);
            done += count * elementBytes;
        }
    }

    private boolean combine(int count) {
        try {
            kernel.combine(op, count);
            if (divisor != 1) {
                kernel.divide(divisor, count);
            }
            kernel.round(count);
        } catch (RuntimeException | Error e) {
            failure = e;
            return false;
        }
        return true;
    }

    private void loadArrived(Segment from, int at, Object block, int count) {
        if (at % elementBytes == 0) {
            kernel.read(kernel.elements(from), at / elementBytes, block, count);
        } else {
            kernel.staging().bytes().put(0, from.bytes(), at, count * elementBytes);
            kernel.read(kernel.elements(kernel.staging()), 0, block, count);
        }
    }

    private void loadOperand(long offset, Object block, int count) {
        if (operandArray != null) {
            System.arraycopy(operandArray, operand.arrayIndex() + (int) (offset / elementBytes), block, 0, count);
        } else if (operandElements != null) {
            kernel.read(operandElements, (int) (offset / elementBytes), block, count);
        } else {
            operand.copyOut(offset, kernel.staging(), 0, count * elementBytes);
            kernel.read(kernel.elements(kernel.staging()), 0, block, count);
        }
    }

    private void store(long offset, int count) {
        if (targetArray != null) {
            int index = target.arrayIndex() + (int) (offset / elementBytes);
            System.arraycopy(kernel.left(), 0, targetArray, index, count);
        } else if (targetElements != null) {
            kernel.write(targetElements, (int) (offset / elementBytes), count);
        } else {
            kernel.write(kernel.elements(kernel.staging()), 0, count);
            target.copyIn(offset, kernel.staging(), 0, count * elementBytes);
        }
    }

    @Override
    public void copyOut(long offset, Segment to, int at, int length) {
        throw new UnsupportedOperationException("only receives");
    }

    @Override
    protected Object owner() {
        return this;
    }

    @Override
    protected long ownerOffset() {
        return 0;
    }
}
