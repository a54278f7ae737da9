package io.zipcomm.collectives;

import io.zipcomm.buffer.Payload;
import java.util.ArrayList;
import java.util.List;

/**
 * The collective operations as {@link Prepared} ones: each method takes the arguments of the one of the same name in
 * {@link Collectives}, checks them, and builds everything that its runs need. Nothing is sent before the first run. Arrays
 * of counts and displacements are copied.
 *
 * <p>Thread: any. Blocking: never.
 */
public final class Preparation {

    private final Collectives collectives;

    Preparation(Collectives collectives) {
        this.collectives = collectives;
    }

    private Arguments arguments() {
        return collectives.context().arguments();
    }

    private Prepared prepared(Call call) {
        return collectives.prepared(call);
    }

    /** {@link Collectives#barrier()}, prepared. */
    public Prepared barrier() {
        return prepared(arguments().barrier());
    }

    /** {@link Collectives#broadcast(Payload, int)}, prepared. */
    public Prepared broadcast(Payload message, int root) {
        return prepared(arguments().broadcast(message, root));
    }

    /** {@link Collectives#reduce(Payload, Payload, ReduceOp, int)}, prepared. */
    public Prepared reduce(Payload source, Payload target, ReduceOp op, int root) {
        return prepared(arguments().reduce(source, target, op, root));
    }

    /** {@link Collectives#reduce(Payload, ReduceOp, int)}, prepared. */
    public Prepared reduce(Payload message, ReduceOp op, int root) {
        return prepared(arguments().reduceInPlace(message, op, root));
    }

    /** {@link Collectives#allReduce(Payload, Payload, ReduceOp)}, prepared. */
    public Prepared allReduce(Payload source, Payload target, ReduceOp op) {
        return prepared(arguments().allReduce(source, target, op));
    }

    /** {@link Collectives#allReduce(Payload, ReduceOp)}, prepared. */
    public Prepared allReduce(Payload message, ReduceOp op) {
        return prepared(arguments().allReduceInPlace(message, op));
    }

    /** {@link #allReduce(Payload, ReduceOp)} of a whole array. */
    public Prepared allReduce(float[] message, ReduceOp op) {
        return allReduce(Payload.of(message), op);
    }

    /** {@link #allReduce(Payload, ReduceOp)} of a whole array. */
    public Prepared allReduce(double[] message, ReduceOp op) {
        return allReduce(Payload.of(message), op);
    }

    /** {@link Collectives#scatter(Payload, Payload, int)}, prepared. */
    public Prepared scatter(Payload source, Payload target, int root) {
        return prepared(arguments().scatter(source, target, root));
    }

    /** {@link Collectives#gather(Payload, Payload, int)}, prepared. */
    public Prepared gather(Payload source, Payload target, int root) {
        return prepared(arguments().gather(source, target, root));
    }

    /** {@link Collectives#allGather(Payload, Payload)}, prepared. */
    public Prepared allGather(Payload source, Payload target) {
        return prepared(arguments().allGather(source, target));
    }

    /** {@link Collectives#allGather(Payload)}, prepared. */
    public Prepared allGather(Payload blocks) {
        return prepared(arguments().allGatherInPlace(blocks));
    }

    /** {@link Collectives#reduceScatter(Payload, Payload, ReduceOp)}, prepared. */
    public Prepared reduceScatter(Payload source, Payload target, ReduceOp op) {
        return prepared(arguments().reduceScatter(source, target, op));
    }

    /** {@link Collectives#allToAll(Payload, Payload)}, prepared. */
    public Prepared allToAll(Payload source, Payload target) {
        return prepared(arguments().allToAll(source, target));
    }

    /** {@link Collectives#scatterv(Payload, int[], int[], Payload, int)}, prepared. */
    public Prepared scatterv(Payload source, int[] counts, int[] displacements, Payload target, int root) {
        return prepared(arguments().scatterV(source, counts, displacements, target, root));
    }

    /** {@link Collectives#gatherv(Payload, Payload, int[], int[], int)}, prepared. */
    public Prepared gatherv(Payload source, Payload target, int[] counts, int[] displacements, int root) {
        return prepared(arguments().gatherV(source, target, counts, displacements, root));
    }

    /** {@link Collectives#allGatherv(Payload, Payload, int[], int[])}, prepared. */
    public Prepared allGatherv(Payload source, Payload target, int[] counts, int[] displacements) {
        return prepared(arguments().allGatherV(source, target, counts, displacements));
    }

    /** {@link Collectives#allToAllv(Payload, int[], int[], Payload, int[], int[])}, prepared. */
    public Prepared allToAllv(
            Payload source,
            int[] sourceCounts,
            int[] sourceDisplacements,
            Payload target,
            int[] targetCounts,
            int[] targetDisplacements) {
        return prepared(arguments()
                .allToAllV(source, sourceCounts, sourceDisplacements, target, targetCounts, targetDisplacements));
    }

    /**
     * All-reduces many tensors, in place, a bucket of them at a time.
     *
     * @param tensors     equally many, of equal lengths and in the same order on all ranks; of one type; in the order in
     *                    which they become ready, which for gradients is from the last layer to the first
     * @param op          how to combine
     * @param bucketBytes how many bytes of tensors go together at most; a longer tensor goes alone. Equal on all ranks
     */
    public Fusion fusedAllReduce(List<Payload> tensors, ReduceOp op, long bucketBytes) {
        return new Fusion(collectives, tensors, op, bucketBytes);
    }

    /** {@link #fusedAllReduce(List, ReduceOp, long)} of whole arrays, in buckets of {@link Fusion#BUCKET_BYTES}. */
    public Fusion fusedAllReduce(float[][] tensors, ReduceOp op) {
        List<Payload> payloads = new ArrayList<>();
        for (float[] tensor : tensors) {
            payloads.add(Payload.of(tensor));
        }
        return fusedAllReduce(payloads, op, Fusion.BUCKET_BYTES);
    }
}
