package io.zipcomm.bench.cluster;

import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.Progress;
import io.zipcomm.bench.worker.Worker;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Worker processes, one for each rank, and the talk with them. Waiting for an answer has a limit: the time since a worker
 * last showed progress.
 */
final class WorkerGroup implements AutoCloseable {

    private static final int LINES_KEPT = 80;
    private static final Duration TURN = Duration.ofMillis(50);

    /** How long the others are waited for once one has failed: each may know something. */
    private static final Duration FAILURE_TIME = Duration.ofSeconds(8);

    private static final Duration STACKS_TIME = Duration.ofMillis(500);
    private static final Duration CLOSE_TIME = Duration.ofSeconds(15);
    private static final Duration SIGNAL_LIMIT = Duration.ofSeconds(5);

    private record Answer(int rank, Message message) {}

    private final ProcessGroup processes;
    private final BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
    private final List<Deque<String>> lastLines = new ArrayList<>();
    private final Set<Integer> ended = new TreeSet<>();
    private final long[] spawnedNs;

    private WorkerGroup(GroupEnvironment environment) {
        spawnedNs = new long[environment.size()];
        for (int rank = 0; rank < environment.size(); rank++) {
            lastLines.add(new ArrayDeque<>());
        }
        processes = new ProcessGroup(this::take, environment.mark());
    }

    /**
     * Starts the processes.
     *
     * @param environment what the ranks are told
     * @param flags       of their virtual machines
     * @param main        class that talks in {@link Message}s; its argument is the rank
     */
    static WorkerGroup start(GroupEnvironment environment, List<String> flags, Class<?> main) throws WorkerFailure {
        return start(
                environment,
                IntStream.range(0, environment.size())
                        .mapToObj(rank -> ChildJvm.command(flags, main, Integer.toString(rank)))
                        .toList());
    }

    /**
     * Starts other processes than ours.
     *
     * @param environment what the ranks are told
     * @param commands    of each rank: programs that talk in {@link Message}s
     */
    static WorkerGroup start(GroupEnvironment environment, List<List<String>> commands) throws WorkerFailure {
        WorkerGroup group = new WorkerGroup(environment);
        try {
            for (int rank = 0; rank < environment.size(); rank++) {
                group.spawnedNs[rank] = System.nanoTime();
                group.processes.start(commands.get(rank), environment.forRank(rank));
            }
            return group;
        } catch (IOException e) {
            group.processes.close();
            throw new WorkerFailure("cannot start a worker: " + e.getMessage());
        }
    }

    int size() {
        return spawnedNs.length;
    }

    /** When a rank's process was started, on the clock of {@link System#nanoTime()}. */
    long spawnedNs(int rank) {
        return spawnedNs[rank];
    }

    private void take(int rank, boolean error, byte[] line) {
        String text = new String(line, StandardCharsets.UTF_8);
        Message message = error ? null : Message.parse(text);
        if (message != null) {
            answers.add(new Answer(rank, message));
            return;
        }
        Deque<String> lines = lastLines.get(rank);
        synchronized (lines) {
            if (lines.size() == LINES_KEPT) {
                lines.removeFirst();
            }
            lines.addLast(text);
        }
    }

    /** Sends to one rank. A rank that is gone is found out when its answer is awaited. */
    void tell(int rank, Message message) {
        try {
            OutputStream in = processes.child(rank).getOutputStream();
            in.write((message + "\n").getBytes(StandardCharsets.UTF_8));
            in.flush();
        } catch (IOException e) {
            // The pipe of a process that ended.
        }
    }

    /** Sends to all ranks. */
    void tellAll(Message message) {
        for (int rank = 0; rank < size(); rank++) {
            tell(rank, message);
        }
    }

