package io.zipcomm.bench.soak;

import io.zipcomm.bench.cluster.EmbeddedRelay;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.settings.Setting;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/**
 * Runs a group of real processes for a long time, kills and replaces a member now and then, takes samples, and says at the end
 * whether anything grew. The relay is in this process, and is watched too.
 */
public final class SoakRun {

    /** Shorter runs have too few samples. */
    public static final Duration TIME_MIN = Duration.ofSeconds(15);

    private static final Duration INTERVAL_MAX = Duration.ofMinutes(1);
    private static final Duration INTERVAL_MIN = Duration.ofSeconds(1);

    /** In the shortest runs at least so many. */
    private static final int SAMPLES = 15;

    /** A member is killed behind every so many samples. */
    private static final int SAMPLES_BETWEEN_KILLS = 5;

    private static final Duration JOIN_LIMIT = Duration.ofSeconds(60);
    private static final Duration SAMPLE_LIMIT = Duration.ofSeconds(30);
    /** A process that has done no round for longer hangs. */
    private static final Duration STILL_LIMIT = Duration.ofSeconds(60);

    private static final Duration STOP_LIMIT = Duration.ofSeconds(30);

    private final Duration time;
    private final int ranks;
    private final String transport;
    private final PrintWriter out;
    private final Random random = new Random();
    private final List<Sample> samples = new ArrayList<>();
    private final TreeSet<Integer> living = new TreeSet<>();
    private final Map<Integer, Double> movedS = new HashMap<>(); // of each process, when it had last done a round
    private long beganNs;
    private int epoch;
    private int kills;

    /**
     * A run.
     *
     * @param time      how long, {@link #TIME_MIN} at least
     * @param ranks     members, two at least
     * @param transport which paths to use
     * @param out       for the table
     */
    public SoakRun(Duration time, int ranks, String transport, PrintWriter out) {
        this.time = time;
        this.ranks = ranks;
        this.transport = transport;
        this.out = out;
    }

    /**
     * Runs and prints.
     *
     * @return whether everything stayed steady
     * @throws SoakFailure if a result was wrong, a process failed or nothing moved any more
     */
    public boolean run() throws SoakFailure, InterruptedException {
        try (EmbeddedRelay relay = EmbeddedRelay.start();
                SoakGroup group = new SoakGroup(environment(relay))) {
            for (int i = 0; i < ranks; i++) {
                living.add(group.start());
            }
            epoch = group.awaitGroup(living, epoch, JOIN_LIMIT);
            beganNs = System.nanoTime();
            out.println(ranks + " processes, " + transport + ", for " + time.toSeconds() + " s; a sample every "
                    + interval().toSeconds() + " s; the most that any process has");
            line(
                    "time",
                    "epoch",
                    "rounds",
                    "p50 ms",
                    "p99 ms",
                    "rss MiB",
                    "heap MiB",
                    "direct",
                    "fds",
                    "threads",
                    "event");
            watch(group);
            stop(group);
        }
        return judge();
    }

    private GroupEnvironment environment(EmbeddedRelay relay) {
        // A newcomer may be there before the relay knows that the member is dead for which it comes.
        return relay.newGroup("soak", ranks, transport)
                .with(Map.of(Setting.SIZE_MIN, "1", Setting.SIZE_MAX, Integer.toString(2 * ranks)));
    }

    private Duration interval() {
        Duration share = Duration.ofSeconds(time.toSeconds() / SAMPLES);
        return share.compareTo(INTERVAL_MAX) > 0
                ? INTERVAL_MAX
                : share.compareTo(INTERVAL_MIN) < 0 ? INTERVAL_MIN : share;
    }

    private void watch(SoakGroup group) throws SoakFailure, InterruptedException {
        long intervalNs = interval().toNanos();
        int count = (int) (time.toNanos() / intervalNs);
        for (int i = 1; i <= count; i++) {
            long untilNs = beganNs + i * intervalNs;
            TimeUnit.NANOSECONDS.sleep(Math.max(0, untilNs - System.nanoTime()));
            String event = i % SAMPLES_BETWEEN_KILLS == 0 && i < count ? replaceOne(group) : "";
            sample(group, event);
        }
    }

