package io.zipcomm.collectives;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import java.nio.ByteBuffer;

/**
 * The asynchronous forms for whole arrays, and for the bytes between a buffer's position and limit. Each is the form for
 * payloads, of which they are the one-liners.
 */
abstract class TypedAsyncCollectives {

    // ---- the forms for payloads

    abstract ZipFuture<Void> broadcastAsync(Payload message, int root);

    abstract ZipFuture<Void> reduceAsync(Payload source, Payload target, ReduceOp op, int root);

    abstract ZipFuture<Void> reduceAsync(Payload message, ReduceOp op, int root);

    abstract ZipFuture<Void> allReduceAsync(Payload source, Payload target, ReduceOp op);

    abstract ZipFuture<Void> allReduceAsync(Payload message, ReduceOp op);

    abstract ZipFuture<Void> scatterAsync(Payload source, Payload target, int root);

    abstract ZipFuture<Void> gatherAsync(Payload source, Payload target, int root);

    abstract ZipFuture<Void> allGatherAsync(Payload source, Payload target);

    abstract ZipFuture<Void> allGatherAsync(Payload blocks);

    abstract ZipFuture<Void> reduceScatterAsync(Payload source, Payload target, ReduceOp op);

    abstract ZipFuture<Void> allToAllAsync(Payload source, Payload target);

    abstract ZipFuture<Void> scattervAsync(Payload source, int[] counts, int[] displacements, Payload target, int root);

    abstract ZipFuture<Void> gathervAsync(Payload source, Payload target, int[] counts, int[] displacements, int root);

    abstract ZipFuture<Void> allGathervAsync(Payload source, Payload target, int[] counts, int[] displacements);

    abstract ZipFuture<Void> allToAllvAsync(
            Payload source,
            int[] sourceCounts,
            int[] sourceDisplacements,
            Payload target,
            int[] targetCounts,
            int[] targetDisplacements);

    static Payload payload(float[] array) {
        return array == null ? null : Payload.of(array);
    }

    static Payload payload(double[] array) {
        return array == null ? null : Payload.of(array);
    }

    static Payload payload(int[] array) {
        return array == null ? null : Payload.of(array);
    }

    static Payload payload(long[] array) {
        return array == null ? null : Payload.of(array);
    }

    static Payload payload(byte[] array) {
        return array == null ? null : Payload.of(array);
    }

    static Payload payload(ByteBuffer buffer) {
        return buffer == null ? null : Payload.of(buffer);
    }

    // ---- the forms for arrays and buffers

    /** {@link Collectives#broadcastAsync(Payload, int)} of whole arrays. */
    public ZipFuture<Void> broadcastAsync(float[] message, int root) {
        return broadcastAsync(payload(message), root);
    }

    /** {@link Collectives#broadcastAsync(Payload, int)} of whole arrays. */
    public ZipFuture<Void> broadcastAsync(double[] message, int root) {
        return broadcastAsync(payload(message), root);
    }

    /** {@link Collectives#broadcastAsync(Payload, int)} of whole arrays. */
    public ZipFuture<Void> broadcastAsync(int[] message, int root) {
        return broadcastAsync(payload(message), root);
    }

    /** {@link Collectives#broadcastAsync(Payload, int)} of whole arrays. */
    public ZipFuture<Void> broadcastAsync(long[] message, int root) {
        return broadcastAsync(payload(message), root);
    }

    /** {@link Collectives#broadcastAsync(Payload, int)} of whole arrays. */
    public ZipFuture<Void> broadcastAsync(byte[] message, int root) {
        return broadcastAsync(payload(message), root);
    }

    /** {@link Collectives#broadcastAsync(Payload, int)} of whole buffers. */
    public ZipFuture<Void> broadcastAsync(ByteBuffer message, int root) {
        return broadcastAsync(payload(message), root);
    }

