package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.ByteBuffer;

/** Calls every form for whole arrays and buffers, on three ranks. */
final class TypedCalls {

    private static final int[] ONE_EACH = {1, 1, 1};

    private TypedCalls() {}

    static void run(Collectives c, int rank) {
        floats(c, rank);
        doubles(c, rank);
        ints(c, rank);
        longs(c, rank);
        bytes(c, rank);
        buffers(c, rank);
    }

    private static void floats(Collectives c, int rank) {
        float mine = (rank + 1);
        float[] one = {mine};
        float[] three = {mine, (mine + 10), (mine + 20)};
        float[] sum = new float[1];
        float[] all = new float[3];

        float[] given = {mine};
        c.broadcast(given, 1);
        c.broadcastAsync(given, 1).await();
        assertArrayEquals(new float[] {2}, given, 0);

        c.reduce(one, rank == 2 ? sum : null, ReduceOp.SUM, 2);
        c.reduceAsync(one, rank == 2 ? sum : null, ReduceOp.SUM, 2).await();
        float[] inPlace = {mine};
        c.reduce(inPlace, ReduceOp.MAX, 2);
        c.reduceAsync(inPlace, ReduceOp.MAX, 0).await();
        assertArrayEquals(rank == 2 ? new float[] {6} : new float[1], sum, 0);
        assertArrayEquals(new float[] {rank == 0 ? 3 : rank == 2 ? 3 : mine}, inPlace, 0);

        c.allReduce(one, sum, ReduceOp.SUM);
        c.allReduceAsync(one, sum, ReduceOp.SUM).await();
        assertArrayEquals(new float[] {6}, sum, 0);
        c.allReduce(sum, ReduceOp.MIN);
        c.allReduceAsync(sum, ReduceOp.MIN).await();
        assertArrayEquals(new float[] {6}, sum, 0);

        float[] block = new float[1];
        c.scatter(rank == 1 ? three : null, block, 1);
        c.scatterAsync(rank == 1 ? three : null, block, 1).await();
        c.scatterv(rank == 1 ? three : null, ONE_EACH, block, 1);
        c.scattervAsync(rank == 1 ? three : null, ONE_EACH, block, 1).await();
        assertArrayEquals(new float[] {(2 + 10 * rank)}, block, 0);

        c.gather(one, rank == 0 ? all : null, 0);
        c.gatherAsync(one, rank == 0 ? all : null, 0).await();
        c.gatherv(one, rank == 0 ? all : null, ONE_EACH, 0);
        c.gathervAsync(one, rank == 0 ? all : null, ONE_EACH, 0).await();
        assertArrayEquals(rank == 0 ? new float[] {1, 2, 3} : new float[3], all, 0);

        c.allGather(one, all);
        c.allGatherAsync(one, all).await();
        c.allGatherv(one, all, ONE_EACH);
        c.allGathervAsync(one, all, ONE_EACH).await();
        c.allGather(all);
        c.allGatherAsync(all).await();
        assertArrayEquals(new float[] {1, 2, 3}, all, 0);

        c.reduceScatter(three, sum, ReduceOp.SUM);
        c.reduceScatterAsync(three, sum, ReduceOp.SUM).await();
        assertArrayEquals(new float[] {(6 + 30 * rank)}, sum, 0);

        c.allToAll(three, all);
        c.allToAllAsync(three, all).await();
        c.allToAllv(three, ONE_EACH, all, ONE_EACH);
        c.allToAllvAsync(three, ONE_EACH, all, ONE_EACH).await();
        assertArrayEquals(new float[] {(1 + 10 * rank), (2 + 10 * rank), (3 + 10 * rank)}, all, 0);
    }