    private double nowS() {
        return (System.nanoTime() - beganNs) / 1e9;
    }

    private void sample(SoakGroup group, String event) throws SoakFailure, InterruptedException {
        Map<Integer, Message> answers = group.ask(living, Message.of(SoakRank.SAMPLE), SAMPLE_LIMIT);
        double atS = nowS();
        List<Sample> now = new ArrayList<>();
        answers.forEach((process, answer) -> {
            Sample sample = new Sample(process, atS, Map.of());
            for (Quantity quantity : Quantity.values()) {
                if (answer.has(quantity.label())) {
                    sample = sample.with(quantity, answer.decimal(quantity.label()));
                }
            }
            now.add(sample);
        });
        long rounds = Long.MAX_VALUE;
        for (Map.Entry<Integer, Message> answer : answers.entrySet()) {
            long its = answer.getValue().number("rounds");
            rounds = Math.min(rounds, its);
            double sinceS = movedS.getOrDefault(answer.getKey(), atS);
            if (its == 0 && atS - sinceS > STILL_LIMIT.toSeconds()) {
                throw new SoakFailure(
                        "process " + answer.getKey() + " has done no round for " + STILL_LIMIT.toSeconds() + " s");
            }
            movedS.put(answer.getKey(), its > 0 ? atS : sinceS);
        }
        line(
                Math.round(atS) + " s",
                epoch,
                rounds,
                most(now, Quantity.P50),
                most(now, Quantity.P99),
                most(now, Quantity.RSS),
                most(now, Quantity.HEAP),
                most(now, Quantity.DIRECT),
                most(now, Quantity.DESCRIPTORS),
                most(now, Quantity.THREADS),
                event);
        samples.addAll(now);
        samples.add(new Sample(Sample.RELAY, atS, ProcessLook.now()));
    }

    private static String most(List<Sample> now, Quantity quantity) {
        DoubleStream values = now.stream()
                .filter(sample -> sample.values().containsKey(quantity))
                .mapToDouble(sample -> sample.values().get(quantity));
        return values.boxed()
                .max(Double::compare)
                .map(value -> String.format(Locale.ROOT, value == Math.rint(value) ? "%.0f" : "%.1f", value))
                .orElse("-");
    }

    private void line(Object... columns) {
        out.println(String.format(Locale.ROOT, "%8s %6s %6s %8s %10s %10s %9s %9s %9s %6s %8s", columns)
                .stripTrailing());
    }

    /** The older half is never killed: what they have at the end they have gathered all the time. */
    private String replaceOne(SoakGroup group) throws SoakFailure, InterruptedException {
        List<Integer> younger = living.stream().skip((ranks + 1) / 2).toList();
        int victim = younger.get(random.nextInt(younger.size()));
        long killedNs = System.nanoTime();
        group.kill(victim);
        living.remove(victim);
        int newcomer = group.start();
        living.add(newcomer);
        epoch = group.awaitGroup(living, epoch, JOIN_LIMIT);
        kills++;
        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - killedNs);
        return "process " + victim + " killed, " + newcomer + " in its place after " + tookMs + " ms";
    }

    private void stop(SoakGroup group) throws SoakFailure, InterruptedException {
        group.tell(living.first(), Message.of(SoakRank.STOP));
        group.await(living, SoakRank.STOPPED, STOP_LIMIT);
    }

    private boolean judge() {
        SoakVerdict verdict = new SoakVerdict(samples);
        out.println();
        verdict.table().forEach(out::println);
        out.println();
        out.println(verdict.summary() + ", after " + Math.round(nowS()) + " s and " + kills
                + " kills; processes at the end: "
                + living.stream().map(String::valueOf).collect(Collectors.joining(", ")));
        return verdict.isSteady();
    }
}
