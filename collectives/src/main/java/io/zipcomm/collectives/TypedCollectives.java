package io.zipcomm.collectives;

import io.zipcomm.buffer.Payload;
import java.nio.ByteBuffer;

/**
 * The blocking forms for whole arrays, and for the bytes between a buffer's position and limit. Each is the form for
 * payloads, of which they are the one-liners.
 */
abstract class TypedCollectives extends TypedAsyncCollectives {

    // ---- the forms for payloads

    abstract void broadcast(Payload message, int root);

    abstract void reduce(Payload source, Payload target, ReduceOp op, int root);

    abstract void reduce(Payload message, ReduceOp op, int root);

    abstract void allReduce(Payload source, Payload target, ReduceOp op);

    abstract void allReduce(Payload message, ReduceOp op);

    abstract void scatter(Payload source, Payload target, int root);

    abstract void gather(Payload source, Payload target, int root);

    abstract void allGather(Payload source, Payload target);

    abstract void allGather(Payload blocks);

    abstract void reduceScatter(Payload source, Payload target, ReduceOp op);

    abstract void allToAll(Payload source, Payload target);

    abstract void scatterv(Payload source, int[] counts, int[] displacements, Payload target, int root);

    abstract void gatherv(Payload source, Payload target, int[] counts, int[] displacements, int root);

    abstract void allGatherv(Payload source, Payload target, int[] counts, int[] displacements);

    abstract void allToAllv(
            Payload source,
            int[] sourceCounts,
            int[] sourceDisplacements,
            Payload target,
            int[] targetCounts,
            int[] targetDisplacements);

    // ---- the forms for arrays and buffers

    /** {@link Collectives#broadcast(Payload, int)} of whole arrays. */
    public void broadcast(float[] message, int root) {
        broadcast(payload(message), root);
    }

    /** {@link Collectives#broadcast(Payload, int)} of whole arrays. */
    public void broadcast(double[] message, int root) {
        broadcast(payload(message), root);
    }

    /** {@link Collectives#broadcast(Payload, int)} of whole arrays. */
    public void broadcast(int[] message, int root) {
        broadcast(payload(message), root);
    }

    /** {@link Collectives#broadcast(Payload, int)} of whole arrays. */
    public void broadcast(long[] message, int root) {
        broadcast(payload(message), root);
    }

    /** {@link Collectives#broadcast(Payload, int)} of whole arrays. */
    public void broadcast(byte[] message, int root) {
        broadcast(payload(message), root);
    }

    /** {@link Collectives#broadcast(Payload, int)} of whole buffers. */
    public void broadcast(ByteBuffer message, int root) {
        broadcast(payload(message), root);
    }

