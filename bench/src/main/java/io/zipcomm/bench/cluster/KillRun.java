package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.ByteSize;
import io.zipcomm.bench.plan.Selection;
import io.zipcomm.bench.worker.KillProbe;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.Worker;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Kills one rank of a group that adds up large arrays, at a random instant, and shows how the others end: each must get an
 * error that names the killed rank, within a limit.
 */
public final class KillRun {

    /** From the kill to the last survivor's error. */
    public static final Duration LIMIT = Duration.ofSeconds(5);

    private static final Duration JOIN_LIMIT = Duration.ofSeconds(45);
    private static final Duration RUNNING_LIMIT = Duration.ofMinutes(1);
    private static final int DELAY_MS_MAX = 200;
    private static final double NS_PER_MS = 1e6;

    private final Selection selection;
    private final PrintStream out;
    private final PrintStream err;
    private final Random random = new Random();

    /**
     * A measurement.
     *
     * @param selection group sizes, transports and message sizes
     * @param out       for what happened
     * @param err       for problems
     */
    public KillRun(Selection selection, PrintStream out, PrintStream err) {
        this.selection = selection;
        this.out = out;
        this.err = err;
    }

    /**
     * Kills and prints.
     *
     * @return whether every survivor ended as it must
     */
    public boolean run() throws InterruptedException {
        boolean good = true;
        try (EmbeddedRelay relay = EmbeddedRelay.start()) {
            for (Selection.Group group : selection.groups()) {
                for (long bytes : selection.bytes()) {
                    good &= kill(relay, group, bytes);
                }
            }
        }
        return good;
    }

    private boolean kill(EmbeddedRelay relay, Selection.Group group, long bytes) throws InterruptedException {
        int victim = group.ranks() / 2;
        out.println("SIGKILL to rank " + victim + " of " + group.ranks() + " amid all-reduces of "
                + ByteSize.format(bytes) + ", " + group.transport() + ":");
        GroupEnvironment environment = relay.newGroup("kill", group.ranks(), group.transport());
        try (WorkerGroup workers = WorkerGroup.start(environment, ChildJvm.flags(), KillProbe.class)) {
            workers.awaitAll(Worker.JOINED, JOIN_LIMIT);
            workers.tellAll(Message.of(KillProbe.BEGIN).with("bytes", bytes));
            workers.awaitAll(KillProbe.RUNNING, RUNNING_LIMIT);
            Thread.sleep(random.nextInt(DELAY_MS_MAX));
            Set<Integer> survivors = IntStream.range(0, group.ranks())
                    .filter(rank -> rank != victim)
                    .boxed()
                    .collect(Collectors.toSet());
            long killedNs = System.nanoTime();
            workers.kill(victim);
            return judge(workers.await(survivors, Worker.FAILED, LIMIT.multipliedBy(3)), victim, killedNs);
        } catch (WorkerFailure e) {
            err.println("! " + e.getMessage());
            return false;
        }
    }

    private boolean judge(Map<Integer, Message> ends, int victim, long killedNs) {
        boolean good = true;
        for (Map.Entry<Integer, Message> end : ends.entrySet()) {
            Message message = end.getValue();
            double elapsedMs = (message.number("atNs") - killedNs) / NS_PER_MS;
            boolean named = message.number("peer") == victim;
            boolean inTime = elapsedMs <= LIMIT.toMillis();
            good &= named && inTime;
            out.println(String.format(
                    Locale.ROOT,
                    "  rank %d ended after %,.0f ms%s%s: %s",
                    end.getKey(),
                    elapsedMs,
                    inTime ? "" : "  TOO LATE",
                    named ? "" : "  DOES NOT NAME RANK " + victim,
                    message.text("message")));
        }
        return good;
    }
}
