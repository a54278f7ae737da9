package io.zipcomm.bench.soak;

import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.cluster.ProcessGroup;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.Worker;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Processes of {@link SoakRank}, numbered in the order in which they were started, and the talk with them. Every wait has a limit.
 *
 * <p>Thread: one drives; what processes say comes on threads of theirs.
 */
final class SoakGroup implements AutoCloseable {

    private static final int LINES_KEPT = 60;
    private static final Duration STACKS_TIME = Duration.ofSeconds(1);

    private final GroupEnvironment environment;
    private final ProcessGroup processes;
    private final List<Map<String, Message>> last = new ArrayList<>(); // guarded by this: by kind, of each process
    private final List<Deque<String>> lines = new ArrayList<>(); // guarded by this

    SoakGroup(GroupEnvironment environment) {
        this.environment = environment;
        processes = new ProcessGroup(this::take, environment.mark());
    }

    /** Starts the next process, and returns its number. */
    int start() throws SoakFailure {
        int process;
        synchronized (this) {
            process = last.size();
            last.add(new HashMap<>());
            lines.add(new ArrayDeque<>());
        }
        List<String> flags = new ArrayList<>(ChildJvm.flags());
        // Memory that is touched from the beginning cannot grow because the collector comes to touch it.
        flags.addAll(List.of("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"));
        List<String> command = ChildJvm.command(flags, SoakRank.class, Integer.toString(environment.size()));
        try {
            processes.start(command, environment.forRank(process % environment.size()));
            return process;
        } catch (IOException e) {
            throw new SoakFailure("cannot start process " + process + ": " + e.getMessage());
        }
    }

    private synchronized void take(int process, boolean error, byte[] line) {
        String text = new String(line, StandardCharsets.UTF_8);
        Message message = error ? null : Message.parse(text);
        if (message == null) {
            Deque<String> kept = lines.get(process);
            if (kept.size() == LINES_KEPT) {
                kept.removeFirst();
            }
            kept.addLast(text);
        } else {
            last.get(process).put(message.kind(), message);
            notifyAll();
        }
    }

    void tell(int process, Message message) {
        try {
            OutputStream in = processes.child(process).getOutputStream();
            in.write((message + "\n").getBytes(StandardCharsets.UTF_8));
            in.flush();
        } catch (IOException e) {
            // The pipe of a process that ended, which is found out when its answer is awaited.
        }
    }

    /** The last message of a kind that each of some has told; waits for it. */
    Map<Integer, Message> await(Collection<Integer> whom, String kind, Duration limit)
            throws SoakFailure, InterruptedException {
        return await(whom, kind, limit, 0);
    }

    /** Waits until some are in one epoch after a given one, of exactly them; returns which. */
    int awaitGroup(Collection<Integer> members, int after, Duration limit) throws SoakFailure, InterruptedException {
        Map<Integer, Message> joined = await(members, SoakRank.JOINED, limit, after + 1);
        List<Long> epochs = joined.values().stream()
                .map(one -> one.number("epoch"))
                .distinct()
                .toList();
        boolean whole = joined.values().stream().allMatch(one -> one.number("size") == members.size());
        if (epochs.size() != 1 || !whole) {
            throw failure("members are not in one group: " + joined);
        }
        return epochs.get(0).intValue();
    }

    private Map<Integer, Message> await(Collection<Integer> whom, String kind, Duration limit, int epochMin)
            throws SoakFailure, InterruptedException {
        long deadlineNs = System.nanoTime() + limit.toNanos();
        String problem = null;
        synchronized (this) {
            while (problem == null) {
                Map<Integer, Message> answers = new TreeMap<>();
                for (int process : whom) {
                    Message answer = last.get(process).get(kind);
                    if (answer != null && (epochMin == 0 || answer.number("epoch") >= epochMin)) {
                        answers.put(process, answer);
                    } else if (last.get(process).containsKey(SoakRank.FAILED)) {
                        problem = "process " + process + ": "
                                + last.get(process).get(SoakRank.FAILED).text("message");
                    } else if (!processes.child(process).isAlive()) {
                        problem = "process " + process + " ended with exit code "
                                + processes.child(process).exitValue();
                    }
                }
                if (answers.size() == whom.size()) {
                    return answers;
                }
                long leftNs = deadlineNs - System.nanoTime();
                if (leftNs <= 0) {
                    problem = "no word of '" + kind + "' within " + limit.toSeconds() + " s";
                } else if (problem == null) {
                    TimeUnit.NANOSECONDS.timedWait(this, Math.min(leftNs, TimeUnit.MILLISECONDS.toNanos(100)));
                }
            }
        }
        throw failure(problem);
    }

    /** Tells some the same, and waits for their answers, which are of its kind. */
    Map<Integer, Message> ask(Collection<Integer> whom, Message order, Duration limit)
            throws SoakFailure, InterruptedException {
        synchronized (this) {
            whom.forEach(process -> last.get(process).remove(order.kind()));
        }
        whom.forEach(process -> tell(process, order));
        return await(whom, order.kind(), limit);
    }

    /** With where everybody is, and what they said last. */
    private SoakFailure failure(String problem) throws InterruptedException {
        for (int process = 0; process < processes.size(); process++) {
            if (processes.child(process).isAlive()) {
                tell(process, Message.of(Worker.STACKS));
            }
        }
        TimeUnit.NANOSECONDS.sleep(STACKS_TIME.toNanos());
        StringBuilder text = new StringBuilder(problem);
        synchronized (this) {
            for (int process = 0; process < lines.size(); process++) {
                if (processes.child(process).isAlive() || last.get(process).containsKey(SoakRank.FAILED)) {
                    text.append("\nprocess ").append(process).append(':');
                    lines.get(process).forEach(line -> text.append("\n  | ").append(line));
                }
            }
        }
        return new SoakFailure(text.toString());
    }

    void kill(int process) {
        processes.child(process).destroyForcibly();
    }

    @Override
    public void close() {
        processes.close();
    }
}