    private static void doubles(Collectives c, int rank) {
        double mine = (rank + 1);
        double[] one = {mine};
        double[] three = {mine, (mine + 10), (mine + 20)};
        double[] sum = new double[1];
        double[] all = new double[3];

        double[] given = {mine};
        c.broadcast(given, 1);
        c.broadcastAsync(given, 1).await();
        assertArrayEquals(new double[] {2}, given, 0);

        c.reduce(one, rank == 2 ? sum : null, ReduceOp.SUM, 2);
        c.reduceAsync(one, rank == 2 ? sum : null, ReduceOp.SUM, 2).await();
        double[] inPlace = {mine};
        c.reduce(inPlace, ReduceOp.MAX, 2);
        c.reduceAsync(inPlace, ReduceOp.MAX, 0).await();
        assertArrayEquals(rank == 2 ? new double[] {6} : new double[1], sum, 0);
        assertArrayEquals(new double[] {rank == 0 ? 3 : rank == 2 ? 3 : mine}, inPlace, 0);

        c.allReduce(one, sum, ReduceOp.SUM);
        c.allReduceAsync(one, sum, ReduceOp.SUM).await();
        assertArrayEquals(new double[] {6}, sum, 0);
        c.allReduce(sum, ReduceOp.MIN);
        c.allReduceAsync(sum, ReduceOp.MIN).await();
        assertArrayEquals(new double[] {6}, sum, 0);

        double[] block = new double[1];
        c.scatter(rank == 1 ? three : null, block, 1);
        c.scatterAsync(rank == 1 ? three : null, block, 1).await();
        c.scatterv(rank == 1 ? three : null, ONE_EACH, block, 1);
        c.scattervAsync(rank == 1 ? three : null, ONE_EACH, block, 1).await();
        assertArrayEquals(new double[] {(2 + 10 * rank)}, block, 0);

        c.gather(one, rank == 0 ? all : null, 0);
        c.gatherAsync(one, rank == 0 ? all : null, 0).await();
        c.gatherv(one, rank == 0 ? all : null, ONE_EACH, 0);
        c.gathervAsync(one, rank == 0 ? all : null, ONE_EACH, 0).await();
        assertArrayEquals(rank == 0 ? new double[] {1, 2, 3} : new double[3], all, 0);

        c.allGather(one, all);
        c.allGatherAsync(one, all).await();
        c.allGatherv(one, all, ONE_EACH);
        c.allGathervAsync(one, all, ONE_EACH).await();
        c.allGather(all);
        c.allGatherAsync(all).await();
        assertArrayEquals(new double[] {1, 2, 3}, all, 0);

        c.reduceScatter(three, sum, ReduceOp.SUM);
        c.reduceScatterAsync(three, sum, ReduceOp.SUM).await();
        assertArrayEquals(new double[] {(6 + 30 * rank)}, sum, 0);

        c.allToAll(three, all);
        c.allToAllAsync(three, all).await();
        c.allToAllv(three, ONE_EACH, all, ONE_EACH);
        c.allToAllvAsync(three, ONE_EACH, all, ONE_EACH).await();
        assertArrayEquals(new double[] {(1 + 10 * rank), (2 + 10 * rank), (3 + 10 * rank)}, all, 0);
    }

