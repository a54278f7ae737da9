package io.zipcomm.bench.lab;

import io.zipcomm.Communicator;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Sums and broadcasts, one behind the other: how long they take, or until a rank is to stop. All ranks call it. */
final class LabTimes {

    /** Elements of four bytes. */
    private static final int SHORT = 16;

    private static final int LONG = 256 << 10;

    private static final int SHORT_ROUNDS = 200;
    private static final int LONG_ROUNDS = 5;
    private static final int WARM_UP_ROUNDS = 1;

    private final Collectives collectives;
    private final int size;
    private int round;

    LabTimes(Communicator world) {
        collectives = Collectives.of(world);
        size = world.size();
    }

    /**
     * Measures.
     *
     * @return {@code times}, and median and mean of this rank in microseconds of short all-reduces, long ones and long broadcasts
     */
    String measure() {
        return "times"
                + timesUs(SHORT_ROUNDS, new int[SHORT], this::sum)
                + timesUs(LONG_ROUNDS, new int[LONG], this::sum)
                + timesUs(LONG_ROUNDS, new int[LONG], this::broadcast);
    }

    /** Adds up until a rank is to stop. */
    void sumUntil(BooleanSupplier stop) {
        int[] data = new int[LONG];
        int[] over = {0};
        while (over[0] == 0) {
            sum(data);
            over[0] = stop.getAsBoolean() ? 1 : 0;
            collectives.allReduce(Payload.of(over), ReduceOp.MAX);
        }
    }

    private String timesUs(int rounds, int[] data, Consumer<int[]> work) {
        long[] tookNs = new long[rounds];
        for (int i = -WARM_UP_ROUNDS; i < rounds; i++) {
            collectives.barrier();
            long fromNs = System.nanoTime();
            work.accept(data);
            tookNs[Math.max(0, i)] = System.nanoTime() - fromNs;
        }
        Arrays.sort(tookNs);
        long meanNs = Arrays.stream(tookNs).sum() / rounds;
        return " " + TimeUnit.NANOSECONDS.toMicros(tookNs[rounds / 2]) + " " + TimeUnit.NANOSECONDS.toMicros(meanNs);
    }

    private void sum(int[] data) {
        round++;
        Arrays.fill(data, round);
        collectives.allReduce(Payload.of(data), ReduceOp.SUM);
        check(data, round * size);
    }

    private void broadcast(int[] data) {
        round++;
        Arrays.fill(data, collectives.communicator().rank() == 0 ? round : 0);
        collectives.broadcast(Payload.of(data), 0);
        check(data, round);
    }

    private void check(int[] data, int expected) {
        for (int i = 0; i < data.length; i++) {
            if (data[i] != expected) {
                throw new IllegalStateException(
                        "element " + i + " is " + data[i] + " in round " + round + ", and should be " + expected);
            }
        }
    }
}
