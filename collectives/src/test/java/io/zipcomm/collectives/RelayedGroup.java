package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Groups of threads that meet at a relay of their own, one group after the other. */
final class RelayedGroup implements AutoCloseable {

    private static final long LIMIT_S = 60;
    private static final long LOOK_NS = 1_000_000;

    private final RelayServer relay;
    private int groups;

    RelayedGroup() {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    RelayServer relay() {
        return relay;
    }

    /** What every rank does, over the relay only. */
    void run(int size, RelayCollectives collectives, Consumer<Communicator> body) {
        run(size, TransportChoice.RELAY, collectives, body);
    }

    void run(int size, TransportChoice transport, RelayCollectives collectives, Consumer<Communicator> body) {
        String session = "group-" + ++groups;
        ExecutorService ranks = Executors.newFixedThreadPool(size);
        try {
            List<Future<?>> outcomes = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                ZipSettings settings = ZipSettings.builder()
                        .relay("127.0.0.1:" + relay.address().getPort())
                        .session(session)
                        .size(size)
                        .rank(rank)
                        .transport(transport)
                        .operationTimeout(Duration.ofSeconds(20))
                        .set(Setting.RELAY_COLLECTIVES, collectives.name())
                        .build();
                outcomes.add(ranks.submit(() -> {
                    try (Communicator world = Zip.join(settings)) {
                        body.accept(world);
                    }
                }));
            }
            for (Future<?> outcome : outcomes) {
                get(outcome);
            }
        } finally {
            ranks.shutdownNow();
        }
        awaitThat(() -> relay.stats().ranks() == 0, "the group is gone");
        assertEquals(0, relay.stats().bytesWaiting(), "bytes left in the relay");
    }

    private static void get(Future<?> outcome) {
        try {
            outcome.get(LIMIT_S, TimeUnit.SECONDS);
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("a rank did not end within " + LIMIT_S + " s", e);
        } catch (ExecutionException e) {
            throw new AssertionError("a rank failed: " + e.getCause(), e.getCause());
        }
    }

    /** What every rank does fails, everywhere. Answers how, by rank. */
    List<ZipException> fail(int size, Consumer<Communicator> body) {
        ZipException[] failures = new ZipException[size];
        run(size, RelayCollectives.REDUCE, world -> {
            try {
                body.accept(world);
            } catch (ZipException e) {
                failures[world.rank()] = e;
            }
        });
        for (ZipException failure : failures) {
            assertNotNull(failure, Arrays.toString(failures));
        }
        return List.of(failures);
    }

    void awaitThat(BooleanSupplier condition, String what) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S / 2);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadlineNs < 0, () -> "not true in time: " + what + "; " + relay.stats());
            LockSupport.parkNanos(LOOK_NS);
        }
    }

    static void meet(CyclicBarrier barrier) {
        try {
            barrier.await(LIMIT_S, TimeUnit.SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        relay.close();
    }
}
