package io.zipcomm.bench.chaos;

import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.cluster.ProcessGroup;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.Worker;
import io.zipcomm.error.ErrorCode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Processes of {@link ChaosRank}, numbered in the order in which they were started, which they keep whatever rank they have; and all
 * that they have said. Every wait has a limit, at which it prints where all threads of all processes are.
 *
 * <p>Thread: one drives; what processes say comes on threads of theirs.
 */
final class ChaosGroup implements AutoCloseable {

    private static final int LINES_KEPT = 400;
    private static final Duration SIGNAL_LIMIT = Duration.ofSeconds(5);
    private static final Duration STACKS_TIME = Duration.ofSeconds(2);
    private static final Duration EXIT_LIMIT = Duration.ofSeconds(15);
    private static final int KILLED = 128 + 9;

    private final Ground ground;
    private final GroupEnvironment environment;
    private final List<String> flags;
    private final ProcessGroup processes;
    private final List<Life> lives = new ArrayList<>(); // guarded by this

    /** What a process has said. Guarded by the group. */
    private static final class Life {
        private final List<Membership> memberships = new ArrayList<>();
        private final List<Message> failures = new ArrayList<>();
        private final Deque<String> lines = new ArrayDeque<>();
        private final List<Message> answers = new ArrayList<>();
        private Message end;
    }

    /** A group that did not do in time what it should have, or said that it could not. */
    static final class ChaosFailure extends AssertionError {
        private static final long serialVersionUID = 1L;

        ChaosFailure(String message) {
            super(message);
        }
    }

    ChaosGroup(Ground ground, GroupEnvironment environment, List<String> flags) {
        this.ground = ground;
        this.environment = environment;
        this.flags = List.copyOf(flags);
        processes = new ProcessGroup(this::take, environment.mark());
    }

    /**
     * Starts the next process.
     *
     * @return its number
     */
    int start() throws IOException {
        int process;
        synchronized (this) {
            process = lives.size();
            lives.add(new Life());
        }
        Map<String, String> variables = environment.forRank(process % environment.size());
        // No token is no word at all.
        variables.values().removeIf(String::isEmpty);
        processes.start(ground.command(process, ChildJvm.command(flags, ChaosRank.class)), variables);
        return process;
    }

    private synchronized void take(int process, boolean error, byte[] line) {
        String text = new String(line, StandardCharsets.UTF_8);
        Message message = error ? null : Message.parse(text);
        Life life = lives.get(process);
        if (message == null) {
            if (life.lines.size() == LINES_KEPT) {
                life.lines.removeFirst();
            }
            life.lines.addLast(text);
            return;
        }
        switch (message.kind()) {
            case ChaosRank.JOINED -> life.memberships.add(membership(process, message));
            case ChaosRank.FAILURE -> life.failures.add(message);
            case ChaosRank.ENDED, ChaosRank.WRONG, ChaosRank.STOPPED -> life.end = message;
            default -> life.answers.add(message);
        }
        notifyAll();
    }

    private static Membership membership(int process, Message message) {
        return new Membership(
                process,
                (int) message.number("epoch"),
                (int) message.number("rank"),
                numbers(message.text("before")),
                (int) message.number("size"),
                message.number("atNs"));
    }

    private static List<Integer> numbers(String text) {
        return Arrays.stream(text.split(",", -1))
                .filter(one -> !one.isEmpty())
                .map(Integer::parseInt)
                .toList();
    }

    /** Waits until something is so, and fails with all that is known if it is not in time, or a process of some ended. */
    void await(String what, Collection<Integer> living, Duration limit, BooleanSupplier isSo)
            throws InterruptedException {
        long deadlineNs = System.nanoTime() + limit.toNanos();
        synchronized (this) {
            while (!isSo.getAsBoolean()) {
                long leftNs = deadlineNs - System.nanoTime();
                List<Integer> ended = living.stream().filter(this::hasEnded).toList();
                if (!ended.isEmpty() || leftNs <= 0) {
                    break;
                }
                TimeUnit.NANOSECONDS.timedWait(this, Math.min(leftNs, TimeUnit.MILLISECONDS.toNanos(100)));
            }
            if (isSo.getAsBoolean()) {
                return;
            }
        }
        throw failure("not so after " + limit.toMillis() + " ms, or a process ended before: " + what);
    }