    /** {@link Collectives#reduceAsync(Payload, Payload, ReduceOp, int)} of whole arrays. */
    public ZipFuture<Void> reduceAsync(float[] source, float[] target, ReduceOp op, int root) {
        return reduceAsync(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, Payload, ReduceOp, int)} of whole arrays. */
    public ZipFuture<Void> reduceAsync(double[] source, double[] target, ReduceOp op, int root) {
        return reduceAsync(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, Payload, ReduceOp, int)} of whole arrays. */
    public ZipFuture<Void> reduceAsync(int[] source, int[] target, ReduceOp op, int root) {
        return reduceAsync(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, Payload, ReduceOp, int)} of whole arrays. */
    public ZipFuture<Void> reduceAsync(long[] source, long[] target, ReduceOp op, int root) {
        return reduceAsync(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, Payload, ReduceOp, int)} of whole arrays. */
    public ZipFuture<Void> reduceAsync(byte[] source, byte[] target, ReduceOp op, int root) {
        return reduceAsync(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, Payload, ReduceOp, int)} of whole buffers. */
    public ZipFuture<Void> reduceAsync(ByteBuffer source, ByteBuffer target, ReduceOp op, int root) {
        return reduceAsync(payload(source), payload(target), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, ReduceOp, int)} of whole arrays. */
    public ZipFuture<Void> reduceAsync(float[] message, ReduceOp op, int root) {
        return reduceAsync(payload(message), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, ReduceOp, int)} of whole arrays. */
    public ZipFuture<Void> reduceAsync(double[] message, ReduceOp op, int root) {
        return reduceAsync(payload(message), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, ReduceOp, int)} of whole arrays. */
    public ZipFuture<Void> reduceAsync(int[] message, ReduceOp op, int root) {
        return reduceAsync(payload(message), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, ReduceOp, int)} of whole arrays. */
    public ZipFuture<Void> reduceAsync(long[] message, ReduceOp op, int root) {
        return reduceAsync(payload(message), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, ReduceOp, int)} of whole arrays. */
    public ZipFuture<Void> reduceAsync(byte[] message, ReduceOp op, int root) {
        return reduceAsync(payload(message), op, root);
    }

    /** {@link Collectives#reduceAsync(Payload, ReduceOp, int)} of whole buffers. */
    public ZipFuture<Void> reduceAsync(ByteBuffer message, ReduceOp op, int root) {
        return reduceAsync(payload(message), op, root);
    }

