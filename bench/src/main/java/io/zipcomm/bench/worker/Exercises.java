package io.zipcomm.bench.worker;

import io.zipcomm.bench.plan.BenchOperation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes what an order asks for. All memory is direct, except numbers that are added where the order wants them in arrays;
 * the root is rank 0; all but broadcast have two buffers.
 */
final class Exercises {

    private static final int ROOT = Operations.ROOT;

    private final Operations operations;
    private final Runnable begin;
    private final Progress progress;
    private final CaseOrder order;
    private final int rank;
    private final int ranks;
    private final int bytes;

    Exercises(Team team, Progress progress, CaseOrder order) {
        operations = team.operations(order.algorithm(), order.segments());
        begin = team.operations(CaseOrder.AUTO, 0).barrier();
        this.progress = progress;
        this.order = order;
        rank = team.rank();
        ranks = team.size();
        bytes = Math.toIntExact(order.bytes());
    }

    /** How it is done; known once {@link #create} was called. */
    String algorithm() {
        return operations.algorithm();
    }

    Exercise create() {
        BenchOperation operation = BenchOperation.of(order.operation());
        if (operation == BenchOperation.PINGPONG) {
            return pingPong();
        }
        return new CollectiveExercise(workload(operation), begin, progress);
    }

    private Exercise pingPong() {
        int own = rank < 2 ? bytes : 0;
        Stretch sent = new Stretch(memory(own), 0, own, 0, 1);
        Stretch received = new Stretch(memory(own), 0, own, 0, 1);
        Runnable part =
                rank == 0 ? operations.ping(sent.memory(), received.memory()) : operations.pong(received.memory());
        return new PingPongExercise(rank, sent, received, part, progress);
    }

    private Workload workload(BenchOperation operation) {
        return switch (operation) {
            case PINGPONG -> throw new IllegalArgumentException("pingpong is no collective operation");
            case BARRIER -> new ByteWorkload(List.of(), List.of(), operations.barrier());
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

    private static ByteBuffer memory(int length) {
        return ByteBuffer.allocateDirect(length);
    }

    private Numbers numbers(int count) {
        return Numbers.allocate(count, order.arrays());
    }

    private Workload broadcast() {
        ByteBuffer buffer = memory(bytes);
        List<Stretch> whole = List.of(new Stretch(buffer, 0, bytes, ROOT, ROOT));
        return new ByteWorkload(rank == ROOT ? whole : List.of(), whole, operations.broadcast(buffer));
    }

    private Workload scatter() {
        Blocks blocks = new Blocks(bytes, ranks);
        ByteBuffer from = memory(rank == ROOT ? bytes : 0);
        ByteBuffer to = memory(blocks.length(rank));
        return new ByteWorkload(
                rank == ROOT ? perDestination(from, blocks) : List.of(),
                List.of(new Stretch(to, 0, blocks.length(rank), ROOT, rank)),
                operations.scatter(from, blocks, to));
    }

    private Workload gather() {
        Blocks blocks = new Blocks(bytes, ranks);
        ByteBuffer from = memory(blocks.length(rank));
        ByteBuffer to = memory(rank == ROOT ? bytes : 0);
        return new ByteWorkload(
                List.of(new Stretch(from, 0, blocks.length(rank), rank, ROOT)),
                rank == ROOT ? perSource(to, blocks, ROOT) : List.of(),
                operations.gather(from, to, blocks));
    }

    private Workload allGather() {
        Blocks blocks = new Blocks(bytes, ranks);
        ByteBuffer from = memory(blocks.length(rank));
        ByteBuffer to = memory(bytes);
        return new ByteWorkload(
                List.of(new Stretch(from, 0, blocks.length(rank), rank, ROOT)),
                perSource(to, blocks, ROOT),
                operations.allGather(from, to, blocks));
    }

    private Workload allToAll() {
        Blocks sending = new Blocks(bytes, ranks);
        // Every rank cuts its bytes in the same way, so this one gets its own share from each.
        Blocks arriving = new Blocks(sending.length(rank) * ranks, ranks);
        ByteBuffer from = memory(bytes);
        ByteBuffer to = memory(arriving.count());
        return new ByteWorkload(
                perDestination(from, sending),
                perSource(to, arriving, rank),
                operations.allToAll(from, sending, to, arriving));
    }

    private List<Stretch> perDestination(ByteBuffer buffer, Blocks blocks) {
        List<Stretch> stretches = new ArrayList<>();
        for (int to = 0; to < ranks; to++) {
            stretches.add(new Stretch(buffer, blocks.start(to), blocks.length(to), rank, to));
        }
        return stretches;
    }

    private List<Stretch> perSource(ByteBuffer buffer, Blocks blocks, int destination) {
        List<Stretch> stretches = new ArrayList<>();
        for (int from = 0; from < ranks; from++) {
            stretches.add(new Stretch(buffer, blocks.start(from), blocks.length(from), from, destination));
        }
        return stretches;
    }

    private Workload reduce() {
        boolean isRoot = rank == ROOT;
        Blocks whole = new Blocks(bytes / Float.BYTES, 1);
        Numbers input = numbers(whole.count());
        Numbers output = numbers(isRoot ? whole.count() : 0);
        return new SumWorkload(
                rank, ranks, input, whole, isRoot ? 0 : SumWorkload.NO_SHARE, output, operations.reduce(input, output));
    }

    private Workload allReduce() {
        Blocks whole = new Blocks(bytes / Float.BYTES, 1);
        Numbers input = numbers(whole.count());
        Numbers output = numbers(whole.count());
        return new SumWorkload(rank, ranks, input, whole, 0, output, operations.allReduce(input, output));
    }

    /** Its blocks have equal lengths: M is rounded up to a whole number of floats for each rank. */
    private Workload reduceScatter() {
        int block = (bytes / Float.BYTES + ranks - 1) / ranks;
        Blocks shares = new Blocks(block * ranks, ranks);
        Numbers input = numbers(shares.count());
        Numbers output = numbers(block);
        return new SumWorkload(
                rank, ranks, input, shares, rank, output, operations.reduceScatter(input, shares, output));
    }
}