    private static void ints(Collectives c, int rank) {
        int mine = (rank + 1);
        int[] one = {mine};
        int[] three = {mine, (mine + 10), (mine + 20)};
        int[] sum = new int[1];
        int[] all = new int[3];

        int[] given = {mine};
        c.broadcast(given, 1);
        c.broadcastAsync(given, 1).await();
        assertArrayEquals(new int[] {2}, given);

        c.reduce(one, rank == 2 ? sum : null, ReduceOp.SUM, 2);
        c.reduceAsync(one, rank == 2 ? sum : null, ReduceOp.SUM, 2).await();
        int[] inPlace = {mine};
        c.reduce(inPlace, ReduceOp.MAX, 2);
        c.reduceAsync(inPlace, ReduceOp.MAX, 0).await();
        assertArrayEquals(rank == 2 ? new int[] {6} : new int[1], sum);
        assertArrayEquals(new int[] {rank == 0 ? 3 : rank == 2 ? 3 : mine}, inPlace);

        c.allReduce(one, sum, ReduceOp.SUM);
        c.allReduceAsync(one, sum, ReduceOp.SUM).await();
        assertArrayEquals(new int[] {6}, sum);
        c.allReduce(sum, ReduceOp.MIN);
        c.allReduceAsync(sum, ReduceOp.MIN).await();
        assertArrayEquals(new int[] {6}, sum);

        int[] block = new int[1];
        c.scatter(rank == 1 ? three : null, block, 1);
        c.scatterAsync(rank == 1 ? three : null, block, 1).await();
        c.scatterv(rank == 1 ? three : null, ONE_EACH, block, 1);
        c.scattervAsync(rank == 1 ? three : null, ONE_EACH, block, 1).await();
        assertArrayEquals(new int[] {(2 + 10 * rank)}, block);

        c.gather(one, rank == 0 ? all : null, 0);
        c.gatherAsync(one, rank == 0 ? all : null, 0).await();
        c.gatherv(one, rank == 0 ? all : null, ONE_EACH, 0);
        c.gathervAsync(one, rank == 0 ? all : null, ONE_EACH, 0).await();
        assertArrayEquals(rank == 0 ? new int[] {1, 2, 3} : new int[3], all);

        c.allGather(one, all);
        c.allGatherAsync(one, all).await();
        c.allGatherv(one, all, ONE_EACH);
        c.allGathervAsync(one, all, ONE_EACH).await();
        c.allGather(all);
        c.allGatherAsync(all).await();
        assertArrayEquals(new int[] {1, 2, 3}, all);

        c.reduceScatter(three, sum, ReduceOp.SUM);
        c.reduceScatterAsync(three, sum, ReduceOp.SUM).await();
        assertArrayEquals(new int[] {(6 + 30 * rank)}, sum);

        c.allToAll(three, all);
        c.allToAllAsync(three, all).await();
        c.allToAllv(three, ONE_EACH, all, ONE_EACH);
        c.allToAllvAsync(three, ONE_EACH, all, ONE_EACH).await();
        assertArrayEquals(new int[] {(1 + 10 * rank), (2 + 10 * rank), (3 + 10 * rank)}, all);
    }