    /** {@link Collectives#reduce(Payload, Payload, ReduceOp, int)} of whole arrays. */
    public void reduce(float[] source, float[] target, ReduceOp op, int root) {
        reduce(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduce(Payload, Payload, ReduceOp, int)} of whole arrays. */
    public void reduce(double[] source, double[] target, ReduceOp op, int root) {
        reduce(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduce(Payload, Payload, ReduceOp, int)} of whole arrays. */
    public void reduce(int[] source, int[] target, ReduceOp op, int root) {
        reduce(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduce(Payload, Payload, ReduceOp, int)} of whole arrays. */
    public void reduce(long[] source, long[] target, ReduceOp op, int root) {
        reduce(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduce(Payload, Payload, ReduceOp, int)} of whole arrays. */
    public void reduce(byte[] source, byte[] target, ReduceOp op, int root) {
        reduce(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduce(Payload, Payload, ReduceOp, int)} of whole buffers. */
    public void reduce(ByteBuffer source, ByteBuffer target, ReduceOp op, int root) {
        reduce(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduce(Payload, ReduceOp, int)} of whole arrays. */
    public void reduce(float[] message, ReduceOp op, int root) {
        reduce(payload(message), op, root);
    }

    /** {@link Collectives#reduce(Payload, ReduceOp, int)} of whole arrays. */
    public void reduce(double[] message, ReduceOp op, int root) {
        reduce(payload(message), op, root);
    }

    /** {@link Collectives#reduce(Payload, ReduceOp, int)} of whole arrays. */
    public void reduce(int[] message, ReduceOp op, int root) {
        reduce(payload(message), op, root);
    }

    /** {@link Collectives#reduce(Payload, ReduceOp, int)} of whole arrays. */
    public void reduce(long[] message, ReduceOp op, int root) {
        reduce(payload(message), op, root);
    }

    /** {@link Collectives#reduce(Payload, ReduceOp, int)} of whole arrays. */
    public void reduce(byte[] message, ReduceOp op, int root) {
        reduce(payload(message), op, root);
    }

    /** {@link Collectives#reduce(Payload, ReduceOp, int)} of whole buffers. */
    public void reduce(ByteBuffer message, ReduceOp op, int root) {
        reduce(payload(message), op, root);
    }

    /** {@link Collectives#allReduce(Payload, Payload, ReduceOp)} of whole arrays. */
    public void allReduce(float[] source, float[] target, ReduceOp op) {
        allReduce(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduce(Payload, Payload, ReduceOp)} of whole arrays. */
    public void allReduce(double[] source, double[] target, ReduceOp op) {
        allReduce(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduce(Payload, Payload, ReduceOp)} of whole arrays. */
    public void allReduce(int[] source, int[] target, ReduceOp op) {
        allReduce(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduce(Payload, Payload, ReduceOp)} of whole arrays. */
    public void allReduce(long[] source, long[] target, ReduceOp op) {
        allReduce(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduce(Payload, Payload, ReduceOp)} of whole arrays. */
    public void allReduce(byte[] source, byte[] target, ReduceOp op) {
        allReduce(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduce(Payload, Payload, ReduceOp)} of whole buffers. */
    public void allReduce(ByteBuffer source, ByteBuffer target, ReduceOp op) {
        allReduce(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduce(Payload, ReduceOp)} of whole arrays. */
    public void allReduce(float[] message, ReduceOp op) {
        allReduce(payload(message), op);
    }

    /** {@link Collectives#allReduce(Payload, ReduceOp)} of whole arrays. */
    public void allReduce(double[] message, ReduceOp op) {
        allReduce(payload(message), op);
    }

    /** {@link Collectives#allReduce(Payload, ReduceOp)} of whole arrays. */
    public void allReduce(int[] message, ReduceOp op) {
        allReduce(payload(message), op);
    }

    /** {@link Collectives#allReduce(Payload, ReduceOp)} of whole arrays. */
    public void allReduce(long[] message, ReduceOp op) {
        allReduce(payload(message), op);
    }

    /** {@link Collectives#allReduce(Payload, ReduceOp)} of whole arrays. */
    public void allReduce(byte[] message, ReduceOp op) {
        allReduce(payload(message), op);
    }

    /** {@link Collectives#allReduce(Payload, ReduceOp)} of whole buffers. */
    public void allReduce(ByteBuffer message, ReduceOp op) {
        allReduce(payload(message), op);
    }

    /** {@link Collectives#scatter(Payload, Payload, int)} of whole arrays. */
    public void scatter(float[] source, float[] target, int root) {
        scatter(payload(source), payload(target), root);
    }

    /** {@link Collectives#scatter(Payload, Payload, int)} of whole arrays. */
    public void scatter(double[] source, double[] target, int root) {
        scatter(payload(source), payload(target), root);
    }

    /** {@link Collectives#scatter(Payload, Payload, int)} of whole arrays. */
    public void scatter(int[] source, int[] target, int root) {
        scatter(payload(source), payload(target), root);
    }

    /** {@link Collectives#scatter(Payload, Payload, int)} of whole arrays. */
    public void scatter(long[] source, long[] target, int root) {
        scatter(payload(source), payload(target), root);
    }

    /** {@link Collectives#scatter(Payload, Payload, int)} of whole arrays. */
    public void scatter(byte[] source, byte[] target, int root) {
        scatter(payload(source), payload(target), root);
    }

    /** {@link Collectives#scatter(Payload, Payload, int)} of whole buffers. */
    public void scatter(ByteBuffer source, ByteBuffer target, int root) {
        scatter(payload(source), payload(target), root);
    }

    /** {@link Collectives#gather(Payload, Payload, int)} of whole arrays. */
    public void gather(float[] source, float[] target, int root) {
        gather(payload(source), payload(target), root);
    }

    /** {@link Collectives#gather(Payload, Payload, int)} of whole arrays. */
    public void gather(double[] source, double[] target, int root) {
        gather(payload(source), payload(target), root);
    }

    /** {@link Collectives#gather(Payload, Payload, int)} of whole arrays. */
    public void gather(int[] source, int[] target, int root) {
        gather(payload(source), payload(target), root);
    }

    /** {@link Collectives#gather(Payload, Payload, int)} of whole arrays. */
    public void gather(long[] source, long[] target, int root) {
        gather(payload(source), payload(target), root);
    }

    /** {@link Collectives#gather(Payload, Payload, int)} of whole arrays. */
    public void gather(byte[] source, byte[] target, int root) {
        gather(payload(source), payload(target), root);
    }

    /** {@link Collectives#gather(Payload, Payload, int)} of whole buffers. */
    public void gather(ByteBuffer source, ByteBuffer target, int root) {
        gather(payload(source), payload(target), root);
    }

    /** {@link Collectives#allGather(Payload, Payload)} of whole arrays. */
    public void allGather(float[] source, float[] target) {
        allGather(payload(source), payload(target));
    }

    /** {@link Collectives#allGather(Payload, Payload)} of whole arrays. */
    public void allGather(double[] source, double[] target) {
        allGather(payload(source), payload(target));
    }

    /** {@link Collectives#allGather(Payload, Payload)} of whole arrays. */
    public void allGather(int[] source, int[] target) {
        allGather(payload(source), payload(target));
    }

    /** {@link Collectives#allGather(Payload, Payload)} of whole arrays. */
    public void allGather(long[] source, long[] target) {
        allGather(payload(source), payload(target));
    }

    /** {@link Collectives#allGather(Payload, Payload)} of whole arrays. */
    public void allGather(byte[] source, byte[] target) {
        allGather(payload(source), payload(target));
    }

    /** {@link Collectives#allGather(Payload, Payload)} of whole buffers. */
    public void allGather(ByteBuffer source, ByteBuffer target) {
        allGather(payload(source), payload(target));
    }

    /** {@link Collectives#allGather(Payload)} of whole arrays. */
    public void allGather(float[] blocks) {
        allGather(payload(blocks));
    }

    /** {@link Collectives#allGather(Payload)} of whole arrays. */
    public void allGather(double[] blocks) {
        allGather(payload(blocks));
    }

    /** {@link Collectives#allGather(Payload)} of whole arrays. */
    public void allGather(int[] blocks) {
        allGather(payload(blocks));
    }

    /** {@link Collectives#allGather(Payload)} of whole arrays. */
    public void allGather(long[] blocks) {
        allGather(payload(blocks));
    }

    /** {@link Collectives#allGather(Payload)} of whole arrays. */
    public void allGather(byte[] blocks) {
        allGather(payload(blocks));
    }

    /** {@link Collectives#allGather(Payload)} of whole buffers. */
    public void allGather(ByteBuffer blocks) {
        allGather(payload(blocks));
    }

    /** {@link Collectives#reduceScatter(Payload, Payload, ReduceOp)} of whole arrays. */
    public void reduceScatter(float[] source, float[] target, ReduceOp op) {
        reduceScatter(payload(source), payload(target), op);
    }

    /** {@link Collectives#reduceScatter(Payload, Payload, ReduceOp)} of whole arrays. */
    public void reduceScatter(double[] source, double[] target, ReduceOp op) {
        reduceScatter(payload(source), payload(target), op);
    }

    /** {@link Collectives#reduceScatter(Payload, Payload, ReduceOp)} of whole arrays. */
    public void reduceScatter(int[] source, int[] target, ReduceOp op) {
        reduceScatter(payload(source), payload(target), op);
    }

    /** {@link Collectives#reduceScatter(Payload, Payload, ReduceOp)} of whole arrays. */
    public void reduceScatter(long[] source, long[] target, ReduceOp op) {
        reduceScatter(payload(source), payload(target), op);
    }

    /** {@link Collectives#reduceScatter(Payload, Payload, ReduceOp)} of whole arrays. */
    public void reduceScatter(byte[] source, byte[] target, ReduceOp op) {
        reduceScatter(payload(source), payload(target), op);
    }

    /** {@link Collectives#reduceScatter(Payload, Payload, ReduceOp)} of whole buffers. */
    public void reduceScatter(ByteBuffer source, ByteBuffer target, ReduceOp op) {
        reduceScatter(payload(source), payload(target), op);
    }

    /** {@link Collectives#allToAll(Payload, Payload)} of whole arrays. */
    public void allToAll(float[] source, float[] target) {
        allToAll(payload(source), payload(target));
    }

    /** {@link Collectives#allToAll(Payload, Payload)} of whole arrays. */
    public void allToAll(double[] source, double[] target) {
        allToAll(payload(source), payload(target));
    }

    /** {@link Collectives#allToAll(Payload, Payload)} of whole arrays. */
    public void allToAll(int[] source, int[] target) {
        allToAll(payload(source), payload(target));
    }

    /** {@link Collectives#allToAll(Payload, Payload)} of whole arrays. */
    public void allToAll(long[] source, long[] target) {
        allToAll(payload(source), payload(target));
    }

    /** {@link Collectives#allToAll(Payload, Payload)} of whole arrays. */
    public void allToAll(byte[] source, byte[] target) {
        allToAll(payload(source), payload(target));
    }

    /** {@link Collectives#allToAll(Payload, Payload)} of whole buffers. */
    public void allToAll(ByteBuffer source, ByteBuffer target) {
        allToAll(payload(source), payload(target));
    }

    /** {@link Collectives#scatterv(Payload, int[], int[], Payload, int)} of whole arrays. */
    public void scatterv(float[] source, int[] counts, float[] target, int root) {
        scatterv(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#scatterv(Payload, int[], int[], Payload, int)} of whole arrays. */
    public void scatterv(double[] source, int[] counts, double[] target, int root) {
        scatterv(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#scatterv(Payload, int[], int[], Payload, int)} of whole arrays. */
    public void scatterv(int[] source, int[] counts, int[] target, int root) {
        scatterv(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#scatterv(Payload, int[], int[], Payload, int)} of whole arrays. */
    public void scatterv(long[] source, int[] counts, long[] target, int root) {
        scatterv(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#scatterv(Payload, int[], int[], Payload, int)} of whole arrays. */
    public void scatterv(byte[] source, int[] counts, byte[] target, int root) {
        scatterv(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#scatterv(Payload, int[], int[], Payload, int)} of whole buffers. */
    public void scatterv(ByteBuffer source, int[] counts, ByteBuffer target, int root) {
        scatterv(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#gatherv(Payload, Payload, int[], int[], int)} of whole arrays. */
    public void gatherv(float[] source, float[] target, int[] counts, int root) {
        gatherv(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#gatherv(Payload, Payload, int[], int[], int)} of whole arrays. */
    public void gatherv(double[] source, double[] target, int[] counts, int root) {
        gatherv(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#gatherv(Payload, Payload, int[], int[], int)} of whole arrays. */
    public void gatherv(int[] source, int[] target, int[] counts, int root) {
        gatherv(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#gatherv(Payload, Payload, int[], int[], int)} of whole arrays. */
    public void gatherv(long[] source, long[] target, int[] counts, int root) {
        gatherv(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#gatherv(Payload, Payload, int[], int[], int)} of whole arrays. */
    public void gatherv(byte[] source, byte[] target, int[] counts, int root) {
        gatherv(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#gatherv(Payload, Payload, int[], int[], int)} of whole buffers. */
    public void gatherv(ByteBuffer source, ByteBuffer target, int[] counts, int root) {
        gatherv(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#allGatherv(Payload, Payload, int[], int[])} of whole arrays. */
    public void allGatherv(float[] source, float[] target, int[] counts) {
        allGatherv(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allGatherv(Payload, Payload, int[], int[])} of whole arrays. */
    public void allGatherv(double[] source, double[] target, int[] counts) {
        allGatherv(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allGatherv(Payload, Payload, int[], int[])} of whole arrays. */
    public void allGatherv(int[] source, int[] target, int[] counts) {
        allGatherv(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allGatherv(Payload, Payload, int[], int[])} of whole arrays. */
    public void allGatherv(long[] source, long[] target, int[] counts) {
        allGatherv(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allGatherv(Payload, Payload, int[], int[])} of whole arrays. */
    public void allGatherv(byte[] source, byte[] target, int[] counts) {
        allGatherv(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allGatherv(Payload, Payload, int[], int[])} of whole buffers. */
    public void allGatherv(ByteBuffer source, ByteBuffer target, int[] counts) {
        allGatherv(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allToAllv(Payload, int[], int[], Payload, int[], int[])} of whole arrays. */
    public void allToAllv(float[] source, int[] sourceCounts, float[] target, int[] targetCounts) {
        allToAllv(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }

    /** {@link Collectives#allToAllv(Payload, int[], int[], Payload, int[], int[])} of whole arrays. */
    public void allToAllv(double[] source, int[] sourceCounts, double[] target, int[] targetCounts) {
        allToAllv(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }

    /** {@link Collectives#allToAllv(Payload, int[], int[], Payload, int[], int[])} of whole arrays. */
    public void allToAllv(int[] source, int[] sourceCounts, int[] target, int[] targetCounts) {
        allToAllv(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }

    /** {@link Collectives#allToAllv(Payload, int[], int[], Payload, int[], int[])} of whole arrays. */
    public void allToAllv(long[] source, int[] sourceCounts, long[] target, int[] targetCounts) {
        allToAllv(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }

    /** {@link Collectives#allToAllv(Payload, int[], int[], Payload, int[], int[])} of whole arrays. */
    public void allToAllv(byte[] source, int[] sourceCounts, byte[] target, int[] targetCounts) {
        allToAllv(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }

    /** {@link Collectives#allToAllv(Payload, int[], int[], Payload, int[], int[])} of whole buffers. */
    public void allToAllv(ByteBuffer source, int[] sourceCounts, ByteBuffer target, int[] targetCounts) {
        allToAllv(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }
}
