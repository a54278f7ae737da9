package io.zipcomm.bench.plan;

import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.Collectives;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What the harness can measure: the names that users write, and what each operation costs at least.
 *
 * <p>The cost model is the usual one of one-port, full-duplex ranks: {@code latencySteps * alpha + byteFactor * M * beta}
 * for M bytes, alpha seconds a message and beta seconds a byte, in one direction or in both at once; the time to add numbers is left out. M is the bytes at one
 * rank, for operations on blocks the total over them.
 */
public enum BenchOperation {
    /** Everyone waits for everyone. */
    BARRIER(Data.NONE, CollectiveOperation.BARRIER),
    /** A message from rank 0 to rank 1 and back: its time is the full round trip. */
    PINGPONG(Data.WHOLE, null),
    /** One rank's bytes to all. */
    BROADCAST(Data.WHOLE, CollectiveOperation.BROADCAST),
    /** The sum of all at one rank. */
    REDUCE(Data.REDUCED, CollectiveOperation.REDUCE),
    /** The sum of all at all. */
    ALLREDUCE(Data.REDUCED, CollectiveOperation.ALL_REDUCE),
    /** One rank's blocks, one to each. */
    SCATTER(Data.BLOCKS, CollectiveOperation.SCATTER),
    /** A block of each, all at one rank. */
    GATHER(Data.BLOCKS, CollectiveOperation.GATHER),
    /** A block of each, all at all. */
    ALLGATHER(Data.BLOCKS, CollectiveOperation.ALL_GATHER),
    /** The sum of all, a block of it at each. */
    REDUCESCATTER(Data.REDUCED, CollectiveOperation.REDUCE_SCATTER),
    /** A block from each to each. */
    ALLTOALL(Data.BLOCKS, CollectiveOperation.ALL_TO_ALL);

    private enum Data {
        NONE,
        WHOLE,
        BLOCKS,
        REDUCED
    }

    private final Data data;
    private final CollectiveOperation collective;

    BenchOperation(Data data, CollectiveOperation collective) {
        this.data = data;
        this.collective = collective;
    }

    /** The name in options, tables and CSV files. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The operation with a name.
     *
     * @throws IllegalArgumentException that lists the names there are
     */
    public static BenchOperation of(String label) {
        for (BenchOperation operation : values()) {
            if (operation.label().equals(label)) {
                return operation;
            }
        }
        throw new IllegalArgumentException("unknown operation '" + label + "'; known: " + labels());
    }

    /** All names, as a list for people. */
    public static String labels() {
        return Arrays.stream(values()).map(BenchOperation::label).collect(Collectors.joining(", "));
    }

    /** Whether it moves data, so that it is measured for each size. */
    public boolean hasBytes() {
        return data != Data.NONE;
    }

    /** Whether it adds numbers: its data are then 4-byte floats, otherwise plain bytes. */
    public boolean reduces() {
        return data == Data.REDUCED;
    }

    /** Whether one rank or each has a block for every rank, so that M is their total. */
    public boolean hasBlocks() {
        return data == Data.BLOCKS || this == REDUCESCATTER;
    }

    /** Whether all ranks take part in it together. */
    public boolean isCollective() {
        return collective != null;
    }

    /** The library's operation; null for messages between two ranks. */
    public CollectiveOperation collective() {
        return collective;
    }

    /** The names of the algorithms by which it can be done; none for messages between two ranks. */
    public List<String> algorithms() {
        if (!isCollective()) {
            return List.of();
        }
        List<String> names = new ArrayList<>(Collectives.algorithms(collective));
        names.addAll(Collectives.relayAlgorithms(collective));
        return names;
    }

    /** Fewest ranks that it makes sense with. */
    public int ranksMin() {
        return this == PINGPONG ? 2 : 1;
    }

    /** Whether the bound has every rank send and receive at once, all the time. */
    public boolean isTwoWay() {
        return switch (this) {
            case ALLREDUCE, ALLGATHER, REDUCESCATTER, ALLTOALL -> true;
            case BARRIER, PINGPONG, BROADCAST, REDUCE, SCATTER, GATHER -> false;
        };
    }

    /** Messages one after the other that it needs at least. */
    public int latencySteps(int ranks) {
        return this == PINGPONG ? 2 : Integer.SIZE - Integer.numberOfLeadingZeros(ranks - 1);
    }

    /**
     * Bytes that the busiest rank sends or receives at least, as a multiple of M. Bus bandwidth, as nccl-tests defines it,
     * is this times M over the time; {@link #PINGPONG} moves M twice in a round trip.
     */
    public double byteFactor(int ranks) {
        double others = (ranks - 1.0) / ranks;
        return switch (this) {
            case BARRIER -> 0;
            case PINGPONG -> 2;
            case BROADCAST, REDUCE -> 1;
            case ALLREDUCE -> 2 * others;
            case SCATTER, GATHER, ALLGATHER, REDUCESCATTER, ALLTOALL -> others;
        };
    }
}