    private boolean hasEnded(int process) {
        return lives.get(process).end != null || !processes.child(process).isAlive();
    }

    /** With the stacks and last words of all processes. */
    ChaosFailure failure(String what) throws InterruptedException {
        for (int process = 0; process < processes.size(); process++) {
            if (processes.child(process).isAlive()) {
                tell(process, Message.of(Worker.STACKS));
            }
        }
        TimeUnit.NANOSECONDS.sleep(STACKS_TIME.toNanos());
        return failureWithoutStacks(what);
    }

    /** With the last words of all processes. */
    ChaosFailure failureWithoutStacks(String what) {
        int count = processes.size();
        StringBuilder text = new StringBuilder(what);
        synchronized (this) {
            for (int process = 0; process < count; process++) {
                Life life = lives.get(process);
                text.append("\nprocess ").append(process);
                text.append(
                        processes.child(process).isAlive()
                                ? ""
                                : ", exit code " + processes.child(process).exitValue());
                text.append(", memberships ").append(life.memberships);
                life.failures.forEach(one -> text.append("\n  failure ")
                        .append(one.text("message"))
                        .append(", failed: ")
                        .append(one.text("failed")));
                text.append(
                        life.end == null
                                ? ""
                                : "\n  end " + life.end.kind() + ": "
                                        + (life.end.has("message") ? life.end.text("message") : ""));
                life.lines.forEach(line -> text.append("\n  | ").append(line));
            }
        }
        return new ChaosFailure(text.toString());
    }

    private void tell(int process, Message message) {
        try {
            OutputStream in = processes.child(process).getOutputStream();
            in.write((message + "\n").getBytes(StandardCharsets.UTF_8));
            in.flush();
        } catch (IOException e) {
            // The pipe of a process that ended, which is found out when its answer is awaited.
        }
    }

    /** Tells some processes something and waits for their answers of the same kind. */
    Map<Integer, Message> ask(Collection<Integer> whom, Message order, Duration limit) throws InterruptedException {
        synchronized (this) {
            whom.forEach(process -> lives.get(process).answers.clear());
        }
        whom.forEach(process -> tell(process, order));
        await(
                "answers to " + order.kind(),
                whom,
                limit,
                () -> whom.stream()
                        .noneMatch(process -> lives.get(process).answers.isEmpty()));
        synchronized (this) {
            return whom.stream()
                    .collect(Collectors.toMap(
                            process -> process,
                            process -> lives.get(process).answers.get(0)));
        }
    }

