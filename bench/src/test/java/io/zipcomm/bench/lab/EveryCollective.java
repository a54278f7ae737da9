package io.zipcomm.bench.lab;

import io.zipcomm.Communicator;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/** Runs every operation of {@link Collectives} once and compares what comes out with what must. All ranks call it. */
public final class EveryCollective {

    private final Collectives collectives;
    private final int rank;
    private final int size;
    private final int count;
    private int done;

    /**
     * Operations of a group.
     *
     * @param count elements in a block
     */
    public EveryCollective(Communicator world, int count) {
        collectives = Collectives.of(world);
        rank = world.rank();
        size = world.size();
        this.count = count;
    }

    /**
     * Runs them.
     *
     * @return how many there were
     * @throws IllegalStateException if a result is wrong
     */
    public int run() {
        collectives.barrier();
        done++;
        rooted(size - 1);
        symmetric();
        uneven(size / 2);
        return done;
    }

    private static int value(int source, int destination, int index) {
        return source * 0x165667b1 + destination * 0x27d4eb2f + index * 31 + 7;
    }

    private static int[] block(int source, int destination, int length) {
        return made(length, index -> value(source, destination, index));
    }

    private static int[] made(int length, IntUnaryOperator at) {
        int[] array = new int[length];
        Arrays.setAll(array, at);
        return array;
    }

    private int sum(int index) {
        int sum = 0;
        for (int source = 0; source < size; source++) {
            sum += value(source, 0, index);
        }
        return sum;
    }

    private void check(String operation, int[] expected, int[] found) {
        int at = Arrays.mismatch(expected, found);
        if (at >= 0) {
            throw new IllegalStateException(operation + " of blocks of " + count + " at rank " + rank + " of " + size
                    + " is wrong at element " + at + " of " + expected.length);
        }
        done++;
    }

    private void rooted(int root) {
        boolean atRoot = rank == root;
        int[] data = atRoot ? block(root, 0, count) : new int[count];
        collectives.broadcast(Payload.of(data), root);
        check("broadcast", block(root, 0, count), data);

        int[] total = new int[count];
        collectives.reduce(Payload.of(block(rank, 0, count)), Payload.of(total), ReduceOp.SUM, root);
        check("reduce", atRoot ? made(count, this::sum) : new int[count], total);

        int[] all = made(size * count, index -> value(root, index / count, index % count));
        int[] mine = new int[count];
        collectives.scatter(atRoot ? Payload.of(all) : null, Payload.of(mine), root);
        check("scatter", block(root, rank, count), mine);

        int[] gathered = new int[size * count];
        collectives.gather(Payload.of(block(rank, root, count)), Payload.of(gathered), root);
        check("gather", atRoot ? ofAll(root) : new int[size * count], gathered);
    }

    /** What each rank has for one. */
    private int[] ofAll(int destination) {
        return made(size * count, index -> value(index / count, destination, index % count));
    }

    private void symmetric() {
        int[] total = block(rank, 0, count);
        collectives.allReduce(Payload.of(total), ReduceOp.SUM);
        check("all-reduce", made(count, this::sum), total);

        int[] gathered = new int[size * count];
        collectives.allGather(Payload.of(block(rank, 0, count)), Payload.of(gathered));
        check("all-gather", ofAll(0), gathered);

        int[] share = new int[count];
        collectives.reduceScatter(Payload.of(block(rank, 0, size * count)), Payload.of(share), ReduceOp.SUM);
        check("reduce-scatter", made(count, index -> sum(rank * count + index)), share);

        int[] exchanged = new int[size * count];
        int[] forAll = made(size * count, index -> value(rank, index / count, index % count));
        collectives.allToAll(Payload.of(forAll), Payload.of(exchanged));
        check("all-to-all", ofAll(rank), exchanged);
    }

    /** Rank r has r elements more than rank 0, or as receiver gets as many from all. */
    private void uneven(int root) {
        boolean atRoot = rank == root;
        int[] counts = made(size, one -> count + one);
        int[] ends = counts.clone();
        Arrays.parallelPrefix(ends, Integer::sum);
        int length = ends[size - 1];
        int[] concatenated = made(length, index -> {
            int owner = Arrays.binarySearch(ends, index + 1);
            owner = owner < 0 ? -owner - 1 : owner;
            return value(owner, 0, index - ends[owner] + counts[owner]);
        });
        int[] own = block(rank, 0, counts[rank]);

        int[] mine = new int[counts[rank]];
        collectives.scatterv(atRoot ? Payload.of(concatenated) : null, counts, null, Payload.of(mine), root);
        check("scatterv", own, mine);

        int[] gathered = new int[length];
        collectives.gatherv(Payload.of(own), Payload.of(gathered), counts, null, root);
        check("gatherv", atRoot ? concatenated : new int[length], gathered);

        int[] everywhere = new int[length];
        collectives.allGatherv(Payload.of(own), Payload.of(everywhere), counts, null);
        check("all-gatherv", concatenated, everywhere);

        int[] sent = new int[length];
        for (int peer = 0; peer < size; peer++) {
            System.arraycopy(block(rank, peer, counts[peer]), 0, sent, ends[peer] - counts[peer], counts[peer]);
        }
        int[] received = new int[size * counts[rank]];
        int[] equal = made(size, one -> counts[rank]);
        collectives.allToAllv(Payload.of(sent), counts, null, Payload.of(received), equal, null);
        check(
                "all-to-allv",
                made(received.length, index -> value(index / counts[rank], rank, index % counts[rank])),
                received);
    }
}
