package io.zipcomm.collectives;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * All-reduces many tensors, such as the gradients of a model's layers, in place and in buckets: many short operations become
 * few long ones, and a bucket travels while the program computes the next. Made by
 * {@link Preparation#fusedAllReduce(List, ReduceOp, long)}.
 *
 * <pre>{@code
 * try (Fusion gradients = collectives.prepare().fusedAllReduce(tensors, ReduceOp.AVG, Fusion.BUCKET_BYTES)) {
 *     for (int step = 0; step < steps; step++) {
 *         for (int i = 0; i < tensors.size(); i++) {
 *             backward(i);
 *             gradients.ready(i);
 *         }
 *         gradients.await();
 *         update();
 *     }
 * }
 * }</pre>
 *
 * <p>Buckets are formed in the order of the tensors: one is full when the next tensor would make it longer than was asked
 * for. They start in this order on all ranks, each when all its tensors are ready and the bucket before it has started, in
 * whatever order tensors become ready. When that is differs between ranks, so another collective on the same communicator
 * must not begin between the first {@link #ready} of a round and the end of {@link #await}; a duplicate of the communicator
 * has an order of its own.
 *
 * <p>Bits: the result is that of {@link Collectives#allReduce(Payload, ReduceOp)} of each bucket as one message, with the
 * same bits on all ranks and in each run. It has the bits that tensor by tensor operations would give for integers, for MIN
 * and MAX, on one and two ranks, and by the algorithm {@code doubling}. Elsewhere sums and products of floating-point numbers
 * may differ in their last bits, for the order in which ranks are combined depends on the place in the message and its length.
 *
 * <p>Nothing is packed: the tensors are sent and received piece by piece, from and to where they are. A round allocates
 * nothing.
 *
 * <p>Thread: any. Ownership: a tensor belongs to the operation from {@code ready} to the end of {@code await}. Deadline: that of
 * the {@link Collectives} from which this comes, for each bucket from its start. Errors: as {@link Prepared}.
 */
public final class Fusion implements AutoCloseable {

    /**
     * A good length for a bucket. It should take much longer than the steps of an all-reduce need to begin, some 50 us
     * each and 2(P-1) of them on a ring: at 1 GB/s, 4 MiB take 8 ms. Longer ones gain little, and nothing hides the time of
     * the last.
     */
    public static final long BUCKET_BYTES = 4 << 20;

    private final Context context;
    private final Prepared[] buckets;

    /** The bucket of each tensor. */
    private final int[] bucketOf;

    /** Tensors in each bucket. */
    private final int[] sizes;

    // Of this round; guarded by this.
    private final boolean[] ready;
    private final int[] missing;
    private int started;

    Fusion(Collectives collectives, List<Payload> tensors, ReduceOp op, long bucketBytes) {
        context = collectives.context();
        check(tensors, bucketBytes);
        bucketOf = new int[tensors.size()];
        List<List<Payload>> contents = divide(tensors, bucketBytes, bucketOf);
        ready = new boolean[bucketOf.length];
        buckets = new Prepared[contents.size()];
        sizes = contents.stream().mapToInt(List::size).toArray();
        missing = sizes.clone();
        boolean complete = false;
        try {
            for (int i = 0; i < buckets.length; i++) {
                Payload bucket = GatheredPayload.of(contents.get(i));
                buckets[i] = collectives.prepared(context.arguments().allReduceInPlace(bucket, op));
            }
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private void check(List<Payload> tensors, long bucketBytes) {
        if (bucketBytes <= 0) {
            throw bad("buckets of " + bucketBytes + " bytes: expected a positive length");
        }
        if (tensors.isEmpty()) {
            throw bad("no tensors");
        }
        for (int i = 0; i < tensors.size(); i++) {
            Payload tensor = tensors.get(i);
            if (tensor == null || tensor.isReadOnly()) {
                throw bad("tensor " + i + (tensor == null ? " is null" : " is read-only"));
            }
            if (tensor.type() != tensors.get(0).type()) {
                throw bad("tensor " + i + " has " + tensor.type() + " elements, tensor 0 "
                        + tensors.get(0).type());
            }
            for (int j = 0; j < i; j++) {
                if (tensor.overlaps(tensors.get(j))) {
                    throw bad("tensors " + j + " and " + i + " overlap");
                }
            }
        }
    }

    private ZipException bad(String problem) {
        return context.arguments().bad(CollectiveOperation.ALL_REDUCE, problem);
    }

    private static List<List<Payload>> divide(List<Payload> tensors, long bucketBytes, int[] bucketOf) {
        List<List<Payload>> contents = new ArrayList<>();
        long bytes = 0;
        for (int i = 0; i < tensors.size(); i++) {
            Payload tensor = tensors.get(i);
            bytes += tensor.bytes();
            if (i == 0 || bytes > bucketBytes) {
                contents.add(new ArrayList<>());
                bytes = tensor.bytes();
            }
            bucketOf[i] = contents.size() - 1;
            contents.get(bucketOf[i]).add(tensor);
        }
        return contents;
    }

    /** How many buckets there are. */
    public int buckets() {
        return buckets.length;
    }

    /** The bucket in which a tensor travels, from 0. */
    public int bucketOf(int tensor) {
        return bucketOf[tensor];
    }

    /**
     * Says that this rank's part of a tensor is complete, and starts the buckets that can start. Never waits.
     *
     * @param tensor index in the list from which this was made; each once in a round
     */
    public synchronized void ready(int tensor) {
        if (tensor < 0 || tensor >= ready.length) {
            throw misuse("tensor " + tensor + ": expected 0 to " + (ready.length - 1));
        }
        if (ready[tensor]) {
            throw misuse("tensor " + tensor + " was ready before: a round ends with await");
        }
        ready[tensor] = true;
        missing[bucketOf[tensor]]--;
        while (started < buckets.length && missing[started] == 0) {
            buckets[started].start();
            started++;
        }
    }

    /**
     * Waits until all buckets are done: then every tensor holds the result, and the next round may begin. All tensors must
     * be ready.
     */
    public void await() {
        awaitStarted();
        synchronized (this) {
            if (started < buckets.length) {
                throw misuse(missing() + " not ready: bucket " + started + " of " + buckets.length
                        + " and those behind it have not started");
            }
            Arrays.fill(ready, false);
            System.arraycopy(sizes, 0, missing, 0, sizes.length);
            started = 0;
        }
    }

    /** Waits for all, though one fails: afterwards the memory is free. */
    private void awaitStarted() {
        ZipException first = null;
        for (int i = 0; i < started(); i++) {
            try {
                buckets[i].await();
            } catch (ZipException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }

    private synchronized int started() {
        return started;
    }

    private String missing() {
        for (int i = 0; i < ready.length; i++) {
            if (!ready[i]) {
                return "tensor " + i + " is";
            }
        }
        throw new AssertionError("all are ready, but bucket " + started + " has not started");
    }

    /** The exception for a mistake that leaves everything as it is. */
    private ZipException misuse(String problem) {
        return context.communicator().refusal(ErrorCode.BAD_ARGUMENT, "fused all-reduce", problem);
    }

    /** Waits for buckets that are under way, and lets go of the memory. If one of them fails, that is thrown. */
    @Override
    public void close() {
        ZipException first = null;
        for (Prepared bucket : buckets) {
            try {
                if (bucket != null) {
                    bucket.close();
                }
            } catch (ZipException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