    /**
     * Sends a signal to a rank.
     *
     * @param name as kill has it, such as STOP
     */
    void signal(int rank, String name) throws IOException, InterruptedException {
        String pid = Long.toString(processes.child(rank).pid());
        Process kill = new ProcessBuilder("kill", "-" + name, pid).inheritIO().start();
        if (!kill.waitFor(SIGNAL_LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
            kill.destroyForcibly();
            throw new IOException(
                    "kill -" + name + " of rank " + rank + " has not ended within " + SIGNAL_LIMIT.toSeconds() + " s");
        }
        if (kill.exitValue() != 0) {
            throw new IOException("kill -" + name + " of rank " + rank + " ended with " + kill.exitValue());
        }
    }

    /** Kills a rank without warning. */
    void kill(int rank) {
        processes.child(rank).destroyForcibly();
    }

    /**
     * Waits for the end of a rank's process.
     *
     * @return its exit code; 128 plus the number of the signal that killed it
     * @throws WorkerFailure if it goes on for longer
     */
    int awaitExit(int rank, Duration limit) throws WorkerFailure, InterruptedException {
        Process process = processes.child(rank);
        if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
            throw new WorkerFailure("rank " + rank + ": the process goes on after " + limit.toSeconds() + " s");
        }
        return process.exitValue();
    }

    /** Processor time that a rank has used, all threads together. */
    Duration processorTime(int rank) {
        return processes.child(rank).info().totalCpuDuration().orElseThrow();
    }

    /** What a rank wrote last that was no message. */
    List<String> lines(int rank) {
        Deque<String> lines = lastLines.get(rank);
        synchronized (lines) {
            return List.copyOf(lines);
        }
    }

    /**
     * Has all ranks measure.
     *
     * @param limit longest time without progress
     * @return a result of each rank
     */
    Collection<CaseResult> measure(CaseOrder order, Duration limit) throws WorkerFailure, InterruptedException {
        tellAll(order.toMessage());
        return awaitAll(CaseResult.KIND, limit).values().stream()
                .map(CaseResult::from)
                .toList();
    }

    /** Waits until every rank has answered. */
    Map<Integer, Message> awaitAll(String kind, Duration limit) throws WorkerFailure, InterruptedException {
        Set<Integer> all = IntStream.range(0, size()).boxed().collect(Collectors.toSet());
        return await(all, kind, limit);
    }

    /**
     * Waits until some ranks have answered.
     *
     * @param ranks which
     * @param kind  of the answer
     * @param limit longest time without progress
     * @return the answers, by rank
     * @throws WorkerFailure if one of them failed, ended or gave no answer in time
     */
    Map<Integer, Message> await(Set<Integer> ranks, String kind, Duration limit)
            throws WorkerFailure, InterruptedException {
        return await(ranks, kind, limit, message -> {});
    }

    /**
     * Waits until some ranks have answered.
     *
     * @param ranks which
     * @param kind  of the answer
     * @param limit longest time without progress
     * @param other takes messages of other kinds that come before
     * @return the answers, by rank
     * @throws WorkerFailure if one of them failed, ended or gave no answer in time
     */
    Map<Integer, Message> await(Set<Integer> ranks, String kind, Duration limit, Consumer<Message> other)
            throws WorkerFailure, InterruptedException {
        Round round = new Round(ranks, kind, limit, other);
        while (!round.isComplete()) {
            Answer answer = answers.poll(TURN.toNanos(), TimeUnit.NANOSECONDS);
            if (answer != null) {
                round.take(answer);
            } else {
                noteExits();
            }
            Set<Integer> silent = round.silent();
            // A process that ended may have said something before, which is still on its way: look when nothing comes.
            boolean hopeless = silent.isEmpty() || (answer == null && ended.containsAll(silent));
            if (!round.isComplete() && (hopeless || round.isOverdue())) {
                askWhereTheyAre(silent);
                throw new WorkerFailure(describe(round.failures, silent, limit));
            }
            if (answer == null && silent.stream().anyMatch(ended::contains)) {
                round.hurry();
            }
        }
        return round.received;
    }

    /** What has been answered to one question, and until when the rest is waited for. */
    private static final class Round {
        final Map<Integer, Message> received = new TreeMap<>();
        final Map<Integer, Message> failures = new TreeMap<>();
        private final Set<Integer> ranks;
        private final String kind;
        private final Consumer<Message> other;
        private final long limitNs;
        private long deadlineNs;
        private long iterations = -1;
        private boolean hurried;

        Round(Set<Integer> ranks, String kind, Duration limit, Consumer<Message> other) {
            this.ranks = ranks;
            this.kind = kind;
            this.other = other;
            limitNs = limit.toNanos();
            deadlineNs = System.nanoTime() + limitNs;
        }

