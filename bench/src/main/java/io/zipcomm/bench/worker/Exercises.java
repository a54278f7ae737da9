package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Makes what an order asks for. Bytes that only move are in direct buffers, numbers that are added in {@code float[]}; the
 * root is rank 0; all but broadcast have two buffers.
 */
final class Exercises {

    private static final int ROOT = 0;
    private static final String MESSAGES = "send-receive";

    private final Communicator world;
    private final Collectives collectives;
    private final Runnable begin;
    private final Progress progress;
    private final CaseOrder order;
    private final int rank;
    private final int ranks;
    private final int bytes;
    private String algorithm = MESSAGES;

    Exercises(Communicator world, Collectives collectives, Progress progress, CaseOrder order) {
        this.world = world;
        this.collectives = chosen(collectives, order);
        begin = collectives::barrier;
        this.progress = progress;
        this.order = order;
        rank = world.rank();
        ranks = world.size();
        bytes = Math.toIntExact(order.bytes());
    }

    private static Collectives chosen(Collectives collectives, CaseOrder order) {
        Collectives named =
                order.algorithm().equals(CaseOrder.AUTO) ? collectives : collectives.withAlgorithm(order.algorithm());
        return order.segments() == 0 ? named : named.withSegments(order.segments());
    }

    /** How it is done; known once {@link #create} was called. */
    String algorithm() {
        return algorithm;
    }

    Exercise create() {
        if (order.operation().equals(CaseOrder.STREAM)) {
            return new StreamExercise(world, progress);
        }
        BenchOperation operation = BenchOperation.of(order.operation());
        if (operation == BenchOperation.PINGPONG) {
            return new PingPongExercise(world, bytes, progress);
        }
        return new CollectiveExercise(workload(operation), begin, progress);
    }

    private Workload workload(BenchOperation operation) {
        return switch (operation) {
            case PINGPONG -> throw new IllegalArgumentException("pingpong is no collective operation");
            case BARRIER -> {
                use(CollectiveOperation.BARRIER, 0);
                yield new ByteWorkload(List.of(), List.of(), collectives::barrier);
            }
            case BROADCAST -> broadcast();
            case SCATTER -> scatter();
            case GATHER -> gather();
            case ALLGATHER -> allGather();
            case ALLTOALL -> allToAll();
            case REDUCE -> reduce();
            case ALLREDUCE -> allReduce();
            case REDUCESCATTER -> reduceScatter();
        };
    }

    private void use(CollectiveOperation operation, long length) {
        algorithm = collectives.algorithmFor(operation, length);
    }

    private static ByteBuffer memory(int length) {
        return ByteBuffer.allocateDirect(length);
    }

    private Workload broadcast() {
        use(CollectiveOperation.BROADCAST, bytes);
        ByteBuffer buffer = memory(bytes);
        Payload payload = Payload.of(buffer);
        List<Region> whole = List.of(new Region(buffer, 0, bytes, ROOT, ROOT));
        return new ByteWorkload(rank == ROOT ? whole : List.of(), whole, () -> collectives.broadcast(payload, ROOT));
    }

    private Workload scatter() {
        Blocks blocks = new Blocks(bytes, ranks);
        use(blocks.isEven() ? CollectiveOperation.SCATTER : CollectiveOperation.SCATTER_V, bytes);
        int[] lengths = blocks.lengths();
        ByteBuffer from = memory(rank == ROOT ? bytes : 0);
        ByteBuffer to = memory(blocks.length(rank));
        Payload source = Payload.of(from);
        Payload target = Payload.of(to);
        return new ByteWorkload(
                rank == ROOT ? perDestination(from, blocks) : List.of(),
                List.of(new Region(to, 0, blocks.length(rank), ROOT, rank)),
                blocks.isEven()
                        ? () -> collectives.scatter(source, target, ROOT)
                        : () -> collectives.scatterv(source, lengths, null, target, ROOT));
    }

    private Workload gather() {
        Blocks blocks = new Blocks(bytes, ranks);
        use(blocks.isEven() ? CollectiveOperation.GATHER : CollectiveOperation.GATHER_V, bytes);
        int[] lengths = blocks.lengths();
        ByteBuffer from = memory(blocks.length(rank));
        ByteBuffer to = memory(rank == ROOT ? bytes : 0);
        Payload source = Payload.of(from);
        Payload target = Payload.of(to);
        return new ByteWorkload(
                List.of(new Region(from, 0, blocks.length(rank), rank, ROOT)),
                rank == ROOT ? perSource(to, blocks, ROOT) : List.of(),
                blocks.isEven()
                        ? () -> collectives.gather(source, target, ROOT)
                        : () -> collectives.gatherv(source, target, lengths, null, ROOT));
    }