    /** {@link Collectives#allReduceAsync(Payload, Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> allReduceAsync(float[] source, float[] target, ReduceOp op) {
        return allReduceAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> allReduceAsync(double[] source, double[] target, ReduceOp op) {
        return allReduceAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> allReduceAsync(int[] source, int[] target, ReduceOp op) {
        return allReduceAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> allReduceAsync(long[] source, long[] target, ReduceOp op) {
        return allReduceAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> allReduceAsync(byte[] source, byte[] target, ReduceOp op) {
        return allReduceAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, Payload, ReduceOp)} of whole buffers. */
    public ZipFuture<Void> allReduceAsync(ByteBuffer source, ByteBuffer target, ReduceOp op) {
        return allReduceAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> allReduceAsync(float[] message, ReduceOp op) {
        return allReduceAsync(payload(message), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> allReduceAsync(double[] message, ReduceOp op) {
        return allReduceAsync(payload(message), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> allReduceAsync(int[] message, ReduceOp op) {
        return allReduceAsync(payload(message), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> allReduceAsync(long[] message, ReduceOp op) {
        return allReduceAsync(payload(message), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> allReduceAsync(byte[] message, ReduceOp op) {
        return allReduceAsync(payload(message), op);
    }

    /** {@link Collectives#allReduceAsync(Payload, ReduceOp)} of whole buffers. */
    public ZipFuture<Void> allReduceAsync(ByteBuffer message, ReduceOp op) {
        return allReduceAsync(payload(message), op);
    }

    /** {@link Collectives#scatterAsync(Payload, Payload, int)} of whole arrays. */
    public ZipFuture<Void> scatterAsync(float[] source, float[] target, int root) {
        return scatterAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#scatterAsync(Payload, Payload, int)} of whole arrays. */
    public ZipFuture<Void> scatterAsync(double[] source, double[] target, int root) {
        return scatterAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#scatterAsync(Payload, Payload, int)} of whole arrays. */
    public ZipFuture<Void> scatterAsync(int[] source, int[] target, int root) {
        return scatterAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#scatterAsync(Payload, Payload, int)} of whole arrays. */
    public ZipFuture<Void> scatterAsync(long[] source, long[] target, int root) {
        return scatterAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#scatterAsync(Payload, Payload, int)} of whole arrays. */
    public ZipFuture<Void> scatterAsync(byte[] source, byte[] target, int root) {
        return scatterAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#scatterAsync(Payload, Payload, int)} of whole buffers. */
    public ZipFuture<Void> scatterAsync(ByteBuffer source, ByteBuffer target, int root) {
        return scatterAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#gatherAsync(Payload, Payload, int)} of whole arrays. */
    public ZipFuture<Void> gatherAsync(float[] source, float[] target, int root) {
        return gatherAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#gatherAsync(Payload, Payload, int)} of whole arrays. */
    public ZipFuture<Void> gatherAsync(double[] source, double[] target, int root) {
        return gatherAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#gatherAsync(Payload, Payload, int)} of whole arrays. */
    public ZipFuture<Void> gatherAsync(int[] source, int[] target, int root) {
        return gatherAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#gatherAsync(Payload, Payload, int)} of whole arrays. */
    public ZipFuture<Void> gatherAsync(long[] source, long[] target, int root) {
        return gatherAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#gatherAsync(Payload, Payload, int)} of whole arrays. */
    public ZipFuture<Void> gatherAsync(byte[] source, byte[] target, int root) {
        return gatherAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#gatherAsync(Payload, Payload, int)} of whole buffers. */
    public ZipFuture<Void> gatherAsync(ByteBuffer source, ByteBuffer target, int root) {
        return gatherAsync(payload(source), payload(target), root);
    }

    /** {@link Collectives#allGatherAsync(Payload, Payload)} of whole arrays. */
    public ZipFuture<Void> allGatherAsync(float[] source, float[] target) {
        return allGatherAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allGatherAsync(Payload, Payload)} of whole arrays. */
    public ZipFuture<Void> allGatherAsync(double[] source, double[] target) {
        return allGatherAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allGatherAsync(Payload, Payload)} of whole arrays. */
    public ZipFuture<Void> allGatherAsync(int[] source, int[] target) {
        return allGatherAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allGatherAsync(Payload, Payload)} of whole arrays. */
    public ZipFuture<Void> allGatherAsync(long[] source, long[] target) {
        return allGatherAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allGatherAsync(Payload, Payload)} of whole arrays. */
    public ZipFuture<Void> allGatherAsync(byte[] source, byte[] target) {
        return allGatherAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allGatherAsync(Payload, Payload)} of whole buffers. */
    public ZipFuture<Void> allGatherAsync(ByteBuffer source, ByteBuffer target) {
        return allGatherAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allGatherAsync(Payload)} of whole arrays. */
    public ZipFuture<Void> allGatherAsync(float[] blocks) {
        return allGatherAsync(payload(blocks));
    }

    /** {@link Collectives#allGatherAsync(Payload)} of whole arrays. */
    public ZipFuture<Void> allGatherAsync(double[] blocks) {
        return allGatherAsync(payload(blocks));
    }

    /** {@link Collectives#allGatherAsync(Payload)} of whole arrays. */
    public ZipFuture<Void> allGatherAsync(int[] blocks) {
        return allGatherAsync(payload(blocks));
    }

    /** {@link Collectives#allGatherAsync(Payload)} of whole arrays. */
    public ZipFuture<Void> allGatherAsync(long[] blocks) {
        return allGatherAsync(payload(blocks));
    }

    /** {@link Collectives#allGatherAsync(Payload)} of whole arrays. */
    public ZipFuture<Void> allGatherAsync(byte[] blocks) {
        return allGatherAsync(payload(blocks));
    }

    /** {@link Collectives#allGatherAsync(Payload)} of whole buffers. */
    public ZipFuture<Void> allGatherAsync(ByteBuffer blocks) {
        return allGatherAsync(payload(blocks));
    }

    /** {@link Collectives#reduceScatterAsync(Payload, Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> reduceScatterAsync(float[] source, float[] target, ReduceOp op) {
        return reduceScatterAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#reduceScatterAsync(Payload, Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> reduceScatterAsync(double[] source, double[] target, ReduceOp op) {
        return reduceScatterAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#reduceScatterAsync(Payload, Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> reduceScatterAsync(int[] source, int[] target, ReduceOp op) {
        return reduceScatterAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#reduceScatterAsync(Payload, Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> reduceScatterAsync(long[] source, long[] target, ReduceOp op) {
        return reduceScatterAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#reduceScatterAsync(Payload, Payload, ReduceOp)} of whole arrays. */
    public ZipFuture<Void> reduceScatterAsync(byte[] source, byte[] target, ReduceOp op) {
        return reduceScatterAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#reduceScatterAsync(Payload, Payload, ReduceOp)} of whole buffers. */
    public ZipFuture<Void> reduceScatterAsync(ByteBuffer source, ByteBuffer target, ReduceOp op) {
        return reduceScatterAsync(payload(source), payload(target), op);
    }

    /** {@link Collectives#allToAllAsync(Payload, Payload)} of whole arrays. */
    public ZipFuture<Void> allToAllAsync(float[] source, float[] target) {
        return allToAllAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allToAllAsync(Payload, Payload)} of whole arrays. */
    public ZipFuture<Void> allToAllAsync(double[] source, double[] target) {
        return allToAllAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allToAllAsync(Payload, Payload)} of whole arrays. */
    public ZipFuture<Void> allToAllAsync(int[] source, int[] target) {
        return allToAllAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allToAllAsync(Payload, Payload)} of whole arrays. */
    public ZipFuture<Void> allToAllAsync(long[] source, long[] target) {
        return allToAllAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allToAllAsync(Payload, Payload)} of whole arrays. */
    public ZipFuture<Void> allToAllAsync(byte[] source, byte[] target) {
        return allToAllAsync(payload(source), payload(target));
    }

    /** {@link Collectives#allToAllAsync(Payload, Payload)} of whole buffers. */
    public ZipFuture<Void> allToAllAsync(ByteBuffer source, ByteBuffer target) {
        return allToAllAsync(payload(source), payload(target));
    }

    /** {@link Collectives#scattervAsync(Payload, int[], int[], Payload, int)} of whole arrays. */
    public ZipFuture<Void> scattervAsync(float[] source, int[] counts, float[] target, int root) {
        return scattervAsync(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#scattervAsync(Payload, int[], int[], Payload, int)} of whole arrays. */
    public ZipFuture<Void> scattervAsync(double[] source, int[] counts, double[] target, int root) {
        return scattervAsync(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#scattervAsync(Payload, int[], int[], Payload, int)} of whole arrays. */
    public ZipFuture<Void> scattervAsync(int[] source, int[] counts, int[] target, int root) {
        return scattervAsync(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#scattervAsync(Payload, int[], int[], Payload, int)} of whole arrays. */
    public ZipFuture<Void> scattervAsync(long[] source, int[] counts, long[] target, int root) {
        return scattervAsync(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#scattervAsync(Payload, int[], int[], Payload, int)} of whole arrays. */
    public ZipFuture<Void> scattervAsync(byte[] source, int[] counts, byte[] target, int root) {
        return scattervAsync(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#scattervAsync(Payload, int[], int[], Payload, int)} of whole buffers. */
    public ZipFuture<Void> scattervAsync(ByteBuffer source, int[] counts, ByteBuffer target, int root) {
        return scattervAsync(payload(source), counts, null, payload(target), root);
    }

    /** {@link Collectives#gathervAsync(Payload, Payload, int[], int[], int)} of whole arrays. */
    public ZipFuture<Void> gathervAsync(float[] source, float[] target, int[] counts, int root) {
        return gathervAsync(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#gathervAsync(Payload, Payload, int[], int[], int)} of whole arrays. */
    public ZipFuture<Void> gathervAsync(double[] source, double[] target, int[] counts, int root) {
        return gathervAsync(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#gathervAsync(Payload, Payload, int[], int[], int)} of whole arrays. */
    public ZipFuture<Void> gathervAsync(int[] source, int[] target, int[] counts, int root) {
        return gathervAsync(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#gathervAsync(Payload, Payload, int[], int[], int)} of whole arrays. */
    public ZipFuture<Void> gathervAsync(long[] source, long[] target, int[] counts, int root) {
        return gathervAsync(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#gathervAsync(Payload, Payload, int[], int[], int)} of whole arrays. */
    public ZipFuture<Void> gathervAsync(byte[] source, byte[] target, int[] counts, int root) {
        return gathervAsync(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#gathervAsync(Payload, Payload, int[], int[], int)} of whole buffers. */
    public ZipFuture<Void> gathervAsync(ByteBuffer source, ByteBuffer target, int[] counts, int root) {
        return gathervAsync(payload(source), payload(target), counts, null, root);
    }

    /** {@link Collectives#allGathervAsync(Payload, Payload, int[], int[])} of whole arrays. */
    public ZipFuture<Void> allGathervAsync(float[] source, float[] target, int[] counts) {
        return allGathervAsync(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allGathervAsync(Payload, Payload, int[], int[])} of whole arrays. */
    public ZipFuture<Void> allGathervAsync(double[] source, double[] target, int[] counts) {
        return allGathervAsync(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allGathervAsync(Payload, Payload, int[], int[])} of whole arrays. */
    public ZipFuture<Void> allGathervAsync(int[] source, int[] target, int[] counts) {
        return allGathervAsync(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allGathervAsync(Payload, Payload, int[], int[])} of whole arrays. */
    public ZipFuture<Void> allGathervAsync(long[] source, long[] target, int[] counts) {
        return allGathervAsync(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allGathervAsync(Payload, Payload, int[], int[])} of whole arrays. */
    public ZipFuture<Void> allGathervAsync(byte[] source, byte[] target, int[] counts) {
        return allGathervAsync(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allGathervAsync(Payload, Payload, int[], int[])} of whole buffers. */
    public ZipFuture<Void> allGathervAsync(ByteBuffer source, ByteBuffer target, int[] counts) {
        return allGathervAsync(payload(source), payload(target), counts, null);
    }

    /** {@link Collectives#allToAllvAsync(Payload, int[], int[], Payload, int[], int[])} of whole arrays. */
    public ZipFuture<Void> allToAllvAsync(float[] source, int[] sourceCounts, float[] target, int[] targetCounts) {
        return allToAllvAsync(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }

    /** {@link Collectives#allToAllvAsync(Payload, int[], int[], Payload, int[], int[])} of whole arrays. */
    public ZipFuture<Void> allToAllvAsync(double[] source, int[] sourceCounts, double[] target, int[] targetCounts) {
        return allToAllvAsync(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }

    /** {@link Collectives#allToAllvAsync(Payload, int[], int[], Payload, int[], int[])} of whole arrays. */
    public ZipFuture<Void> allToAllvAsync(int[] source, int[] sourceCounts, int[] target, int[] targetCounts) {
        return allToAllvAsync(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }

    /** {@link Collectives#allToAllvAsync(Payload, int[], int[], Payload, int[], int[])} of whole arrays. */
    public ZipFuture<Void> allToAllvAsync(long[] source, int[] sourceCounts, long[] target, int[] targetCounts) {
        return allToAllvAsync(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }

    /** {@link Collectives#allToAllvAsync(Payload, int[], int[], Payload, int[], int[])} of whole arrays. */
    public ZipFuture<Void> allToAllvAsync(byte[] source, int[] sourceCounts, byte[] target, int[] targetCounts) {
        return allToAllvAsync(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }

    /** {@link Collectives#allToAllvAsync(Payload, int[], int[], Payload, int[], int[])} of whole buffers. */
    public ZipFuture<Void> allToAllvAsync(
            ByteBuffer source, int[] sourceCounts, ByteBuffer target, int[] targetCounts) {
        return allToAllvAsync(payload(source), sourceCounts, null, payload(target), targetCounts, null);
    }
}
