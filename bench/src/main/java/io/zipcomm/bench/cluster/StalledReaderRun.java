package io.zipcomm.bench.cluster;

import io.zipcomm.bench.worker.FanOutProbe;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.Worker;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One rank sends to all others through a relay with little memory, and one of these is stopped by a signal for some seconds:
 * shows what the others lose by it, and that the stopped one goes on afterwards.
 */
public final class StalledReaderRun {

    /** Of its throughput before, that each of the others must keep. */
    public static final double KEPT_MIN = 0.9;

    private static final int READERS = 8;
    private static final Duration JOIN_LIMIT = Duration.ofSeconds(60);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);
    private static final Duration WARM_UP = Duration.ofSeconds(4);

    /** Shorter than the silence after which the relay takes a rank for dead. */
    private static final Duration PHASE = Duration.ofSeconds(3);

    private static final Duration SETTLE = Duration.ofMillis(300);
    private static final String HEAP = "-Xmx48m";
    private static final String DIRECT = "-XX:MaxDirectMemorySize=64m";
    private static final double MB = 1e6;
    private static final double NS_PER_S = 1e9;

    private final PrintStream out;
    private final PrintStream err;

    /**
     * A measurement.
     *
     * @param out for the table
     * @param err for problems
     */
    public StalledReaderRun(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /**
     * Measures and prints.
     *
     * @return whether the others kept what they must, and the stopped one went on
     */
    public boolean run() throws InterruptedException {
        List<String> small = List.of(HEAP, DIRECT, "-XX:+ExitOnOutOfMemoryError");
        try (RelayProcess relay = RelayProcess.start(small)) {
            GroupEnvironment environment = relay.newGroup("stall", READERS + 1, "relay");
            try (WorkerGroup workers = WorkerGroup.start(environment, ChildJvm.flags(), FanOutProbe.class)) {
                workers.awaitAll(Worker.JOINED, JOIN_LIMIT);
                workers.tellAll(Message.of(FanOutProbe.BEGIN));
                Thread.sleep(WARM_UP.toMillis());
                boolean good = stall(workers);
                out.printf(
                        Locale.ROOT,
                        "relay: %s %s, peak of its resident memory %,.0f MB%n",
                        HEAP,
                        DIRECT,
                        relay.peakMemoryBytes() / MB);
                return good;
            }
        } catch (WorkerFailure | IOException e) {
            err.println("! " + e.getMessage());
            return false;
        }
    }

    private boolean stall(WorkerGroup workers) throws WorkerFailure, InterruptedException, IOException {
        Set<Integer> readers = IntStream.rangeClosed(1, READERS).boxed().collect(Collectors.toCollection(TreeSet::new));
        Map<Integer, Double> before = speeds(workers, readers);
        Set<Integer> others = new TreeSet<>(readers);
        others.remove(READERS);
        workers.signal(READERS, "STOP");
        Map<Integer, Double> during;
        try {
            Thread.sleep(SETTLE.toMillis());
            during = speeds(workers, others);
        } finally {
            workers.signal(READERS, "CONT");
        }
        Map<Integer, Double> after = speeds(workers, readers);
        boolean good = true;
        for (int reader : others) {
            double kept = during.get(reader) / before.get(reader);
            good &= kept >= KEPT_MIN;
            out.printf(
                    Locale.ROOT,
                    "reader %d: %,.0f MB/s with all, %,.0f MB/s with reader %d stopped (x %.2f)%s%n",
                    reader,
                    before.get(reader) / MB,
                    during.get(reader) / MB,
                    READERS,
                    kept,
                    kept >= KEPT_MIN ? "" : "  TOO LITTLE");
        }
        boolean goesOn = after.get(READERS) > 0;
        out.printf(
                Locale.ROOT,
                "reader %d: %,.0f MB/s before it was stopped, %,.0f MB/s after%s%n",
                READERS,
                before.get(READERS) / MB,
                after.get(READERS) / MB,
                goesOn ? "" : "  DOES NOT GO ON");
        return good && goesOn;
    }

    private static Map<Integer, Double> speeds(WorkerGroup workers, Set<Integer> readers)
            throws WorkerFailure, InterruptedException {
        Map<Integer, Message> first = count(workers, readers);
        Thread.sleep(PHASE.toMillis());
        Map<Integer, Message> second = count(workers, readers);
        return readers.stream()
                .collect(Collectors.toMap(
                        reader -> reader,
                        reader -> (second.get(reader).number("bytes")
                                        - first.get(reader).number("bytes"))
                                * NS_PER_S
                                / (second.get(reader).number("atNs")
                                        - first.get(reader).number("atNs"))));
    }

    private static Map<Integer, Message> count(WorkerGroup workers, Set<Integer> readers)
            throws WorkerFailure, InterruptedException {
        readers.forEach(reader -> workers.tell(reader, Message.of(FanOutProbe.COUNT)));
        return workers.await(readers, FanOutProbe.COUNT, ANSWER_LIMIT);
    }
}
