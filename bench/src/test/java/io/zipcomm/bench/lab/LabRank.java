package io.zipcomm.bench.lab;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.bench.cli.ZipCli;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.internal.Engine;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * What runs in the hosts of a lab: a rank of one group after the other, and of several at once. A line on standard input,
 * {@code NUMBER SETTLE-MS VARIABLE=VALUE ...}, begins one; what happens to it is told in lines that begin with the number:
 *
 * <pre>{@code
 * joined MS              since it began to join
 * message MS             since it had joined: a message has come from the rank before it
 * path PEER NAME MS      how frames to a peer go, and when it became direct, since it had joined; -1 if never
 * collectives COUNT MS   all of them gave the right results, and how long they took
 * ok                     the end
 * failed WHAT            the end, if something went wrong
 * }</pre>
 *
 * <p>Paths are told when all links of all ranks are direct, or SETTLE-MS after joining. If that is -1, the rank does nothing but one
 * all-reduce, and tells of it instead of messages, paths and collectives:
 *
 * <pre>{@code
 * first MS DIRECT        since it began to join, and how many of its links were direct then
 * }</pre>
 *
 * <p>If it is -2, the rank loads all its links until a line {@code stop} comes in on one of them, and tells
 *
 * <pre>{@code
 * links DIRECT RESUMED UDP   whenever that changes: how many links are direct, how often links went on after a loss, and how many
 *                            are over UDP
 * edge PEER BYTES SUM-SENT SUM-RECEIVED
 * }</pre>
 *
 * <p>If it is -5, the same with messages of few lengths, and sums of the same between them.
 *
 * <p>If it is -3, the rank does what the others do, waiting {@value #SETTLE_MS_MAX} ms at most for direct paths, and tells then
 *
 * <pre>{@code
 * times MICROSECONDS ...     as LabTimes has them
 * }</pre>
 *
 * <p>If it is -4, the rank adds up with all others from then on, until a line {@code stop} comes in on one of them, and tells in
 * place of the times
 *
 * <pre>{@code
 * summing                now
 * }</pre>
 *
 * <p>A line {@code NUMBER zip COMMAND ...} runs a command of {@code zip}, and tells what it has printed, and the end as above.
 *
 * <p>The process ends with its input.
 */
public final class LabRank {

    /** In place of SETTLE-MS: one all-reduce. */
    static final long FIRST_RESULT = -1;

    /** In place of SETTLE-MS: load until told to stop. */
    static final long LOAD = -2;

    /** In place of SETTLE-MS: how long collectives take. */
    static final long TIMES = -3;

    /** In place of SETTLE-MS: all-reduces until told to stop. */
    static final long SUMS = -4;

    /** In place of SETTLE-MS: messages and sums of few lengths until told to stop. */
    static final long FEW_LENGTHS = -5;

    private static final long SETTLE_MS_MAX = 15_000;

    /** Elements in a block of each collective: sent eagerly, and on demand. */
    private static final int[] COUNTS = {3, 20_000};

    private static final long SAMPLE_MS = 2;
    private static final long SETTLE_PAUSE_MS = 10;
    private static final int TAG = 1;

    private static volatile boolean stop;

    private final String number;
    private final long mode;
    private final long settleNs;
    private Communicator world;
    private long joinedNs;
    private long[] directNs;

    private LabRank(String number, long settleMs) {
        this.number = number;
        mode = settleMs;
        settleNs = TimeUnit.MILLISECONDS.toNanos(settleMs < 0 ? SETTLE_MS_MAX : settleMs);
    }

    /**
     * Runs ranks until the input ends.
     *
     * @param args none
     */
    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.equals("stop")) {
                stop = true;
                continue;
            }
            String[] words = line.split(" ", -1);
            boolean command = words[1].equals("zip");
            LabRank rank = new LabRank(words[0], command ? 0 : Long.parseLong(words[1]));
            new Thread(() -> rank.begin(command, words), "rank-" + words[0]).start();
        }
        Runtime.getRuntime().halt(0);
    }

    private void begin(boolean command, String[] words) {
        if (command) {
            runCommand(Arrays.copyOfRange(words, 2, words.length));
        } else {
            run(words);
        }
    }

    private void runCommand(String[] words) {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
        int code = new ZipCli(out, out).run(words);
        printed.toString(StandardCharsets.UTF_8).lines().forEach(this::tell);
        tell(code == 0 ? "ok" : "failed with exit code " + code);
    }

    private void run(String[] words) {
        try {
            ZipSettings.Builder settings = ZipSettings.builder();
            Arrays.stream(words).skip(2).forEach(word -> set(settings, word));
            long beganNs = System.nanoTime();
            try (Communicator joined = Zip.join(settings.build())) {
                world = joined.withTimeout(Duration.ofSeconds(20));
                joinedNs = System.nanoTime();
                tell("joined " + millis(joinedNs - beganNs));
                if (mode == FIRST_RESULT) {
                    addUpOnce(beganNs);
                } else if (mode == LOAD || mode == FEW_LENGTHS) {
                    load();
                } else {
                    workAsMember();
                }
            }
            tell("ok");
        } catch (RuntimeException | InterruptedException e) {
            tell("failed " + e.toString().replace('\n', ' '));
        }
    }

    private static void set(ZipSettings.Builder settings, String word) {
        int equals = word.indexOf('=');
        String variable = word.substring(0, equals);
        Setting setting = Arrays.stream(Setting.values())
                .filter(one -> one.variable().equals(variable))
                .findAny()
                .orElseThrow(() -> new IllegalArgumentException("no setting " + variable));
        settings.set(setting, word.substring(equals + 1));
    }

    private static long millis(long ns) {
        return TimeUnit.NANOSECONDS.toMillis(ns);
    }

    private void tell(String what) {
        synchronized (System.out) {
            System.out.println(number + " " + what);
        }
    }

    private void addUpOnce(long beganNs) {
        int[] sum = {world.rank() + 1};
        Collectives.of(world).allReduce(Payload.of(sum), ReduceOp.SUM);
        long tookNs = System.nanoTime() - beganNs;
        Engine engine = GroupCommunicator.of(world).progress();
        tell("first " + millis(tookNs) + " "
                + peers().filter(peer -> isDirect(engine, peer)).count());
        int expected = world.size() * (world.size() + 1) / 2;
        if (sum[0] != expected) {
            throw new IllegalStateException("the sum is " + sum[0] + " and should be " + expected);
        }
    }

    private void load() {
        Thread watcher = begin(this::watch);
        try {
            new LabLoad(world, mode == FEW_LENGTHS).run(() -> stop).forEach(this::tell);
        } finally {
            watcher.interrupt();
        }
    }

    private Thread begin(Runnable work) {
        Thread thread = new Thread(work, "looks-on-" + number);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Tells what becomes of the links. */
    private void watch() {
        Engine engine = GroupCommunicator.of(world).progress();
        String told = "";
        try {
            while (true) {
                String now = "links "
                        + peers().filter(peer -> isDirect(engine, peer)).count() + " "
                        + peers().map(engine::resumptions).sum() + " "
                        + peers().filter(peer -> "aeron-udp".equals(engine.pathTo(peer)))
                                .count();
                if (!now.equals(told)) {
                    tell(now);
                    told = now;
                }
                TimeUnit.MILLISECONDS.sleep(SAMPLE_MS);
            }
        } catch (InterruptedException e) {
            // It is time.
        }
    }

    private void workAsMember() throws InterruptedException {
        directNs = new long[world.size()];
        Arrays.fill(directNs, -1);
        Thread sampler = begin(this::sample);
        try {
            exchange();
            tell("message " + millis(System.nanoTime() - joinedNs));
            settle();
        } finally {
            sampler.interrupt();
        }
        Engine engine = GroupCommunicator.of(world).progress();
        peers().forEach(peer -> tell(
                "path " + peer + " " + engine.pathTo(peer) + " " + (directNs[peer] < 0 ? -1 : millis(directNs[peer]))));
        long fromNs = System.nanoTime();
        int done = Arrays.stream(COUNTS)
                .map(count -> new EveryCollective(world, count).run())
                .sum();
        tell("collectives " + done + " " + millis(System.nanoTime() - fromNs));
        if (mode == TIMES) {
            tell(new LabTimes(world).measure());
        } else if (mode == SUMS) {
            tell("summing");
            new LabTimes(world).sumUntil(() -> stop);
        }
    }

    private IntStream peers() {
        return IntStream.range(0, world.size()).filter(peer -> peer != world.rank());
    }

    /** To the next rank, from the one before. */
    private void exchange() {
        int size = world.size();
        int[] out = {world.rank()};
        int[] in = {-1};
        var sent = world.sendAsync((world.rank() + 1) % size, TAG, Payload.of(out));
        world.receive((world.rank() + size - 1) % size, TAG, Payload.of(in));
        sent.join();
        if (in[0] != (world.rank() + size - 1) % size) {
            throw new IllegalStateException("the first message says " + in[0]);
        }
    }

    /** Notes when links become direct. */
    private void sample() {
        Engine engine = GroupCommunicator.of(world).progress();
        try {
            while (true) {
                peers().filter(peer -> directNs[peer] < 0 && isDirect(engine, peer))
                        .forEach(peer -> directNs[peer] = System.nanoTime() - joinedNs);
                TimeUnit.MILLISECONDS.sleep(SAMPLE_MS);
            }
        } catch (InterruptedException e) {
            // It is time.
        }
    }

    private static boolean isDirect(Engine engine, int peer) {
        String path = engine.pathTo(peer);
        return path != null && !path.equals("relay");
    }

    /** Exchanges something on every link now and then, until all ranks say that theirs are direct, or one that it is time. */
    private void settle() throws InterruptedException {
        Collectives collectives = Collectives.of(world);
        Engine engine = GroupCommunicator.of(world).progress();
        int size = world.size();
        boolean more = true;
        while (more) {
            int word = System.nanoTime() - joinedNs >= settleNs
                    ? -1
                    : peers().allMatch(peer -> isDirect(engine, peer)) ? 1 : 0;
            int[] out = new int[size];
            Arrays.fill(out, word);
            int[] in = new int[size];
            collectives.allToAll(Payload.of(out), Payload.of(in));
            more = Arrays.stream(in).min().orElseThrow() == 0;
            TimeUnit.MILLISECONDS.sleep(more ? SETTLE_PAUSE_MS : 0);
        }
    }
}
