package io.zipcomm.bench.worker;

import java.io.IOException;
import java.util.List;
import java.util.Objects;

/**
 * What the hardware and the operating system allow, with nothing of the library: ping-pong and a stream over plain
 * non-blocking sockets on loopback, spinning, between two such processes; and copying and adding memory in one. With the
 * same pace as the library's rows, and the same check of the data.
 */
public final class FloorWorker {

    /** Message of the accepting process, with its port. */
    public static final String LISTENING = "listening";

    /** Order to the other process to connect to a port. */
    public static final String CONNECT = "connect";

    /** An operation that needs no sockets: copies {@code bytes} from one {@code float[]} to another. */
    public static final String COPY = "copy";

    /** An operation that needs no sockets: adds a {@code float[]} of {@code bytes} to another. */
    public static final String ADD = "add";

    private static final List<String> ALONE = List.of(COPY, ADD);
    private static final CaseResult NOTHING = new CaseResult(1, "", "", new Times(), Usage.UNKNOWN);

    private final FloorSocket socket;

    private FloorWorker(FloorSocket socket) {
        this.socket = socket;
    }

    /**
     * Serves the harness on standard input and output.
     *
     * @param args {@code 0} for the process that times, {@code 1} for the one that answers
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        HarnessLink harness = HarnessLink.open();
        boolean answers = args[0].equals("1");
        FloorSocket socket = answers
                ? FloorSocket.accept(port ->
                        harness.tell(Message.of(LISTENING).with("rank", 1).with("port", port)))
                : FloorSocket.connect((int) harness.next().number("port"));
        FloorWorker floor = new FloorWorker(socket);
        harness.tell(Message.of(Worker.JOINED).with("rank", args[0]));
        for (Message order = harness.next(); !order.kind().equals(Worker.END); order = harness.next()) {
            CaseOrder what = CaseOrder.from(order);
            harness.tell((answers ? floor.answer(what) : floor.measure(what)).toMessage());
        }
        System.exit(0);
    }

    private FloorRound round(CaseOrder order) {
        return switch (order.operation()) {
            case COPY -> new MemoryRound((int) order.bytes(), false);
            case ADD -> new MemoryRound((int) order.bytes(), true);
            case CaseOrder.STREAM -> new FloorStream(socket, true);
            default -> new FloorPingPong(socket, (int) order.bytes());
        };
    }

    private CaseResult measure(CaseOrder order) throws IOException {
        boolean alone = ALONE.contains(order.operation());
        FloorRound round = round(order);
        Pace pace = new Pace(order.budgetNs(), order.iterations(), order.warm());
        long[] timesNs = new long[Math.max(Pace.ITERATIONS_MAX, order.iterations())];
        int iteration = 0;
        while (true) {
            boolean timed = pace.isWarm();
            int count = timed ? pace.timedIterations() : pace.batch();
            UsageMeter meter = UsageMeter.start();
            if (timed && !alone) {
                socket.say(FloorSocket.TIMED);
            }
            long batchBegan = System.nanoTime();
            for (int i = 0; i < count; i++) {
                boolean all = iteration == 0 || (timed && (i == 0 || i == count - 1));
                if (!alone) {
                    round.prepare(iteration, all);
                    socket.say(FloorSocket.MORE);
                }
                timesNs[i] = round.run(iteration, all);
                iteration++;
            }
            if (timed) {
                Usage usage = meter.read(Double.NaN, Double.NaN);
                if (!alone) {
                    socket.say(FloorSocket.LAST);
                }
                String mismatch = Objects.requireNonNullElse(round.mismatch(), "");
                return new CaseResult(0, mismatch, "", new Times().add(timesNs, count), usage);
            }
            pace.batchDone(timesNs, count, System.nanoTime() - batchBegan);
        }
    }

    private CaseResult answer(CaseOrder order) throws IOException {
        if (ALONE.contains(order.operation())) {
            return NOTHING;
        }
        boolean stream = order.operation().equals(CaseOrder.STREAM);
        FloorStream drain = stream ? new FloorStream(socket, false) : null;
        FloorPingPong echo = stream ? null : new FloorPingPong(socket, (int) order.bytes());
        UsageMeter meter = UsageMeter.start();
        for (byte word = socket.hear(); word != FloorSocket.LAST; word = socket.hear()) {
            if (word == FloorSocket.TIMED) {
                meter = UsageMeter.start();
            } else if (stream) {
                drain.answer();
            } else {
                echo.answer();
            }
        }
        return new CaseResult(1, "", "", new Times(), meter.read(Double.NaN, Double.NaN));
    }
}
