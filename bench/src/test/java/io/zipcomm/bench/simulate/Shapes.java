package io.zipcomm.bench.simulate;

import io.zipcomm.buffer.DataType;
import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Shape;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Shapes of all ranks of a call, with blocks of different lengths where the operation allows it. */
final class Shapes {

    private Shapes() {}

    /**
     * Those of one call.
     *
     * @param bytes whole message, or about the length of a block
     */
    static IntFunction<Shape> of(CollectiveOperation operation, int size, int root, int bytes, int segmentBytes) {
        return rank -> {
            Blocks even = Blocks.even(size, bytes);
            Blocks uneven = blocks(size, 0, bytes);
            return switch (operation) {
                case BARRIER, BROADCAST -> shape(operation, rank, size, root, bytes, null, null, segmentBytes);
                case REDUCE, ALL_REDUCE -> shape(operation, rank, size, root, bytes, null, null, segmentBytes);
                case SCATTER, GATHER, ALL_GATHER, REDUCE_SCATTER ->
                    shape(operation, rank, size, root, bytes, even, null, segmentBytes);
                case ALL_TO_ALL -> shape(operation, rank, size, root, bytes, even, even, segmentBytes);
                case SCATTER_V, GATHER_V ->
                    shape(
                            operation,
                            rank,
                            size,
                            root,
                            uneven.bytes(rank),
                            rank == root ? uneven : null,
                            null,
                            segmentBytes);
                case ALL_GATHER_V -> shape(operation, rank, size, root, uneven.bytes(rank), uneven, null, segmentBytes);
                case ALL_TO_ALL_V -> {
                    int[] arriving = IntStream.range(0, size)
                            .map(from -> length(from, rank, bytes))
                            .toArray();
                    yield shape(
                            operation,
                            rank,
                            size,
                            root,
                            0,
                            blocks(size, rank, bytes),
                            Blocks.of(arriving, null, 1),
                            segmentBytes);
                }
            };
        };
    }

    private static Shape shape(
            CollectiveOperation operation,
            int rank,
            int size,
            int root,
            long bytes,
            Blocks blocks,
            Blocks arriving,
            int segmentBytes) {
        boolean reduces = operation == CollectiveOperation.REDUCE
                || operation == CollectiveOperation.ALL_REDUCE
                || operation == CollectiveOperation.REDUCE_SCATTER;
        DataType type = reduces ? DataType.FLOAT32 : null;
        return new Shape(operation, rank, size, root, type, bytes, blocks, arriving, Shape.TWO_BUFFERS, segmentBytes);
    }

    private static Blocks blocks(int size, int from, int bytes) {
        int[] counts =
                IntStream.range(0, size).map(to -> length(from, to, bytes)).toArray();
        return Blocks.of(counts, null, 1);
    }

    /** Some lengths, 0 among them. */
    private static int length(int from, int to, int bytes) {
        return (from * 5 + to * 3) % 4 * bytes / 2;
    }
}
