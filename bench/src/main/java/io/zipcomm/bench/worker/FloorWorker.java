package io.zipcomm.bench.worker;

import io.zipcomm.bench.plan.Means;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * What the hardware and the operating system allow, with nothing of the library: ping-pong and a stream between two such
 * processes, which spin, over plain sockets or through shared memory; and copying and adding memory in one. With the same pace
 * as the library's rows, and the same check of the data.
 */
public final class FloorWorker {

    /** Message of the process that answers, with the {@link #PLACE} where it can be reached. */
    public static final String LISTENING = "listening";

    /** Order to the other process to go to a {@link #PLACE}. */
    public static final String CONNECT = "connect";

    /** A port, or the name of a file. */
    public static final String PLACE = "place";

    /** An operation of one process: copies {@code bytes} from one {@code float[]} to another. */
    public static final String COPY = "copy";

    /** An operation of one process: adds a {@code float[]} of {@code bytes} to another. */
    public static final String ADD = "add";

    private static final List<String> ALONE = List.of(COPY, ADD);
    private static final CaseResult NOTHING = new CaseResult(1, "", "", new Times(), Usage.UNKNOWN);

    private final FloorPath path;

    private FloorWorker(FloorPath path) {
        this.path = path;
    }

    /**
     * Serves the harness on standard input and output.
     *
     * @param args {@code 0} for the process that times, {@code 1} for the one that answers; and which floor it is
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        HarnessLink harness = HarnessLink.open();
        boolean answers = args[0].equals("1");
        FloorPath path = path(Means.ofFloor(args[1]), answers, harness);
        FloorWorker floor = new FloorWorker(path);
        harness.tell(Message.of(Worker.JOINED).with("rank", args[0]));
        for (Message order = harness.next(); !order.kind().equals(Worker.END); order = harness.next()) {
            CaseOrder what = CaseOrder.from(order);
            harness.tell((answers ? floor.answer(what) : floor.measure(what)).toMessage());
        }
        System.exit(0);
    }

    private static FloorPath path(Means means, boolean answers, HarnessLink harness)
            throws IOException, InterruptedException {
        if (answers) {
            Consumer<String> tell =
                    place -> harness.tell(Message.of(LISTENING).with("rank", 1).with(PLACE, place));
            return switch (means) {
                case SOCKETS -> FloorSocket.accept(tell);
                case SHARED_MEMORY -> FloorMemory.create(tell);
            };
        }
        String place = harness.next().text(PLACE);
        return switch (means) {
            case SOCKETS -> FloorSocket.connect(place);
            case SHARED_MEMORY -> FloorMemory.open(place);
        };
    }

    private FloorRound round(CaseOrder order) {
        return switch (order.operation()) {
            case COPY -> new MemoryRound((int) order.bytes(), false);
            case ADD -> new MemoryRound((int) order.bytes(), true);
            case CaseOrder.STREAM -> new FloorStream(path, true);
            default -> new FloorPingPong(path, (int) order.bytes());
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
                path.say(FloorPath.TIMED);
            }
            long batchBegan = System.nanoTime();
            for (int i = 0; i < count; i++) {
                boolean all = iteration == 0 || (timed && (i == 0 || i == count - 1));
                if (!alone) {
                    round.prepare(iteration, all);
                    path.say(FloorPath.MORE);
                }
                timesNs[i] = round.run(iteration, all);
                iteration++;
            }
            if (timed) {
                Usage usage = meter.read(Double.NaN, Double.NaN);
                if (!alone) {
                    path.say(FloorPath.LAST);
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
        FloorStream drain = stream ? new FloorStream(path, false) : null;
        FloorPingPong echo = stream ? null : new FloorPingPong(path, (int) order.bytes());
        UsageMeter meter = UsageMeter.start();
        for (byte word = path.hear(); word != FloorPath.LAST; word = path.hear()) {
            if (word == FloorPath.TIMED) {
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
