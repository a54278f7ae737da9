package io.zipcomm.bench.chaos;

import io.zipcomm.Agreement;
import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.bench.lab.EveryCollective;
import io.zipcomm.bench.worker.HarnessLink;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * A process of a group that is being shot at: runs every collective again and again and checks what comes out; on a failure it
 * revokes, agrees with the others on who is dead, says so, and goes on in the next epoch.
 */
public final class ChaosRank {

    /** It is in a group: epoch, rank, size, the ranks before, and when. */
    static final String JOINED = "joined";

    /** A failure, and what was agreed on. */
    static final String FAILURE = "failure";

    /** It cannot go on; why. */
    static final String ENDED = "ended";

    /** A collective gave the wrong result. */
    static final String WRONG = "wrong";

    /** It was told to end, as all were. */
    static final String STOPPED = "stopped";

    /** Order to say how many rounds are done, and the answer. */
    static final String COUNT = "count";

    /** Order to grow to {@code wanted} ranks after the next failure, or to shrink if that is 0; and the answer. */
    static final String NEXT = "next";

    /** Order to stop all Java threads for {@code ms}, and the answer, with how long one of them stood still. */
    static final String STALL = "stall";

    /** Order to one: all are to end. */
    static final String STOP = "stop";

    private static final int[] COUNTS = {1, 1000, 20_000};
    private static final int LARGE = 1 << 18;

    private final HarnessLink harness;
    private final AtomicLong rounds = new AtomicLong();
    private volatile int wanted;
    private volatile boolean stopping;

    /** Why work ended last; null if it has not. */
    private ZipException noticed;

    private ChaosRank(HarnessLink harness) {
        this.harness = harness;
    }

    /**
     * Serves the harness on standard input and output.
     *
     * @param args none
     */
    public static void main(String[] args) {
        ChaosRank rank = new ChaosRank(HarnessLink.open());
        Thread orders = new Thread(rank::obey, "orders");
        orders.setDaemon(true);
        orders.start();
        System.exit(rank.live() ? 0 : 1);
    }

    private void obey() {
        try {
            while (true) {
                Message order = harness.next();
                switch (order.kind()) {
                    case STOP -> stopping = true;
                    case NEXT -> {
                        wanted = (int) order.number("wanted");
                        harness.tell(order);
                    }
                    case STALL -> harness.tell(order.with("stoodMs", Stall.run(order.number("ms"))));
                    default -> harness.tell(Message.of(COUNT).with("rounds", rounds.get()));
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean live() {
        try {
            Communicator world = Zip.join();
            while (true) {
                tellJoined(world);
                ZipException failure = work(world);
                if (failure == null) {
                    harness.tell(Message.of(STOPPED));
                    world.close();
                    return true;
                }
                world = recover(world, failure, System.nanoTime());
            }
        } catch (ZipException e) {
            tellEnd(ENDED, e.code(), e);
            return e.code() == ErrorCode.EXPELLED;
        } catch (IllegalStateException e) {
            tellEnd(WRONG, ErrorCode.INTERNAL, e);
            return false;
        }
    }

    private void tellEnd(String kind, ErrorCode code, Exception e) {
        harness.tell(Message.of(kind)
                .with("code", code)
                .with("noticed", noticed == null ? "" : noticed.getMessage())
                .with("message", e.getMessage())
                .with("atNs", System.nanoTime()));
    }

    private void tellJoined(Communicator world) {
        harness.tell(Message.of(JOINED)
                .with("epoch", world.view().epoch())
                .with("rank", world.rank())
                .with("size", world.size())
                .with("before", numbers(world.view().ranksBefore()))
                .with("atNs", System.nanoTime()));
    }

    private static String numbers(List<Integer> all) {
        return all.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /** Returns the failure, or null if it was told to stop. */
    private ZipException work(Communicator world) {
        try {
            Collectives collectives = Collectives.of(world);
            long[] large = new long[LARGE];
            int[] stops = {0};
            for (int round = 0; stops[0] == 0; round++) {
                new EveryCollective(world, COUNTS[round % COUNTS.length]).run();
                large[0] = world.rank() + 1L;
                large[LARGE - 1] = world.rank() + 1L;
                collectives.allReduce(large, ReduceOp.SUM);
                long expected = world.size() * (world.size() + 1L) / 2;
                if (large[0] != expected || large[LARGE - 1] != expected) {
                    throw new IllegalStateException("all-reduce of " + LARGE + " numbers is wrong in round " + round);
                }
                stops[0] = stopping ? 1 : 0;
                collectives.allReduce(stops, ReduceOp.MAX);
                rounds.incrementAndGet();
            }
            return null;
        } catch (ZipException e) {
            return e;
        }
    }

    private Communicator recover(Communicator world, ZipException failure, long noticedNs) {
        noticed = failure;
        if (failure.code() == ErrorCode.EXPELLED) {
            throw failure;
        }
        world.revoke();
        Agreement agreement = world.agree(true);
        harness.tell(Message.of(FAILURE)
                .with("epoch", world.view().epoch())
                .with("code", failure.code())
                .with("peer", failure.peer())
                .with("message", failure.getMessage())
                .with("noticedNs", noticedNs)
                .with("failed", numbers(agreement.failed()))
                .with("agreedNs", System.nanoTime()));
        int size = wanted;
        Communicator next = size > 0 ? world.grow(size) : world.shrink();
        world.close();
        return next;
    }
}
