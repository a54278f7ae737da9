package io.zipcomm.bench.lab;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.testkit.Memory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32C;

/**
 * Messages of all lengths from every rank to every other one, both ways at once, until one of them is to stop. What goes over
 * each edge is summed up in its order at both ends.
 */
final class LabLoad {

    /** Messages under way at once on each edge, each way. */
    private static final int IN_FLIGHT = 3;

    private static final int[] FEW_LENGTHS = {8, 64 << 10, 4 << 20};

    private static final int LONG_BYTES_MAX = 600 << 10;
    private static final int TAG = 7;

    private final Communicator world;
    private final boolean fewLengths;
    private final List<Edge> edges = new ArrayList<>();

    /** What goes to one peer and comes from it. */
    private final class Edge {
        private final int peer;
        private final SplittableRandom mine;
        private final SplittableRandom theirs;
        private final CRC32C sent = new CRC32C();
        private final CRC32C received = new CRC32C();
        private final List<ZipFuture<Void>> sends = new ArrayList<>();
        private final List<ZipFuture<Long>> receives = new ArrayList<>();
        private final List<ByteBuffer> targets = new ArrayList<>();
        private long bytes;
        private long number;

        private Edge(int peer) {
            this.peer = peer;
            int size = world.size();
            mine = new SplittableRandom(world.rank() * size + peer);
            theirs = new SplittableRandom(peer * size + world.rank());
        }

        private void post() {
            byte[] message = Memory.pattern(world.rank() * 1_000_003L + number, length(mine));
            boolean direct = number++ % 2 == 0;
            sent.update(message);
            bytes += message.length;
            ByteBuffer target = memory(direct, length(theirs));
            targets.add(target);
            receives.add(world.receiveAsync(peer, TAG, Payload.of(target)));
            ByteBuffer source = memory(direct, message.length).put(message).flip();
            sends.add(world.sendAsync(peer, TAG, Payload.of(source)));
        }

        private void await() {
            for (int i = 0; i < receives.size(); i++) {
                ByteBuffer target = targets.get(i);
                long came = receives.get(i).await();
                if (came != target.capacity()) {
                    throw new IllegalStateException(
                            came + " bytes from rank " + peer + " instead of " + target.capacity());
                }
                received.update(target.clear());
            }
            sends.forEach(ZipFuture::await);
            targets.clear();
            receives.clear();
            sends.clear();
        }
    }

    /**
     * Load of one rank. All of them call it.
     *
     * @param fewLengths whether messages have few lengths, and all ranks add up as many bytes after each round
     */
    LabLoad(Communicator world, boolean fewLengths) {
        this.world = world;
        this.fewLengths = fewLengths;
        for (int peer = 0; peer < world.size(); peer++) {
            if (peer != world.rank()) {
                edges.add(new Edge(peer));
            }
        }
    }

    private static ByteBuffer memory(boolean direct, int bytes) {
        return direct ? ByteBuffer.allocateDirect(bytes) : ByteBuffer.allocate(bytes);
    }

    private int length(SplittableRandom random) {
        return fewLengths ? FEW_LENGTHS[random.nextInt(FEW_LENGTHS.length)] : anyLength(random);
    }

    private static int anyLength(SplittableRandom random) {
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> random.nextInt(200);
            case 3, 4 -> random.nextInt(32 << 10);
            case 5, 6 -> random.nextInt(100 << 10);
            default -> random.nextInt(LONG_BYTES_MAX);
        };
    }

    private void addUp(Collectives collectives, int count, long round) {
        long[] sum = new long[count];
        for (int i = 0; i < count; i++) {
            sum[i] = (world.rank() + 1) * (i + round);
        }
        collectives.allReduce(sum, ReduceOp.SUM);
        long ranks = (long) world.size() * (world.size() + 1) / 2;
        for (int i = 0; i < count; i++) {
            if (sum[i] != ranks * (i + round)) {
                throw new IllegalStateException(
                        "element " + i + " of a sum is " + sum[i] + ", should be " + ranks * (i + round));
            }
        }
    }

    /**
     * Loads all edges until a rank is to stop.
     *
     * @return a line for each peer: {@code edge PEER BYTES-SENT SUM-SENT SUM-RECEIVED}
     */
    List<String> run(BooleanSupplier stop) {
        Collectives collectives = Collectives.of(world);
        int[] over = {0};
        for (long round = 0; over[0] == 0; round++) {
            for (int i = 0; i < IN_FLIGHT; i++) {
                edges.forEach(Edge::post);
            }
            edges.forEach(Edge::await);
            if (fewLengths) {
                for (int bytes : FEW_LENGTHS) {
                    addUp(collectives, bytes / Long.BYTES, round);
                }
            }
            over[0] = stop.getAsBoolean() ? 1 : 0;
            collectives.allReduce(Payload.of(over), ReduceOp.MAX);
        }
        return edges.stream()
                .map(edge -> "edge " + edge.peer + " " + edge.bytes + " " + edge.sent.getValue() + " "
                        + edge.received.getValue())
                .toList();
    }
}
