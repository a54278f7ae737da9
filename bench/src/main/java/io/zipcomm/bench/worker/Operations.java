package io.zipcomm.bench.worker;

import java.nio.ByteBuffer;

/**
 * How ranks that run Java do the operations, each made ready for memory that stays the same. The root is rank 0. What a
 * {@code Runnable} does is what is timed; it blocks until this rank's part is done.
 */
interface Operations {

    /** The root of everything that has one. */
    int ROOT = 0;

    /** What stands in the column of the algorithm, for what was made ready last. */
    String algorithm();

    Runnable barrier();

    /**
     * First half of a round trip, on rank 0: sends, and waits for what comes back.
     *
     * @param sent     goes to rank 1
     * @param received takes what comes back
     */
    Runnable ping(ByteBuffer sent, ByteBuffer received);

    /** The other half, on rank 1: waits for the bytes and sends them back. */
    Runnable pong(ByteBuffer buffer);

    /** The root's bytes to all, in place. */
    Runnable broadcast(ByteBuffer buffer);

    /**
     * A block of the root's to each.
     *
     * @param from   all blocks; empty elsewhere than at the root
     * @param blocks how they lie in it
     * @param to     this rank's block
     */
    Runnable scatter(ByteBuffer from, Blocks blocks, ByteBuffer to);

    /**
     * A block of each to the root.
     *
     * @param from   this rank's block
     * @param to     all blocks; empty elsewhere than at the root
     * @param blocks how they lie in it
     */
    Runnable gather(ByteBuffer from, ByteBuffer to, Blocks blocks);

    /** As {@link #gather}, to all. */
    Runnable allGather(ByteBuffer from, ByteBuffer to, Blocks blocks);

    /**
     * A block from each to each.
     *
     * @param from     one block for each rank
     * @param sending  how they lie in it; the same at all ranks
     * @param to       one block of each rank, all of this rank's length
     * @param arriving how they lie in it
     */
    Runnable allToAll(ByteBuffer from, Blocks sending, ByteBuffer to, Blocks arriving);

    /**
     * The sum of all at the root.
     *
     * @param from this rank's numbers
     * @param to   the sums; empty elsewhere than at the root
     */
    Runnable reduce(Numbers from, Numbers to);

    /** The sum of all at all. */
    Runnable allReduce(Numbers from, Numbers to);

    /**
     * The sum of all, a block of it at each.
     *
     * @param from   this rank's numbers
     * @param blocks how they are divided; all of one length
     * @param to     this rank's block of the sums
     */
    Runnable reduceScatter(Numbers from, Blocks blocks, Numbers to);
}
