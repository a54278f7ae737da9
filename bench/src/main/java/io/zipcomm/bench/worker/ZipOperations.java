package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import java.nio.ByteBuffer;

/** The library's own operations: with blocks of any length where they cannot be equal. */
final class ZipOperations implements Operations {

    private static final String MESSAGES = "send-receive";
    private static final int PING_TAG = 1;

    private final Communicator world;
    private final Collectives collectives;
    private String algorithm = MESSAGES;

    /**
     * Operations of a group.
     *
     * @param algorithm by which all are done, or {@link CaseOrder#AUTO}
     * @param segments  bytes in a segment of long messages, or 0 to let the library choose
     */
    ZipOperations(Communicator world, String algorithm, int segments) {
        this.world = world;
        Collectives any = Collectives.of(world);
        Collectives named = algorithm.equals(CaseOrder.AUTO) ? any : any.withAlgorithm(algorithm);
        collectives = segments == 0 ? named : named.withSegments(segments);
    }

    @Override
    public String algorithm() {
        return algorithm;
    }

    private void use(CollectiveOperation operation, long length) {
        algorithm = collectives.algorithmFor(operation, length);
    }

    @Override
    public Runnable barrier() {
        use(CollectiveOperation.BARRIER, 0);
        return collectives::barrier;
    }

    @Override
    public Runnable ping(ByteBuffer sent, ByteBuffer received) {
        algorithm = MESSAGES;
        Payload source = Payload.of(sent);
        Payload target = Payload.of(received);
        return () -> {
            world.send(1, PING_TAG, source);
            world.receive(1, PING_TAG, target);
        };
    }

    @Override
    public Runnable pong(ByteBuffer buffer) {
        algorithm = MESSAGES;
        Payload payload = Payload.of(buffer);
        return () -> {
            world.receive(0, PING_TAG, payload);
            world.send(0, PING_TAG, payload);
        };
    }

    @Override
    public Runnable broadcast(ByteBuffer buffer) {
        use(CollectiveOperation.BROADCAST, buffer.capacity());
        Payload payload = Payload.of(buffer);
        return () -> collectives.broadcast(payload, ROOT);
    }

    @Override
    public Runnable scatter(ByteBuffer from, Blocks blocks, ByteBuffer to) {
        use(blocks.isEven() ? CollectiveOperation.SCATTER : CollectiveOperation.SCATTER_V, blocks.count());
        int[] lengths = blocks.lengths();
        Payload source = Payload.of(from);
        Payload target = Payload.of(to);
        return blocks.isEven()
                ? () -> collectives.scatter(source, target, ROOT)
                : () -> collectives.scatterv(source, lengths, null, target, ROOT);
    }

    @Override
    public Runnable gather(ByteBuffer from, ByteBuffer to, Blocks blocks) {
        use(blocks.isEven() ? CollectiveOperation.GATHER : CollectiveOperation.GATHER_V, blocks.count());
        int[] lengths = blocks.lengths();
        Payload source = Payload.of(from);
        Payload target = Payload.of(to);
        return blocks.isEven()
                ? () -> collectives.gather(source, target, ROOT)
                : () -> collectives.gatherv(source, target, lengths, null, ROOT);
    }

    @Override
    public Runnable allGather(ByteBuffer from, ByteBuffer to, Blocks blocks) {
        use(blocks.isEven() ? CollectiveOperation.ALL_GATHER : CollectiveOperation.ALL_GATHER_V, blocks.count());
        int[] lengths = blocks.lengths();
        Payload source = Payload.of(from);
        Payload target = Payload.of(to);
        return blocks.isEven()
                ? () -> collectives.allGather(source, target)
                : () -> collectives.allGatherv(source, target, lengths, null);
    }

    @Override
    public Runnable allToAll(ByteBuffer from, Blocks sending, ByteBuffer to, Blocks arriving) {
        use(sending.isEven() ? CollectiveOperation.ALL_TO_ALL : CollectiveOperation.ALL_TO_ALL_V, sending.count());
        int[] lengths = sending.lengths();
        int[] arrivingLengths = arriving.lengths();
        Payload source = Payload.of(from);
        Payload target = Payload.of(to);
        return sending.isEven()
                ? () -> collectives.allToAll(source, target)
                : () -> collectives.allToAllv(source, lengths, null, target, arrivingLengths, null);
    }

    @Override
    public Runnable reduce(Numbers from, Numbers to) {
        use(CollectiveOperation.REDUCE, from.payload().bytes());
        Payload source = from.payload();
        Payload target = to.payload();
        return () -> collectives.reduce(source, target, ReduceOp.SUM, ROOT);
    }

    @Override
    public Runnable allReduce(Numbers from, Numbers to) {
        use(CollectiveOperation.ALL_REDUCE, from.payload().bytes());
        Payload source = from.payload();
        Payload target = to.payload();
        return () -> collectives.allReduce(source, target, ReduceOp.SUM);
    }

    @Override
    public Runnable reduceScatter(Numbers from, Blocks blocks, Numbers to) {
        use(CollectiveOperation.REDUCE_SCATTER, from.payload().bytes());
        Payload source = from.payload();
        Payload target = to.payload();
        return () -> collectives.reduceScatter(source, target, ReduceOp.SUM);
    }
}