    /** Waits until each of some has done so many rounds more than now. */
    void awaitRounds(Collection<Integer> whom, int more, Duration limit) throws InterruptedException {
        Map<Integer, Message> before = ask(whom, Message.of(ChaosRank.COUNT), limit);
        long deadlineNs = System.nanoTime() + limit.toNanos();
        while (true) {
            Map<Integer, Message> now = ask(whom, Message.of(ChaosRank.COUNT), limit);
            if (whom.stream()
                    .allMatch(one ->
                            now.get(one).number("rounds") >= before.get(one).number("rounds") + more)) {
                return;
            }
            if (System.nanoTime() - deadlineNs > 0) {
                throw failure("no " + more + " more rounds of " + whom + " within " + limit.toMillis() + " ms");
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    /** What survivors said since an instant, all with the numbers of processes. */
    synchronized List<Report> reports(Collection<Integer> of, long sinceNs) {
        List<Report> reports = new ArrayList<>();
        for (int process : of) {
            for (Message one : lives.get(process).failures) {
                if (one.number("agreedNs") - sinceNs >= 0) {
                    int epoch = (int) one.number("epoch");
                    int peer = (int) one.number("peer");
                    reports.add(new Report(
                            process,
                            epoch,
                            ErrorCode.valueOf(one.text("code")),
                            peer < 0 ? -1 : processOf(epoch, peer),
                            one.text("message"),
                            one.number("noticedNs"),
                            numbers(one.text("failed")).stream()
                                    .map(rank -> processOf(epoch, rank))
                                    .collect(Collectors.toSet()),
                            one.number("agreedNs")));
                }
            }
        }
        return reports;
    }

    /** Who had a rank: as it said itself, or, if it died before it could, as others say whom that rank was before. */
    private int processOf(int epoch, int rank) {
        for (int process = 0; process < lives.size(); process++) {
            for (Membership one : lives.get(process).memberships) {
                if (one.epoch() == epoch && one.rank() == rank) {
                    return process;
                }
            }
        }
        for (Life life : lives) {
            for (int i = 1; i < life.memberships.size(); i++) {
                Membership one = life.memberships.get(i);
                if (one.epoch() == epoch && one.before().get(rank) >= 0) {
                    return processOf(
                            life.memberships.get(i - 1).epoch(), one.before().get(rank));
                }
            }
        }
        throw new IllegalStateException("nobody knows who had rank " + rank + " in epoch " + epoch);
    }

    /** Whom each of some found gone since an instant: by agreements, and by who did not come along from one epoch to the next. */
    synchronized Map<Integer, Set<Integer>> lost(Collection<Integer> of, long sinceNs) {
        Map<Integer, Set<Integer>> lost = new HashMap<>();
        of.forEach(process -> lost.put(process, new HashSet<>()));
        reports(of, sinceNs).forEach(report -> lost.get(report.process()).addAll(report.failed()));
        for (int process : of) {
            List<Membership> all = lives.get(process).memberships;
            for (int i = 1; i < all.size(); i++) {
                Membership before = all.get(i - 1);
                for (int rank = 0; rank < before.size() && all.get(i).atNs() - sinceNs >= 0; rank++) {
                    if (!all.get(i).before().contains(rank)) {
                        lost.get(process).add(processOf(before.epoch(), rank));
                    }
                }
            }
        }
        return lost;
    }

    /** The last epoch that each of some came into. */
    synchronized List<Membership> memberships(Collection<Integer> of) {
        return of.stream()
                .map(process -> lives.get(process).memberships)
                .filter(all -> !all.isEmpty())
                .map(all -> all.get(all.size() - 1))
                .toList();
    }

    /** Whether all of some are in one epoch of exactly them. */
    boolean areAGroup(Set<Integer> members) {
        List<Membership> all = memberships(members);
        return all.size() == members.size()
                && all.stream().mapToInt(Membership::epoch).distinct().count() == 1
                && all.stream().allMatch(one -> one.size() == members.size());
    }

    /** Why a process ended; null if it has not said. */
    synchronized Message end(int process) {
        return lives.get(process).end;
    }

    void kill(int process) {
        processes.child(process).destroyForcibly();
    }

    /** Sends a signal, such as STOP, and returns when it has arrived. */
    void signal(int process, String name) throws IOException, InterruptedException {
        String pid = Long.toString(processes.child(process).pid());
        Process kill = new ProcessBuilder("kill", "-" + name, pid).inheritIO().start();
        if (!kill.waitFor(SIGNAL_LIMIT.toNanos(), TimeUnit.NANOSECONDS) || kill.exitValue() != 0) {
            throw new IOException("kill -" + name + " of process " + process);
        }
    }

    /** All that are left are told to end, and do so with success. */
    void end(Collection<Integer> living) throws InterruptedException {
        tell(living.iterator().next(), Message.of(ChaosRank.STOP));
        await(
                "all were told to stop and did",
                List.of(),
                EXIT_LIMIT,
                () -> living.stream().allMatch(process -> lives.get(process).end != null));
        for (int process : living) {
            Process child = processes.child(process);
            if (!child.waitFor(EXIT_LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
                throw failure("process " + process + " did not end");
            }
            if (child.exitValue() != 0) {
                throw failure("process " + process + " ended with exit code " + child.exitValue());
            }
        }
    }

    /** Waits for the end of one that was killed. */
    void awaitKilled(int process) throws InterruptedException {
        Process child = processes.child(process);
        if (!child.waitFor(EXIT_LIMIT.toNanos(), TimeUnit.NANOSECONDS) || child.exitValue() != KILLED) {
            throw failure("process " + process + " was killed, and has not ended by that");
        }
    }

    @Override
    public void close() {
        processes.close();
    }
}
