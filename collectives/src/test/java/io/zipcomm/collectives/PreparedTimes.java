package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Prints what an all-reduce of 8 bytes between two ranks costs, called and prepared: a measurement, not a check of times,
 * and not part of the usual tests. On a quiet machine with two cores or more:
 *
 * <pre>
 * mvn test -pl collectives -am -Dtest=PreparedTimes -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 */
final class PreparedTimes {

    private static final int SIZE = 2;
    private static final int RUNS = 20_000;

    /** Measurements of each, in turns; the first ones warm up. */
    private static final int ROUNDS = 8;

    private static final int WARM_UP = 3;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Test
    void shouldPrintTimesOfCalledAndPrepared() throws Exception {
        ExecutorService ranks = Executors.newFixedThreadPool(SIZE);
        try (RelayServer relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build())) {
            List<Future<Float>> ends = new ArrayList<>();
            for (int rank = 0; rank < SIZE; rank++) {
                ZipSettings settings = ZipSettings.builder()
                        .relay("127.0.0.1:" + relay.address().getPort())
                        .session("times")
                        .size(SIZE)
                        .rank(rank)
                        .transport(TransportChoice.TCP)
                        .joinTimeout(Duration.ofSeconds(30))
                        .build();
                ends.add(ranks.submit(() -> measure(settings)));
            }
            for (Future<Float> end : ends) {
                assertEquals(1, end.get(5, TimeUnit.MINUTES));
            }
        } finally {
            ranks.shutdownNow();
        }
    }

    private static float measure(ZipSettings settings) {
        try (Communicator world = Zip.join(settings)) {
            Collectives collectives = Collectives.of(world);
            float[] values = {1, 1};
            double[] called = new double[ROUNDS];
            double[] prepared = new double[ROUNDS];
            boolean prints = world.rank() == 0;
            try (Prepared max = collectives.prepare().allReduce(values, ReduceOp.MAX)) {
                for (int round = 0; round < ROUNDS; round++) {
                    boolean warm = round >= WARM_UP;
                    called[round] = repeat("called", () -> collectives.allReduce(values, ReduceOp.MAX), prints && warm);
                    prepared[round] = repeat("prepared", max::run, prints && warm);
                }
            }
            if (prints) {
                print("median: called %.2f us, prepared %.2f us%n", median(called), median(prepared));
            }
            return values[1];
        }
    }

    private static double repeat(String name, Runnable operation, boolean prints) {
        long bytes = THREADS.getCurrentThreadAllocatedBytes();
        long startNs = System.nanoTime();
        for (int i = 0; i < RUNS; i++) {
            operation.run();
        }
        double us = (System.nanoTime() - startNs) / 1000.0 / RUNS;
        double garbage = (double) (THREADS.getCurrentThreadAllocatedBytes() - bytes) / RUNS;
        if (prints) {
            print("%-8s %7.2f us, %5.1f bytes of garbage%n", name, us, garbage);
        }
        return us;
    }

    private static double median(double[] times) {
        double[] warm = Arrays.copyOfRange(times, WARM_UP, ROUNDS);
        Arrays.sort(warm);
        return warm[warm.length / 2];
    }

    private static void print(String format, Object... values) {
        System.out.printf(Locale.ROOT, format, values);
    }
}