    private static void longs(Collectives c, int rank) {
        long mine = rank + 1L;
        long[] one = {mine};
        long[] three = {mine, (mine + 10), (mine + 20)};
        long[] sum = new long[1];
        long[] all = new long[3];

        long[] given = {mine};
        c.broadcast(given, 1);
        c.broadcastAsync(given, 1).await();
        assertArrayEquals(new long[] {2}, given);

        c.reduce(one, rank == 2 ? sum : null, ReduceOp.SUM, 2);
        c.reduceAsync(one, rank == 2 ? sum : null, ReduceOp.SUM, 2).await();
        long[] inPlace = {mine};
        c.reduce(inPlace, ReduceOp.MAX, 2);
        c.reduceAsync(inPlace, ReduceOp.MAX, 0).await();
        assertArrayEquals(rank == 2 ? new long[] {6} : new long[1], sum);
        assertArrayEquals(new long[] {rank == 0 ? 3 : rank == 2 ? 3 : mine}, inPlace);

        c.allReduce(one, sum, ReduceOp.SUM);
        c.allReduceAsync(one, sum, ReduceOp.SUM).await();
        assertArrayEquals(new long[] {6}, sum);
        c.allReduce(sum, ReduceOp.MIN);
        c.allReduceAsync(sum, ReduceOp.MIN).await();
        assertArrayEquals(new long[] {6}, sum);

        long[] block = new long[1];
        c.scatter(rank == 1 ? three : null, block, 1);
        c.scatterAsync(rank == 1 ? three : null, block, 1).await();
        c.scatterv(rank == 1 ? three : null, ONE_EACH, block, 1);
        c.scattervAsync(rank == 1 ? three : null, ONE_EACH, block, 1).await();
        assertArrayEquals(new long[] {(2 + 10 * rank)}, block);

        c.gather(one, rank == 0 ? all : null, 0);
        c.gatherAsync(one, rank == 0 ? all : null, 0).await();
        c.gatherv(one, rank == 0 ? all : null, ONE_EACH, 0);
        c.gathervAsync(one, rank == 0 ? all : null, ONE_EACH, 0).await();
        assertArrayEquals(rank == 0 ? new long[] {1, 2, 3} : new long[3], all);

        c.allGather(one, all);
        c.allGatherAsync(one, all).await();
        c.allGatherv(one, all, ONE_EACH);
        c.allGathervAsync(one, all, ONE_EACH).await();
        c.allGather(all);
        c.allGatherAsync(all).await();
        assertArrayEquals(new long[] {1, 2, 3}, all);

        c.reduceScatter(three, sum, ReduceOp.SUM);
        c.reduceScatterAsync(three, sum, ReduceOp.SUM).await();
        assertArrayEquals(new long[] {(6 + 30 * rank)}, sum);

        c.allToAll(three, all);
        c.allToAllAsync(three, all).await();
        c.allToAllv(three, ONE_EACH, all, ONE_EACH);
        c.allToAllvAsync(three, ONE_EACH, all, ONE_EACH).await();
        assertArrayEquals(new long[] {(1 + 10 * rank), (2 + 10 * rank), (3 + 10 * rank)}, all);
    }

    private static void bytes(Collectives c, int rank) {
        byte mine = (byte) (rank + 1);
        byte[] one = {mine};
        byte[] three = {mine, (byte) (mine + 10), (byte) (mine + 20)};
        byte[] sum = new byte[1];
        byte[] all = new byte[3];

        byte[] given = {mine};
        c.broadcast(given, 1);
        c.broadcastAsync(given, 1).await();
        assertArrayEquals(new byte[] {2}, given);

        c.reduce(one, rank == 2 ? sum : null, ReduceOp.SUM, 2);
        c.reduceAsync(one, rank == 2 ? sum : null, ReduceOp.SUM, 2).await();
        byte[] inPlace = {mine};
        c.reduce(inPlace, ReduceOp.MAX, 2);
        c.reduceAsync(inPlace, ReduceOp.MAX, 0).await();
        assertArrayEquals(rank == 2 ? new byte[] {6} : new byte[1], sum);
        assertArrayEquals(new byte[] {rank == 0 ? 3 : rank == 2 ? 3 : mine}, inPlace);

        c.allReduce(one, sum, ReduceOp.SUM);
        c.allReduceAsync(one, sum, ReduceOp.SUM).await();
        assertArrayEquals(new byte[] {6}, sum);
        c.allReduce(sum, ReduceOp.MIN);
        c.allReduceAsync(sum, ReduceOp.MIN).await();
        assertArrayEquals(new byte[] {6}, sum);

        byte[] block = new byte[1];
        c.scatter(rank == 1 ? three : null, block, 1);
        c.scatterAsync(rank == 1 ? three : null, block, 1).await();
        c.scatterv(rank == 1 ? three : null, ONE_EACH, block, 1);
        c.scattervAsync(rank == 1 ? three : null, ONE_EACH, block, 1).await();
        assertArrayEquals(new byte[] {(byte) (2 + 10 * rank)}, block);

        c.gather(one, rank == 0 ? all : null, 0);
        c.gatherAsync(one, rank == 0 ? all : null, 0).await();
        c.gatherv(one, rank == 0 ? all : null, ONE_EACH, 0);
        c.gathervAsync(one, rank == 0 ? all : null, ONE_EACH, 0).await();
        assertArrayEquals(rank == 0 ? new byte[] {1, 2, 3} : new byte[3], all);

        c.allGather(one, all);
        c.allGatherAsync(one, all).await();
        c.allGatherv(one, all, ONE_EACH);
        c.allGathervAsync(one, all, ONE_EACH).await();
        c.allGather(all);
        c.allGatherAsync(all).await();
        assertArrayEquals(new byte[] {1, 2, 3}, all);

        c.reduceScatter(three, sum, ReduceOp.SUM);
        c.reduceScatterAsync(three, sum, ReduceOp.SUM).await();
        assertArrayEquals(new byte[] {(byte) (6 + 30 * rank)}, sum);

        c.allToAll(three, all);
        c.allToAllAsync(three, all).await();
        c.allToAllv(three, ONE_EACH, all, ONE_EACH);
        c.allToAllvAsync(three, ONE_EACH, all, ONE_EACH).await();
        assertArrayEquals(new byte[] {(byte) (1 + 10 * rank), (byte) (2 + 10 * rank), (byte) (3 + 10 * rank)}, all);
    }

