package io.zipcomm.bench.plan;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What the harness can measure: the names that users write, and what each operation costs at least.
 *
 * <p>The cost model is the usual one of one-port, full-duplex ranks: {@code latencySteps * alpha + byteFactor * M * beta}
 * for M bytes, alpha seconds a message and beta seconds a byte; the time to add numbers is left out. M is the bytes at one
 * rank, for operations on blocks the total over them.
 */
public enum BenchOperation {
    /** Everyone waits for everyone. */
    BARRIER(Data.NONE),
    /** A message from rank 0 to rank 1 and back: its time is the full round trip. */
    PINGPONG(Data.WHOLE),
    /** One rank's bytes to all. */
    BROADCAST(Data.WHOLE),
    /** The sum of all at one rank. */
    REDUCE(Data.REDUCED),
    /** The sum of all at all. */
    ALLREDUCE(Data.REDUCED),
    /** One rank's blocks, one to each. */
    SCATTER(Data.BLOCKS),
    /** A block of each, all at one rank. */
    GATHER(Data.BLOCKS),
    /** A block of each, all at all. */
    ALLGATHER(Data.BLOCKS),
    /** The sum of all, a block of it at each. */
    REDUCESCATTER(Data.REDUCED),
    /** A block from each to each. */
    ALLTOALL(Data.BLOCKS);

    private enum Data {
        NONE,
        WHOLE,
        BLOCKS,
        REDUCED
    }

    private final Data data;

    BenchOperation(Data data) {
        this.data = data;
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

    /** Whether all ranks take part in it together. */
    public boolean isCollective() {
        return this != PINGPONG;
    }

    /** Fewest ranks that it makes sense with. */
    public int ranksMin() {
        return this == PINGPONG ? 2 : 1;
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
