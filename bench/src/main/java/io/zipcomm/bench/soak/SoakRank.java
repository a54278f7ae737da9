package io.zipcomm.bench.soak;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.bench.worker.HarnessLink;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.error.ZipException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;

/**
 * A process of a soak run: round after round of {@link Mix}; when a member is lost it goes on with the others and a newcomer. Meanwhile
 * it answers what it has.
 */
public final class SoakRank {

    /** It is in a group; its epoch and size. */
    static final String JOINED = "joined";

    /** Order to say what it has, and the answer. */
    static final String SAMPLE = "sample";

    /** Order to one: all are to end. */
    static final String STOP = "stop";

    /** It has ended as it was told. */
    static final String STOPPED = "stopped";

    /** It ends because something went wrong. */
    static final String FAILED = "failed";

    private static final int DIGITS = 3;
    private static final double NS_PER_MS = 1e6;

    private final HarnessLink harness;
    private final int wanted;
    private final SingleWriterRecorder times = new SingleWriterRecorder(TimeUnit.HOURS.toNanos(1), DIGITS);
    private volatile boolean stopping;

    private SoakRank(HarnessLink harness, int wanted) {
        this.harness = harness;
        this.wanted = wanted;
    }

    /**
     * Serves the harness on standard input and output.
     *
     * @param args how many ranks there are to be
     */
    public static void main(String[] args) {
        SoakRank rank = new SoakRank(HarnessLink.open(), Integer.parseInt(args[0]));
        Thread orders = new Thread(rank::obey, "orders");
        orders.setDaemon(true);
        orders.start();
        System.exit(rank.live() ? 0 : 1);
    }

    private void obey() {
        Histogram interval = null;
        try {
            while (true) {
                if (harness.next().kind().equals(STOP)) {
                    stopping = true;
                    continue;
                }
                interval = times.getIntervalHistogram(interval);
                Message answer = Message.of(SAMPLE).with("rounds", interval.getTotalCount());
                if (interval.getTotalCount() > 0) {
                    answer = answer.with(Quantity.P50.label(), interval.getValueAtPercentile(50) / NS_PER_MS)
                            .with(Quantity.P99.label(), interval.getValueAtPercentile(99) / NS_PER_MS);
                }
                for (Map.Entry<Quantity, Double> one : ProcessLook.now().entrySet()) {
                    answer = answer.with(one.getKey().label(), one.getValue());
                }
                harness.tell(answer);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean live() {
        try {
            Communicator world = Zip.join();
            while (!work(world)) {
                world = recover(world);
            }
            harness.tell(Message.of(STOPPED));
            world.close();
            return true;
        } catch (ZipException | IllegalStateException e) {
            harness.tell(Message.of(FAILED).with("message", e.getMessage()));
            return false;
        }
    }

    /** Returns whether it was told to end; if not, a member was lost. */
    private boolean work(Communicator world) {
        harness.tell(Message.of(JOINED)
                .with("epoch", world.view().epoch())
                .with("rank", world.rank())
                .with("size", world.size()));
        try {
            Mix mix = new Mix(world);
            for (long round = 0; ; round++) {
                long beganNs = System.nanoTime();
                if (mix.run(round, stopping)) {
                    return true;
                }
                times.recordValue(System.nanoTime() - beganNs);
            }
        } catch (ZipException e) {
            System.err.println(e.getMessage());
            return false;
        }
    }

    private Communicator recover(Communicator world) {
        world.revoke();
        Communicator next = world.grow(wanted);
        world.close();
        return next;
    }
}
