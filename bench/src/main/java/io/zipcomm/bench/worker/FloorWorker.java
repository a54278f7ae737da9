package io.zipcomm.bench.worker;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/**
 * What the hardware and the operating system allow: ping-pong over a plain non-blocking {@link SocketChannel} on loopback,
 * spinning, with nothing of the library. Two of these processes play it, with the same pace and the same check of the data
 * as the library's ping-pong.
 */
public final class FloorWorker {

    /** Message of the accepting process, with its port. */
    public static final String LISTENING = "listening";

    /** Order to the other process to connect to a port. */
    public static final String CONNECT = "connect";

    private static final byte MORE = 1;
    private static final byte LAST = 0;
    private static final boolean YIELD = Runtime.getRuntime().availableProcessors() < 2;

    private final HarnessLink harness;
    private final Times times = new Times();
    private final ByteBuffer control = ByteBuffer.allocateDirect(1);
    private SocketChannel channel;

    private FloorWorker(HarnessLink harness) {
        this.harness = harness;
    }

    /**
     * Serves the harness on standard input and output.
     *
     * @param args {@code 0} for the process that times, {@code 1} for the one that answers
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        HarnessLink harness = HarnessLink.open();
        FloorWorker floor = new FloorWorker(harness);
        boolean answers = args[0].equals("1");
        floor.channel = answers ? floor.accept() : floor.connect();
        floor.channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        floor.channel.configureBlocking(false);
        harness.tell(Message.of(Worker.JOINED).with("rank", args[0]));
        for (Message order = harness.next(); !order.kind().equals(Worker.END); order = harness.next()) {
            CaseOrder what = CaseOrder.from(order);
            harness.tell((answers ? floor.answer(what) : floor.measure(what)).toMessage());
        }
        System.exit(0);
    }

    private SocketChannel accept() throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            InetSocketAddress address = (InetSocketAddress) server.getLocalAddress();
            harness.tell(Message.of(LISTENING).with("rank", 1).with("port", address.getPort()));
            return server.accept();
        }
    }

    private SocketChannel connect() throws IOException, InterruptedException {
        int port = (int) harness.next().number("port");
        return SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    private CaseResult measure(CaseOrder order) throws IOException {
        int bytes = (int) order.bytes();
        Region sent = new Region(ByteBuffer.allocateDirect(bytes), 0, bytes, 0, 1);
        Region received = new Region(ByteBuffer.allocateDirect(bytes), 0, bytes, 0, 1);
        Pace pace = new Pace(order.budgetNs(), order.iterations());
        long[] timesNs = new long[Math.max(Pace.ITERATIONS_MAX, order.iterations())];
        String mismatch = null;
        int iteration = 0;
        while (true) {
            boolean timed = pace.isWarm();
            int count = timed ? pace.timedIterations() : pace.batch();
            long batchBegan = System.nanoTime();
            for (int i = 0; i < count; i++) {
                boolean all = iteration == 0 || (timed && (i == 0 || i == count - 1));
                sent.write(iteration, all);
                received.poison(iteration, all);
                say(MORE);
                sent.memory().clear();
                received.memory().clear();
                long began = System.nanoTime();
                write(sent.memory());
                read(received.memory());
                timesNs[i] = System.nanoTime() - began;
                mismatch = mismatch == null ? received.mismatch(iteration, all) : mismatch;
                iteration++;
            }
            if (timed) {
                say(LAST);
                return result(order, timesNs, count, mismatch);
            }
            pace.batchDone(timesNs, count, System.nanoTime() - batchBegan);
        }
    }

    private CaseResult result(CaseOrder order, long[] timesNs, int count, String mismatch) {
        if (!order.append()) {
            times.clear();
        }
        times.add(timesNs, count);
        return new CaseResult(
                0, mismatch == null ? "" : mismatch, "", times.count(), times.p50Ns(), times.p99Ns(), 0, 0);
    }

    private CaseResult answer(CaseOrder order) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) order.bytes());
        while (hear() == MORE) {
            buffer.clear();
            read(buffer);
            buffer.flip();
            write(buffer);
        }
        return new CaseResult(1, "", "", 0, 0, 0, 0, 0);
    }

    /** Tells the answering process, outside of what is timed, whether there is another round. */
    private void say(byte what) throws IOException {
        control.clear();
        control.put(0, what);
        write(control);
        control.clear();
        read(control);
    }

    private byte hear() throws IOException {
        control.clear();
        read(control);
        control.flip();
        write(control);
        return control.get(0);
    }

    private void write(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.write(buffer) == 0) {
                pause();
            }
        }
    }

    private void read(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer);
            if (count < 0) {
                throw new EOFException("the other process is gone");
            }
            if (count == 0) {
                pause();
            }
        }
    }

    /** On a single processor the other process runs only if this one lets it. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static void pause() {
        if (YIELD) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }
}
