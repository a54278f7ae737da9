package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.GroupCommunicator;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Rank 0 sends to all others as fast as each of them takes it, some messages under way to each; the others say how much has
 * come when they are asked.
 */
public final class FanOutProbe {

    /** Order to begin. */
    public static final String BEGIN = "begin";

    /** Order to a receiver, and its answer. */
    public static final String COUNT = "count";

    private static final int MESSAGE_BYTES = 256 << 10;
    private static final int UNDER_WAY = 2;
    private static final int TAG = 1;

    private FanOutProbe() {}

    /**
     * Serves the harness on standard input and output.
     *
     * @param args none
     */
    public static void main(String[] args) throws InterruptedException {
        HarnessLink harness = HarnessLink.open();
        try (Communicator world = Zip.join()) {
            harness.tell(Message.of(Worker.JOINED).with("rank", world.rank()));
            harness.next();
            AtomicLong received = new AtomicLong();
            Thread mover = new Thread(() -> move(world, received, harness), "zip-mover");
            mover.setDaemon(true);
            mover.start();
            for (Message order = harness.next(); order.kind().equals(COUNT); order = harness.next()) {
                harness.tell(Message.of(COUNT)
                        .with("rank", world.rank())
                        .with("bytes", received.get())
                        .with("direct", ((GroupCommunicator) world).counters().directBytesReceived)
                        .with(
                                "path",
                                String.valueOf(
                                        ((GroupCommunicator) world).progress().pathTo(0)))
                        .with("atNs", System.nanoTime()));
            }
            // The messages under way have no other end: nothing is left to drain.
            Runtime.getRuntime().halt(0);
        } catch (ZipException e) {
            harness.tell(Worker.failure(e));
            System.exit(1);
        }
    }

    private static void move(Communicator world, AtomicLong received, HarnessLink harness) {
        try {
            if (world.rank() == 0) {
                send(world);
            } else {
                Payload target = Payload.of(ByteBuffer.allocateDirect(MESSAGE_BYTES));
                while (true) {
                    world.receive(0, TAG, target);
                    received.addAndGet(MESSAGE_BYTES);
                }
            }
        } catch (ZipException e) {
            harness.tell(Worker.failure(e));
        }
    }

    private static void send(Communicator world) {
        Payload source = Payload.of(ByteBuffer.allocateDirect(MESSAGE_BYTES));
        ZipFuture<?>[][] underWay = new ZipFuture<?>[world.size()][UNDER_WAY];
        while (true) {
            ZipFuture<?> last = null;
            for (int peer = 1; peer < world.size(); peer++) {
                for (int slot = 0; slot < UNDER_WAY; slot++) {
                    if (underWay[peer][slot] == null || underWay[peer][slot].isDone()) {
                        underWay[peer][slot] = world.sendAsync(peer, TAG, source);
                        last = underWay[peer][slot];
                    }
                }
            }
            if (last == null) {
                // The engine's own thread moves them on.
                Thread.onSpinWait();
            }
        }
    }
}