        void take(Answer answer) {
            Message message = answer.message();
            if (message.kind().equals(kind)) {
                received.put(answer.rank(), message);
            } else if (message.kind().equals(Worker.FAILED)) {
                failures.put(answer.rank(), message);
                hurry();
            } else if (message.kind().equals(Progress.KIND)) {
                long now = message.number("iterations");
                if (now != iterations && !hurried) {
                    deadlineNs = System.nanoTime() + limitNs;
                }
                iterations = now;
            } else {
                other.accept(message);
            }
        }

        /** Something is lost already: the others are not waited for as long as they might take. */
        void hurry() {
            if (!hurried) {
                hurried = true;
                deadlineNs = Math.min(deadlineNs, System.nanoTime() + FAILURE_TIME.toNanos());
            }
        }

        boolean isComplete() {
            return received.keySet().containsAll(ranks);
        }

        boolean isOverdue() {
            return System.nanoTime() - deadlineNs > 0;
        }

        Set<Integer> silent() {
            Set<Integer> silent = new TreeSet<>(ranks);
            silent.removeAll(received.keySet());
            silent.removeAll(failures.keySet());
            return silent;
        }
    }

    /** What they answer is among their last lines. */
    private void askWhereTheyAre(Set<Integer> silent) throws InterruptedException {
        boolean any = false;
        for (int rank : silent) {
            if (processes.child(rank).isAlive()) {
                tell(rank, Message.of(Worker.STACKS));
                any = true;
            }
        }
        if (any) {
            Thread.sleep(STACKS_TIME.toMillis());
        }
    }

    private void noteExits() throws InterruptedException {
        for (ProcessGroup.Exit exit = processes.nextExit(Duration.ZERO);
                exit != null;
                exit = processes.nextExit(Duration.ZERO)) {
            ended.add(exit.rank());
        }
    }

    private String describe(Map<Integer, Message> failures, Set<Integer> silent, Duration limit) {
        StringBuilder text = new StringBuilder();
        failures.forEach((rank, failure) -> text.append("rank ")
                .append(rank)
                .append(": ")
                .append(failure.text("message"))
                .append('\n'));
        for (int rank : silent) {
            text.append("rank ").append(rank).append(": ");
            Process process = processes.child(rank);
            if (process.isAlive()) {
                text.append("no answer for ").append(limit.toSeconds()).append(" s\n");
            } else {
                text.append("process ended with exit code ")
                        .append(process.exitValue())
                        .append('\n');
            }
            appendLastLines(text, rank);
        }
        return text.toString().stripTrailing();
    }

    private void appendLastLines(StringBuilder text, int rank) {
        Deque<String> lines = lastLines.get(rank);
        synchronized (lines) {
            lines.forEach(line -> text.append("  | ").append(line).append('\n'));
        }
    }

    /**
     * Has all ranks leave the group and end.
     *
     * @throws WorkerFailure if one did not, or not with success
     */
    void end() throws WorkerFailure, InterruptedException {
        tellAll(Message.of(Worker.END));
        long deadline = System.nanoTime() + CLOSE_TIME.toNanos();
        StringBuilder problems = new StringBuilder();
        while (ended.size() < size() && System.nanoTime() < deadline) {
            ProcessGroup.Exit exit = processes.nextExit(TURN);
            if (exit == null) {
                continue;
            }
            ended.add(exit.rank());
            if (exit.exitCode() != 0) {
                problems.append("rank ").append(exit.rank()).append(": left with exit code ");
                problems.append(exit.exitCode()).append('\n');
                appendLastLines(problems, exit.rank());
            }
        }
        for (int rank = 0; rank < size(); rank++) {
            if (!ended.contains(rank)) {
                problems.append("rank ").append(rank).append(": did not leave within ");
                problems.append(CLOSE_TIME.toSeconds()).append(" s\n");
                appendLastLines(problems, rank);
            }
        }
        if (problems.length() > 0) {
            throw new WorkerFailure(problems.toString().stripTrailing());
        }
    }

    @Override
    public void close() {
        processes.close();
    }
}