    private Workload allGather() {
        Blocks blocks = new Blocks(bytes, ranks);
        use(blocks.isEven() ? CollectiveOperation.ALL_GATHER : CollectiveOperation.ALL_GATHER_V, bytes);
        int[] lengths = blocks.lengths();
        ByteBuffer from = memory(blocks.length(rank));
        ByteBuffer to = memory(bytes);
        Payload source = Payload.of(from);
        Payload target = Payload.of(to);
        return new ByteWorkload(
                List.of(new Region(from, 0, blocks.length(rank), rank, ROOT)),
                perSource(to, blocks, ROOT),
                blocks.isEven()
                        ? () -> collectives.allGather(source, target)
                        : () -> collectives.allGatherv(source, target, lengths, null));
    }

    private Workload allToAll() {
        Blocks sending = new Blocks(bytes, ranks);
        use(sending.isEven() ? CollectiveOperation.ALL_TO_ALL : CollectiveOperation.ALL_TO_ALL_V, bytes);
        // Every rank cuts its bytes in the same way, so this one gets its own share from each.
        int each = sending.length(rank);
        ByteBuffer from = memory(bytes);
        ByteBuffer to = memory(each * ranks);
        Payload source = Payload.of(from);
        Payload target = Payload.of(to);
        int[] lengths = sending.lengths();
        int[] arriving = new int[ranks];
        Arrays.fill(arriving, each);
        return new ByteWorkload(
                perDestination(from, sending),
                perSource(to, new Blocks(each * ranks, ranks), rank),
                sending.isEven()
                        ? () -> collectives.allToAll(source, target)
                        : () -> collectives.allToAllv(source, lengths, null, target, arriving, null));
    }

    private List<Region> perDestination(ByteBuffer buffer, Blocks blocks) {
        List<Region> regions = new ArrayList<>();
        for (int to = 0; to < ranks; to++) {
            regions.add(new Region(buffer, blocks.start(to), blocks.length(to), rank, to));
        }
        return regions;
    }

    private List<Region> perSource(ByteBuffer buffer, Blocks blocks, int destination) {
        List<Region> regions = new ArrayList<>();
        for (int from = 0; from < ranks; from++) {
            regions.add(new Region(buffer, blocks.start(from), blocks.length(from), from, destination));
        }
        return regions;
    }

    private Workload reduce() {
        use(CollectiveOperation.REDUCE, bytes);
        boolean isRoot = rank == ROOT;
        Blocks whole = new Blocks(bytes / Float.BYTES, 1);
        float[] input = new float[whole.count()];
        float[] output = new float[isRoot ? whole.count() : 0];
        Payload source = Payload.of(input);
        Payload target = Payload.of(output);
        return new SumWorkload(
                rank,
                ranks,
                input,
                whole,
                isRoot ? 0 : SumWorkload.NO_SHARE,
                output,
                () -> collectives.reduce(source, target, ReduceOp.SUM, ROOT));
    }

    private Workload allReduce() {
        use(CollectiveOperation.ALL_REDUCE, bytes);
        Blocks whole = new Blocks(bytes / Float.BYTES, 1);
        float[] input = new float[whole.count()];
        float[] output = new float[whole.count()];
        Payload source = Payload.of(input);
        Payload target = Payload.of(output);
        return new SumWorkload(
                rank, ranks, input, whole, 0, output, () -> collectives.allReduce(source, target, ReduceOp.SUM));
    }

    /** Its blocks have equal lengths: M is rounded up to a whole number of floats for each rank. */
    private Workload reduceScatter() {
        int block = (bytes / Float.BYTES + ranks - 1) / ranks;
        Blocks shares = new Blocks(block * ranks, ranks);
        use(CollectiveOperation.REDUCE_SCATTER, (long) shares.count() * Float.BYTES);
        float[] input = new float[shares.count()];
        float[] output = new float[block];
        Payload source = Payload.of(input);
        Payload target = Payload.of(output);
        return new SumWorkload(
                rank,
                ranks,
                input,
                shares,
                rank,
                output,
                () -> collectives.reduceScatter(source, target, ReduceOp.SUM));
    }
}
