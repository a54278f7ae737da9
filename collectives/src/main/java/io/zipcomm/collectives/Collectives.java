package io.zipcomm.collectives;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.plan.PlanCache;
import io.zipcomm.collectives.plan.PlanExecution;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Algorithms;
import io.zipcomm.collectives.select.Selector;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.CallTime;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.internal.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Collective operations: all members of a communicator call the same one, in the same order, with lengths, root and
 * reduction that agree.
 *
 * <p>Data is given as {@link Payload}s, or as whole arrays or buffers, for which there are shorter forms of each method.
 * The <em>source</em> is what a rank contributes: it is only read. The <em>target</em> takes its result. They must not
 * overlap; operations that work in place have a form with one argument instead. Where an operation has a root, what only
 * the root needs may be null elsewhere.
 *
 * <p>Thread: any. Blocking: methods without {@code Async} return when this rank's part is done; the others may not have
 * finished theirs, except with {@link #barrier}. Ownership: memory belongs to the operation until it ends, in success or
 * failure.
 *
 * <p>Errors: {@link ZipException}. A wrong argument gives BAD_ARGUMENT on the rank that is wrong, before any of its data
 * is sent, and PEER_FAILED with the same text on the others. Ranks that disagree get OPERATION_MISMATCH or LENGTH_MISMATCH. After a
 * failure the target's content is undefined, and the communicator runs no further collectives.
 *
 * <p>A steady program costs no garbage but one or two small objects a call, and for the forms with counts arrays of
 * their length: plans, scratch memory and bookkeeping of recent calls are kept with the communicator. Operations that
 * {@link #prepare()} gives cost none.
 */
public final class Collectives extends TypedCollectives {

    private final Context context;
    private final CallTime time;
    private final AlgorithmName wanted;
    private final int wantedSegments;

    private Collectives(Context context, CallTime time, AlgorithmName wanted, int wantedSegments) {
        this.context = context;
        this.time = time;
        this.wanted = wanted;
        this.wantedSegments = wantedSegments;
    }

    /**
     * The collective operations of a communicator, with its deadline. Cheap; all that are made for one communicator share
     * what they keep.
     */
    public static Collectives of(Communicator communicator) {
        return new Collectives(Context.of(GroupCommunicator.of(communicator)), CallTime.of(communicator), null, 0);
    }

    /** The communicator of which these are the operations, in the time that the platform leaves, if they have that. */
    public Communicator communicator() {
        return time.carriedTo(context.communicator());
    }

    /**
     * The same operations with another deadline.
     *
     * @param timeout positive
     */
    public Collectives withTimeout(Duration timeout) {
        return new Collectives(context, time.withTimeout(timeout), wanted, wantedSegments);
    }

    /**
     * The same operations by an algorithm of the caller's choice, which must be equal on all ranks. Operations that have
     * no such algorithm then fail with BAD_ARGUMENT.
     *
     * @param name one of {@link #algorithms} or {@link #relayAlgorithms}, such as {@code ring}
     */
    public Collectives withAlgorithm(String name) {
        AlgorithmName known = AlgorithmName.of(name);
        if (known == null) {
            throw new ZipException(
                    ErrorCode.BAD_ARGUMENT,
                    "no algorithm '" + name + "': there are " + Arrays.toString(AlgorithmName.values()));
        }
        return new Collectives(context, time, known, wantedSegments);
    }

    /**
     * The same operations with long messages cut into segments of the caller's choice, which must be equal on all ranks.
     *
     * @param bytes a positive multiple of {@value Selector#SEGMENT_ALIGNMENT}
     */
    public Collectives withSegments(int bytes) {
        if (bytes <= 0 || bytes % Selector.SEGMENT_ALIGNMENT != 0) {
            throw new ZipException(
                    ErrorCode.BAD_ARGUMENT,
                    "segments of " + bytes + " bytes: expected a positive multiple of " + Selector.SEGMENT_ALIGNMENT);
        }
        return new Collectives(context, time, wanted, bytes);
    }

    /** The names of the algorithms that an operation has over any transport. */
    public static List<String> algorithms(CollectiveOperation operation) {
        return names(Algorithms.of(operation));
    }

    /** The names of the algorithms that an operation has of which the relay does a part. */
    public static List<String> relayAlgorithms(CollectiveOperation operation) {
        return names(Algorithms.ofRelay(operation));
    }

    private static List<String> names(List<AlgorithmName> algorithms) {
        List<String> names = new ArrayList<>();
        for (AlgorithmName name : algorithms) {
            names.add(name.toString());
        }
        return names;
    }

    /**
     * The algorithm that a call would use.
     *
     * @param bytes length of the message; of all blocks together in operations that have one for each rank
     * @return one of {@link #algorithms} or {@link #relayAlgorithms}
     */
    public String algorithmFor(CollectiveOperation operation, long bytes) {
        return (wanted != null ? wanted : context.selector().algorithm(operation, bytes)).toString();
    }

    /**
     * Says in a line which algorithm a call would use, by which rule, and what each would cost: rounds of messages, and bytes
     * that the busiest rank sends or receives. Makes the plans of all ranks, so it takes a while.
     *
     * @param bytes length of the message; of all blocks together in operations that have one for each rank
     */
    public String explain(CollectiveOperation operation, long bytes) {
        return context.explain(operation, bytes, wanted);
    }

    // ---- running

    /** The same operations, to be prepared once and run often: for loops. */
    public Preparation prepare() {
        return new Preparation(this);
    }

    Context context() {
        return context;
    }

    /** An operation that runs as often as it is asked to, with this one's deadline for each run. */
    Prepared prepared(Call call) {
        return new Prepared(context, call.operation, take(call), time);
    }

    /** A rank that cannot begin, for want of memory, must not leave the others waiting. */
    private PlanCache.Lease take(Call call) {
        try {
            return context.prepare(call, wanted, wantedSegments);
        } catch (ZipException e) {
            throw e.code() == ErrorCode.LIMIT ? refuse(call, Operation.reasonOf(e)) : e;
        } catch (OutOfMemoryError e) {
            refuse(call, "out of memory: " + e.getMessage());
            throw e;
        }
    }

    private ZipException refuse(Call call, String problem) {
        return context.communicator().refuseCollective(ErrorCode.LIMIT, call.operation.toString(), problem);
    }

    private void run(Call call) {
        long timeoutNs = time.forCollective(context.communicator(), call.operation);
        PlanCache.Lease lease = take(call);
        PlanExecution execution = lease.execution();
        boolean succeeded = false;
        try {
            context.communicator().run(execution, timeoutNs);
            succeeded = true;
        } finally {
            end(lease, execution, succeeded);
        }
    }

    private ZipFuture<Void> start(Call call) {
        long timeoutNs = time.forCollective(context.communicator(), call.operation);
        PlanCache.Lease lease = take(call);
        PlanExecution execution = lease.execution().twin();
        ZipFuture<Void> future;
        try {
            future = context.communicator().start(execution, timeoutNs);
        } catch (RuntimeException | Error e) {
            end(lease, execution, false);
            throw e;
        }
        Object unused = future.whenComplete((nothing, failure) -> end(lease, execution, failure == null));
        return future;
    }

    /** Frees what a call used. Were it to run on, though the future was completed by other hands, that stays with it. */
    private void end(PlanCache.Lease lease, PlanExecution execution, boolean succeeded) {
        if (execution.isDone()) {
            execution.unbind();
            if (succeeded) {
                context.giveBack(lease);
            }
        }
    }

    // ---- operations

    /** Waits until all members have called this. */
    public void barrier() {
        run(context.arguments().barrier());
    }

    /** {@link #barrier()} without waiting. */
    public ZipFuture<Void> barrierAsync() {
        return start(context.arguments().barrier());
    }

    /**
     * Gives the root's data to all members.
     *
     * @param message the root's data; elsewhere memory for as much
     * @param root    whose data it is
     */
    @Override
    public void broadcast(Payload message, int root) {
        run(context.arguments().broadcast(message, root));
    }

    /** {@link #broadcast(Payload, int)} without waiting. */
    @Override
    public ZipFuture<Void> broadcastAsync(Payload message, int root) {
        return start(context.arguments().broadcast(message, root));
    }

    /**
     * Combines all members' data, element by element.
     *
     * @param source this rank's data: equally many elements on all ranks
     * @param target takes the result at the root; may be null elsewhere
     * @param op     how to combine
     * @param root   who gets the result
     */
    @Override
    public void reduce(Payload source, Payload target, ReduceOp op, int root) {
        run(context.arguments().reduce(source, target, op, root));
    }

    /** {@link #reduce(Payload, Payload, ReduceOp, int)} without waiting. */
    @Override
    public ZipFuture<Void> reduceAsync(Payload source, Payload target, ReduceOp op, int root) {
        return start(context.arguments().reduce(source, target, op, root));
    }

    /**
     * {@link #reduce(Payload, Payload, ReduceOp, int)} with the result in place of the root's data; on other ranks the
     * data stays as it is.
     */
    @Override
    public void reduce(Payload message, ReduceOp op, int root) {
        run(context.arguments().reduceInPlace(message, op, root));
    }

    /** {@link #reduce(Payload, ReduceOp, int)} without waiting. */
    @Override
    public ZipFuture<Void> reduceAsync(Payload message, ReduceOp op, int root) {
        return start(context.arguments().reduceInPlace(message, op, root));
    }

    /**
     * Combines all members' data, element by element, and gives the result to all: the same bits everywhere.
     *
     * @param source this rank's data: equally many elements on all ranks
     * @param target takes the result
     * @param op     how to combine
     */
    @Override
    public void allReduce(Payload source, Payload target, ReduceOp op) {
        run(context.arguments().allReduce(source, target, op));
    }

    /** {@link #allReduce(Payload, Payload, ReduceOp)} without waiting. */
    @Override
    public ZipFuture<Void> allReduceAsync(Payload source, Payload target, ReduceOp op) {
        return start(context.arguments().allReduce(source, target, op));
    }

    /** {@link #allReduce(Payload, Payload, ReduceOp)} with the result in place of the data. */
    @Override
    public void allReduce(Payload message, ReduceOp op) {
        run(context.arguments().allReduceInPlace(message, op));
    }

    /** {@link #allReduce(Payload, ReduceOp)} without waiting. */
    @Override
    public ZipFuture<Void> allReduceAsync(Payload message, ReduceOp op) {
        return start(context.arguments().allReduceInPlace(message, op));
    }

    /**
     * Gives each member a block of the root's data.
     *
     * @param source at the root, a block for each rank, in rank order; may be null elsewhere
     * @param target takes this rank's block: equally long on all ranks
     * @param root   whose data it is
     */
    @Override
    public void scatter(Payload source, Payload target, int root) {
        run(context.arguments().scatter(source, target, root));
    }

    /** {@link #scatter(Payload, Payload, int)} without waiting. */
    @Override
    public ZipFuture<Void> scatterAsync(Payload source, Payload target, int root) {
        return start(context.arguments().scatter(source, target, root));
    }

    /**
     * Collects a block of each member at the root.
     *
     * @param source this rank's block: equally long on all ranks
     * @param target takes the blocks at the root, in rank order; may be null elsewhere
     * @param root   who gets them
     */
    @Override
    public void gather(Payload source, Payload target, int root) {
        run(context.arguments().gather(source, target, root));
    }

    /** {@link #gather(Payload, Payload, int)} without waiting. */
    @Override
    public ZipFuture<Void> gatherAsync(Payload source, Payload target, int root) {
        return start(context.arguments().gather(source, target, root));
    }

    /**
     * Collects a block of each member at all members.
     *
     * @param source this rank's block: equally long on all ranks
     * @param target takes the blocks, in rank order
     */
    @Override
    public void allGather(Payload source, Payload target) {
        run(context.arguments().allGather(source, target));
    }

    /** {@link #allGather(Payload, Payload)} without waiting. */
    @Override
    public ZipFuture<Void> allGatherAsync(Payload source, Payload target) {
        return start(context.arguments().allGather(source, target));
    }

    /**
     * {@link #allGather(Payload, Payload)} where this rank's block is in its place already: at its rank times the length of
     * a block.
     */
    @Override
    public void allGather(Payload blocks) {
        run(context.arguments().allGatherInPlace(blocks));
    }

    /** {@link #allGather(Payload)} without waiting. */
    @Override
    public ZipFuture<Void> allGatherAsync(Payload blocks) {
        return start(context.arguments().allGatherInPlace(blocks));
    }

    /**
     * Combines all members' data, element by element, and gives each member a block of the result.
     *
     * @param source this rank's data: a block for each rank, in rank order
     * @param target takes this rank's block of the result: equally long on all ranks
     * @param op     how to combine
     */
    @Override
    public void reduceScatter(Payload source, Payload target, ReduceOp op) {
        run(context.arguments().reduceScatter(source, target, op));
    }

    /** {@link #reduceScatter(Payload, Payload, ReduceOp)} without waiting. */
    @Override
    public ZipFuture<Void> reduceScatterAsync(Payload source, Payload target, ReduceOp op) {
        return start(context.arguments().reduceScatter(source, target, op));
    }

    /**
     * Sends a block from each member to each.
     *
     * @param source a block for each rank, in rank order: all equally long, on all ranks
     * @param target takes a block from each rank, in rank order
     */
    @Override
    public void allToAll(Payload source, Payload target) {
        run(context.arguments().allToAll(source, target));
    }

    /** {@link #allToAll(Payload, Payload)} without waiting. */
    @Override
    public ZipFuture<Void> allToAllAsync(Payload source, Payload target) {
        return start(context.arguments().allToAll(source, target));
    }

    /**
     * {@link #scatter(Payload, Payload, int)} with blocks of any lengths.
     *
     * @param source        at the root, the blocks; may be null elsewhere, as counts and displacements
     * @param counts        elements in each rank's block
     * @param displacements first element of each rank's block in the source; null if they follow each other
     * @param target        takes this rank's block: exactly as long as the root says
     * @param root          whose data it is
     */
    @Override
    public void scatterv(Payload source, int[] counts, int[] displacements, Payload target, int root) {
        run(context.arguments().scatterV(source, counts, displacements, target, root));
    }

    /** {@link #scatterv(Payload, int[], int[], Payload, int)} without waiting. */
    @Override
    public ZipFuture<Void> scattervAsync(Payload source, int[] counts, int[] displacements, Payload target, int root) {
        return start(context.arguments().scatterV(source, counts, displacements, target, root));
    }

    /**
     * {@link #gather(Payload, Payload, int)} with blocks of any lengths.
     *
     * @param source        this rank's block: exactly as long as the root says
     * @param target        takes the blocks at the root; may be null elsewhere, as counts and displacements
     * @param counts        elements in each rank's block
     * @param displacements first element of each rank's block in the target; null if they follow each other
     * @param root          who gets them
     */
    @Override
    public void gatherv(Payload source, Payload target, int[] counts, int[] displacements, int root) {
        run(context.arguments().gatherV(source, target, counts, displacements, root));
    }

    /** {@link #gatherv(Payload, Payload, int[], int[], int)} without waiting. */
    @Override
    public ZipFuture<Void> gathervAsync(Payload source, Payload target, int[] counts, int[] displacements, int root) {
        return start(context.arguments().gatherV(source, target, counts, displacements, root));
    }

    /**
     * {@link #allGather(Payload, Payload)} with blocks of any lengths.
     *
     * @param source        this rank's block
     * @param target        takes the blocks
     * @param counts        elements in each rank's block: equal on all ranks
     * @param displacements first element of each rank's block in the target; null on all ranks or on none
     */
    @Override
    public void allGatherv(Payload source, Payload target, int[] counts, int[] displacements) {
        run(context.arguments().allGatherV(source, target, counts, displacements));
    }

    /** {@link #allGatherv(Payload, Payload, int[], int[])} without waiting. */
    @Override
    public ZipFuture<Void> allGathervAsync(Payload source, Payload target, int[] counts, int[] displacements) {
        return start(context.arguments().allGatherV(source, target, counts, displacements));
    }

    /**
     * {@link #allToAll(Payload, Payload)} with blocks of any lengths.
     *
     * @param source              the blocks for the ranks
     * @param sourceCounts        elements for each rank
     * @param sourceDisplacements first element for each rank in the source; null if blocks follow each other
     * @param target              takes the blocks from the ranks
     * @param targetCounts        elements from each rank: what that rank's source count for this one says
     * @param targetDisplacements first element from each rank in the target; null if blocks follow each other
     */
    @Override
    public void allToAllv(
            Payload source,
            int[] sourceCounts,
            int[] sourceDisplacements,
            Payload target,
            int[] targetCounts,
            int[] targetDisplacements) {
        run(context.arguments()
                .allToAllV(source, sourceCounts, sourceDisplacements, target, targetCounts, targetDisplacements));
    }

    /** {@link #allToAllv(Payload, int[], int[], Payload, int[], int[])} without waiting. */
    @Override
    public ZipFuture<Void> allToAllvAsync(
            Payload source,
            int[] sourceCounts,
            int[] sourceDisplacements,
            Payload target,
            int[] targetCounts,
            int[] targetDisplacements) {
        return start(context.arguments()
                .allToAllV(source, sourceCounts, sourceDisplacements, target, targetCounts, targetDisplacements));
    }
}
