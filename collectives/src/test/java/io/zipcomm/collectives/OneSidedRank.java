package io.zipcomm.collectives;

import io.zipcomm.Communicator;
import io.zipcomm.Region;
import io.zipcomm.Zip;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/** One rank of {@link OneSidedTimes}. */
final class OneSidedRank {

    private static final int ROUNDS = 7;
    private static final int WARM_UP = 3;
    private static final long ROUND_NS = 60_000_000;
    private static final int RUNS_MAX = 20_000;

    public static void main(String[] args) {
        ZipSettings settings = ZipSettings.builder()
                .relay("127.0.0.1:" + args[0])
                .session("times")
                .size(Integer.parseInt(args[1]))
                .rank(Integer.parseInt(args[2]))
                .transport(TransportChoice.RDMA)
                .set(Setting.RDMA_PROVIDER, args[3])
                .joinTimeout(Duration.ofSeconds(30))
                .build();
        try (Communicator world = Zip.join(settings)) {
            OneSidedRank times = new OneSidedRank(world, args[3]);
            // Until its compilers are done, a process says little.
            times.silent = true;
            for (int i = 0; i < 2; i++) {
                times.ofOperations();
                times.ofAllGather(64 << 10);
                times.ofAllReduce(64 << 10);
            }
            times.silent = false;
            if (world.size() == 2) {
                times.ofOperations();
            }
            for (int bytes : new int[] {8 << 10, 64 << 10, 1 << 20, 16 << 20}) {
                times.ofAllGather(bytes);
                times.ofAllReduce(bytes);
            }
        }
    }

    private final Communicator world;
    private final Collectives collectives;
    private final String provider;
    private boolean silent;

    private OneSidedRank(Communicator world, String provider) {
        this.world = world;
        this.provider = provider;
        collectives = Collectives.of(world);
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    // ---- operations

    private void ofOperations() {
        int most = 1 << 20;
        ByteBuffer memory = direct(64 * most);
        ByteBuffer local = direct(64 * most);
        try (Region region = world.expose(memory)) {
            print("fence", 0, time(region::fence));
            for (int bytes : new int[] {8, 4096, 64 << 10, most}) {
                ByteBuffer part = local.slice(0, bytes);
                print("put and flush", bytes, alone(region, () -> {
                    region.put(1, 0, part);
                    region.flush(1);
                }));
                print("get and flush", bytes, alone(region, () -> {
                    region.get(1, 0, part);
                    region.flush(1);
                }));
                print("64 puts and flush", 64L * bytes, alone(region, () -> {
                    for (int i = 0; i < 64; i++) {
                        region.put(1, (long) i * bytes, part);
                    }
                    region.flush(1);
                }));
                print("64 gets and flush", 64L * bytes, alone(region, () -> {
                    for (int i = 0; i < 64; i++) {
                        region.get(1, (long) i * bytes, local.slice(i * bytes, bytes));
                    }
                    region.flush(1);
                }));
            }
        }
    }

    /** Rank 0 does it, the others wait for it in a fence. */
    private double alone(Region region, Runnable operation) {
        double[] times = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            if (world.rank() == 0) {
                long startNs = System.nanoTime();
                int runs = 0;
                while (System.nanoTime() - startNs < ROUND_NS) {
                    operation.run();
                    runs++;
                }
                times[round] = (System.nanoTime() - startNs) / 1000.0 / runs;
            }
            region.fence();
        }
        return median(times);
    }

    // ---- collectives

