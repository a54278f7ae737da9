package io.zipcomm.bench.soak;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;

/** One round of what a program may do: messages, and collectives of several lengths, every result checked. */
final class Mix {

    private static final int TAG = 7;
    private static final int SMALL = 2;
    private static final int MEDIUM = 4096;
    private static final int LARGE = 128 << 10;

    private final Communicator world;
    private final Collectives collectives;
    private final int rank;
    private final int size;
    private final long[] word = new long[SMALL];
    private final long[] block = new long[MEDIUM];
    private final long[] blocks;
    private final long[] exchanged;
    private final double[] large = new double[LARGE];
    private final int[] in = new int[1];
    private final int[] out = new int[1];

    Mix(Communicator world) {
        this.world = world;
        collectives = Collectives.of(world);
        rank = world.rank();
        size = world.size();
        blocks = new long[size * MEDIUM];
        exchanged = new long[size * MEDIUM];
    }

    /**
     * All members call it with the same number.
     *
     * @param round from 0
     * @param flag  of this rank
     * @return whether any rank's flag was set
     * @throws IllegalStateException if a result is wrong
     */
    boolean run(long round, boolean flag) {
        collectives.barrier();
        neighbours(round);
        int root = (int) (round % size);
        fill(block, rank == root ? value(root, round) : -1);
        collectives.broadcast(block, root);
        check("broadcast", value(root, round), block[0], block[MEDIUM - 1]);
        fill(block, value(rank, round));
        collectives.allGather(Payload.of(block), Payload.of(blocks));
        for (int source = 0; source < size; source++) {
            check("all-gather", value(source, round), blocks[source * MEDIUM], blocks[(source + 1) * MEDIUM - 1]);
        }
        fill(blocks, value(rank, round));
        collectives.allToAll(Payload.of(blocks), Payload.of(exchanged));
        for (int source = 0; source < size; source++) {
            check("all-to-all", value(source, round), exchanged[source * MEDIUM], exchanged[(source + 1) * MEDIUM - 1]);
        }
        collectives.reduceScatter(Payload.of(blocks), Payload.of(block), ReduceOp.SUM);
        long sum = size * (size - 1L) / 2 + size * round;
        check("reduce-scatter", sum, block[0], block[MEDIUM - 1]);
        large[0] = rank;
        large[LARGE - 1] = rank;
        collectives.allReduce(large, ReduceOp.SUM);
        check("all-reduce", size * (size - 1L) / 2, (long) large[0], (long) large[LARGE - 1]);
        word[0] = flag ? 1 : 0;
        word[1] = round;
        collectives.allReduce(word, ReduceOp.MAX);
        check("round", round, word[1], word[1]);
        return word[0] > 0;
    }

    private void neighbours(long round) {
        if (size == 1) {
            return;
        }
        out[0] = (int) value(rank, round);
        ZipFuture<Void> sent = world.sendAsync((rank + 1) % size, TAG, Payload.of(out));
        int from = (rank + size - 1) % size;
        world.receive(from, TAG, in);
        sent.await();
        check("receive", value(from, round), in[0], in[0]);
    }

    private static void fill(long[] array, long value) {
        array[0] = value;
        for (int i = MEDIUM - 1; i < array.length; i += MEDIUM) {
            array[i] = value;
            if (i + 1 < array.length) {
                array[i + 1] = value;
            }
        }
    }

    private static long value(int source, long round) {
        return source + round;
    }

    private void check(String what, long expected, long first, long last) {
        if (first != expected || last != expected) {
            throw new IllegalStateException(what + " at rank " + rank + " of " + size + " gave " + first + " and "
                    + last + ", expected " + expected);
        }
    }
}
