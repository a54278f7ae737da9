package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.Engine;
import io.zipcomm.internal.GroupCommunicator;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Adds up arrays with the others, one time after the other and each sum checked, until it is told to end or that fails. Meanwhile
 * it answers how far it is.
 */
public final class SteadySums {

    /** Order to begin, with the bytes of the arrays, and the path that one of the links must have moved to before it counts. */
    public static final String BEGIN = "begin";

    /** Message of a rank that has done some rounds on such a path. */
    public static final String RUNNING = "running";

    /** Order to say how many rounds are done, and the answer, with the longest of them. */
    public static final String COUNT = "count";

    /** Order to one rank: all are to end after this round. */
    public static final String STOP = "stop";

    /** Message of a rank that has ended without an error. */
    public static final String STOPPED = "stopped";

    private static final int ROUNDS_BEFORE = 3;

    private final Communicator world;
    private final HarnessLink harness;
    private final AtomicLong rounds = new AtomicLong();
    private final AtomicLong longestNs = new AtomicLong();
    private volatile boolean stopping;

    private SteadySums(Communicator world, HarnessLink harness) {
        this.world = world;
        this.harness = harness;
    }

    /**
     * Serves the harness on standard input and output.
     *
     * @param args none
     */
    public static void main(String[] args) throws InterruptedException {
        HarnessLink harness = HarnessLink.open();
        int exitCode = 1;
        try (Communicator world = Zip.join()) {
            harness.tell(Message.of(Worker.JOINED).with("rank", world.rank()));
            exitCode = new SteadySums(world, harness).serve();
        } catch (ZipException e) {
            harness.tell(Worker.failure(e));
        }
        System.exit(exitCode);
    }

    private int serve() throws InterruptedException {
        Message begin = harness.next();
        Thread orders = new Thread(this::answer, "orders");
        orders.setDaemon(true);
        orders.start();
        try {
            sum(new float[(int) (begin.number("bytes") / Float.BYTES)], begin.text("path"));
            harness.tell(Message.of(STOPPED).with("rounds", rounds.get()));
            return 0;
        } catch (ZipException e) {
            // Before the group is left, which may take a while.
            harness.tell(Worker.failure(e).with("path", paths()));
            return 1;
        }
    }

    private void answer() {
        try {
            while (true) {
                if (harness.next().kind().equals(STOP)) {
                    stopping = true;
                } else {
                    harness.tell(
                            Message.of(COUNT).with("rounds", rounds.get()).with("longestNs", longestNs.getAndSet(0)));
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void sum(float[] numbers, String path) {
        Collectives collectives = Collectives.of(world);
        int last = numbers.length - 1;
        float expected = world.size() * (world.size() + 1) / 2f;
        int on = 0;
        float stops = 0;
        while (stops == 0) {
            long beganNs = System.nanoTime();
            numbers[0] = stopping ? 1 : 0;
            for (int at : new int[] {1, last / 2, last}) {
                numbers[at] = world.rank() + 1;
            }
            collectives.allReduce(numbers, ReduceOp.SUM);
            for (int at : new int[] {1, last / 2, last}) {
                if (numbers[at] != expected) {
                    throw new IllegalStateException(
                            "element " + at + " is " + numbers[at] + ", expected " + expected + ", round " + rounds);
                }
            }
            stops = numbers[0];
            rounds.incrementAndGet();
            longestNs.accumulateAndGet(System.nanoTime() - beganNs, Math::max);
            on += on > 0 || isOn(path) ? 1 : 0;
            if (on == ROUNDS_BEFORE) {
                harness.tell(Message.of(RUNNING).with("rank", world.rank()).with("path", paths()));
            }
        }
    }

    private boolean isOn(String path) {
        Engine engine = GroupCommunicator.of(world).progress();
        for (int peer = 0; peer < world.size(); peer++) {
            if (peer != world.rank() && path.equals(engine.pathTo(peer))) {
                return true;
            }
        }
        return false;
    }

    private String paths() {
        Engine engine = GroupCommunicator.of(world).progress();
        StringBuilder text = new StringBuilder();
        for (int peer = 0; peer < world.size(); peer++) {
            text.append(peer == world.rank() ? "-" : engine.pathTo(peer)).append(' ');
        }
        return text.toString().trim();
    }
}