    private void ofAllGather(int bytes) {
        int block = bytes / world.size();
        ByteBuffer source = direct(block);
        ByteBuffer target = direct(bytes);
        for (String name : new String[] {"doubling", "ring", "pairwise"}) {
            Collectives by = collectives.withAlgorithm(name);
            print("all-gather " + name, bytes, time(() -> by.allGather(Payload.of(source), Payload.of(target))));
        }
        try (Region region = world.expose(target)) {
            print("all-gather put", bytes, time(() -> {
                region.fence();
                for (int i = 0; i < world.size(); i++) {
                    region.put((world.rank() + i) % world.size(), (long) world.rank() * block, source);
                }
                region.fence();
            }));
        }
        try (Region region = world.expose(source)) {
            print("all-gather get", bytes, time(() -> {
                region.fence();
                for (int i = 0; i < world.size(); i++) {
                    int rank = (world.rank() + i) % world.size();
                    region.get(rank, 0, target.slice(rank * block, block));
                }
                region.fence();
            }));
        }
    }

    private void ofAllReduce(int bytes) {
        int chunk = bytes / world.size();
        ByteBuffer source = direct(bytes);
        ByteBuffer target = direct(bytes);
        for (String name : new String[] {"doubling", "ring", "rabenseifner", "exchange"}) {
            Collectives by = collectives.withAlgorithm(name);
            print(
                    "all-reduce " + name,
                    bytes,
                    time(() -> by.allReduce(
                            Payload.of(source, DataType.FLOAT32), Payload.of(target, DataType.FLOAT32), ReduceOp.SUM)));
        }
        ByteBuffer scratch = direct(bytes);
        try (Region sources = world.expose(source);
                Region targets = world.expose(target)) {
            int mine = world.rank() * chunk;
            print("all-reduce get and put", bytes, time(() -> {
                targets.fence();
                for (int i = 1; i < world.size(); i++) {
                    int rank = (world.rank() + i) % world.size();
                    sources.get(rank, mine, scratch.slice(rank * chunk, chunk));
                }
                sources.flush();
                FloatBuffer result = floats(target, mine, chunk);
                result.put(0, floats(source, mine, chunk), 0, chunk / Float.BYTES);
                for (int i = 1; i < world.size(); i++) {
                    add(result, floats(scratch, (world.rank() + i) % world.size() * chunk, chunk));
                }
                for (int i = 1; i < world.size(); i++) {
                    targets.put((world.rank() + i) % world.size(), mine, target.slice(mine, chunk));
                }
                targets.fence();
            }));
        }
    }

    private static FloatBuffer floats(ByteBuffer memory, int at, int bytes) {
        return memory.slice(at, bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    }

    private static void add(FloatBuffer to, FloatBuffer from) {
        for (int i = 0; i < to.capacity(); i++) {
            to.put(i, to.get(i) + from.get(i));
        }
    }

    /** Of what all ranks do at once: microseconds of the slowest, on average over a round; the median over rounds. */
    private double time(Runnable operation) {
        double[] times = new double[ROUNDS];
        int[] runs = {2};
        for (int round = 0; round < ROUNDS; round++) {
            collectives.barrier();
            long startNs = System.nanoTime();
            for (int i = 0; i < runs[0]; i++) {
                operation.run();
            }
            double[] us = {(System.nanoTime() - startNs) / 1000.0 / runs[0]};
            collectives.allReduce(us, ReduceOp.MAX);
            times[round] = us[0];
            if (round < WARM_UP) {
                runs[0] = (int) Math.max(2, Math.min(RUNS_MAX, ROUND_NS / 1000.0 / us[0]));
            }
        }
        return median(times);
    }

    private static double median(double[] times) {
        double[] warm = Arrays.copyOfRange(times, WARM_UP, ROUNDS);
        Arrays.sort(warm);
        return (warm[warm.length / 2 - 1] + warm[warm.length / 2]) / 2;
    }

    private void print(String what, long bytes, double us) {
        if (world.rank() == 0 && !silent) {
            String line = String.format(
                    Locale.ROOT,
                    "%s P=%d %s %d: %.1f us, %.2f GB/s%n",
                    provider,
                    world.size(),
                    what,
                    bytes,
                    us,
                    bytes / us / 1000);
            System.out.print(line);
        }
    }
}