    private static void buffers(Collectives c, int rank) {
        byte mine = (byte) (rank + 1);
        ByteBuffer one = ByteBuffer.wrap(new byte[] {0, mine}, 1, 1);
        ByteBuffer three = ByteBuffer.allocateDirect(3)
                .put(new byte[] {mine, (byte) (mine + 10), (byte) (mine + 20)})
                .flip();
        ByteBuffer block = ByteBuffer.allocate(1);
        ByteBuffer all = ByteBuffer.allocateDirect(3);
        c.allReduce(one, block, ReduceOp.SUM);
        c.allReduceAsync(one, block, ReduceOp.SUM).await();
        assertArrayEquals(new byte[] {6}, block.array());
        c.allReduce(block, ReduceOp.MAX);
        c.allReduceAsync(block, ReduceOp.MAX).await();
        c.reduce(one, block, ReduceOp.SUM, 1);
        c.reduceAsync(one, block, ReduceOp.SUM, 1).await();
        c.reduce(block, ReduceOp.MAX, 1);
        c.reduceAsync(block, ReduceOp.MAX, 1).await();
        c.broadcast(block, 1);
        c.broadcastAsync(block, 1).await();
        assertArrayEquals(new byte[] {6}, block.array());
        c.scatter(three, block, 1);
        c.scatterAsync(three, block, 1).await();
        c.scatterv(three, ONE_EACH, block, 1);
        c.scattervAsync(three, ONE_EACH, block, 1).await();
        c.gather(block, all, 0);
        c.gatherAsync(block, all, 0).await();
        c.gatherv(block, all, ONE_EACH, 0);
        c.gathervAsync(block, all, ONE_EACH, 0).await();
        c.allGather(block, all);
        c.allGatherAsync(block, all).await();
        c.allGatherv(block, all, ONE_EACH);
        c.allGathervAsync(block, all, ONE_EACH).await();
        c.allGather(all);
        c.allGatherAsync(all).await();
        assertArrayEquals(new byte[] {2, 12, 22}, content(all));
        c.allToAll(three, all);
        c.allToAllAsync(three, all).await();
        c.allToAllv(three, ONE_EACH, all, ONE_EACH);
        c.allToAllvAsync(three, ONE_EACH, all, ONE_EACH).await();
        assertArrayEquals(
                new byte[] {(byte) (1 + 10 * rank), (byte) (2 + 10 * rank), (byte) (3 + 10 * rank)}, content(all));
        c.reduceScatter(three, block, ReduceOp.SUM);
        c.reduceScatterAsync(three, block, ReduceOp.SUM).await();
        assertArrayEquals(new byte[] {(byte) (6 + 30 * rank)}, block.array());
    }

    private static byte[] content(ByteBuffer buffer) {
        byte[] content = new byte[buffer.capacity()];
        buffer.get(0, content);
        return content;
    }
}
