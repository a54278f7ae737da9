package io.zipcomm.bench.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Processes that are started together and leave nothing behind: whatever way this process ends, short of being killed
 * outright, the children and whatever they started end too.
 *
 * <p>Thread: one thread starts and waits; {@link #close} may come from any, and from the end of the virtual machine.
 */
public final class ProcessGroup implements AutoCloseable {

    /** Takes what a child writes, on threads of the group. */
    public interface Output {

        /**
         * One line of a child's output.
         *
         * @param rank  which child
         * @param error standard error rather than standard output
         * @param line  its bytes, without the end of line
         */
        void line(int rank, boolean error, byte[] line);
    }

    /**
     * A child that ended.
     *
     * @param rank     which child
     * @param exitCode 0 to 255; 128 plus the number of the signal that killed it
     */
    public record Exit(int rank, int exitCode) {}

    /** From the request to end to the kill. */
    private static final Duration TERMINATE_TIME = Duration.ofSeconds(3);

    private static final Duration OUTPUT_TIME = Duration.ofSeconds(2);

    private static final String ZOMBIE = ") Z";

    private final Output output;
    private final EnvironmentMark mark;
    private final List<Process> children = new ArrayList<>();
    private final List<LinePump> pumps = new ArrayList<>();
    private final BlockingQueue<Exit> exits = new LinkedBlockingQueue<>();
    private final Thread atExit = new Thread(this::end, "zip-children-end");
    private boolean ended;

    /**
     * A group without processes.
     *
     * @param output takes what the children write
     * @param mark   a variable that all children are given and no other process has
     */
    public ProcessGroup(Output output, EnvironmentMark mark) {
        this.output = output;
        this.mark = mark;
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /**
     * Starts the next rank.
     *
     * @param command     program and arguments
     * @param environment variables to set besides those of this process
     * @return the process; its standard input is open, its output goes to the group's taker
     * @throws IOException if there is no such program, or the group has ended
     */
    public Process start(List<String> command, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        mark.put(builder.environment());
        synchronized (this) {
            if (ended) {
                throw new IOException("the group has ended");
            }
            int rank = children.size();
            Process child = builder.start();
            children.add(child);
            pumps.add(
                    LinePump.start("zip-out-" + rank, child.getInputStream(), line -> output.line(rank, false, line)));
            pumps.add(LinePump.start("zip-err-" + rank, child.getErrorStream(), line -> output.line(rank, true, line)));
            CompletableFuture<Void> unused =
                    child.onExit().thenAccept(process -> exits.add(new Exit(rank, process.exitValue())));
            return child;
        }
    }

    /** Number of children started. */
    public synchronized int size() {
        return children.size();
    }

    /** A child. */
    public synchronized Process child(int rank) {
        return children.get(rank);
    }

    /**
     * Waits for the next child to end. Each is reported once.
     *
     * @param limit longest wait
     * @return null if none ended in time
     */
    public Exit nextExit(Duration limit) throws InterruptedException {
        return exits.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Ends every child and everything it started: asks first, kills after three seconds. */
    public synchronized void end() {
        ended = true;
        List<ProcessHandle> all = new ArrayList<>(children.stream()
                .filter(Process::isAlive)
                .flatMap(child -> Stream.concat(Stream.of(child.toHandle()), child.descendants()))
                .toList());
        mark.bearers().filter(bearer -> !all.contains(bearer)).forEach(all::add);
        all.forEach(ProcessHandle::destroy);
        long deadline = System.nanoTime() + TERMINATE_TIME.toNanos();
        for (ProcessHandle one : all) {
            awaitEnd(one, deadline);
        }
        all.stream().filter(ProcessGroup::isRunning).forEach(ProcessHandle::destroyForcibly);
        // Whatever was started while the others were being asked to end.
        mark.bearers().forEach(ProcessHandle::destroyForcibly);
    }

    /** Waits until everything that the children wrote before they ended was handed on, for two seconds at most. */
    public void drainOutput() throws InterruptedException {
        long deadline = System.nanoTime() + OUTPUT_TIME.toNanos();
        List<LinePump> open;
        synchronized (this) {
            open = List.copyOf(pumps);
        }
        for (LinePump pump : open) {
            pump.join(TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime()));
        }
    }

    /** As {@link #end}, and forgets the group. */
    @Override
    public void close() {
        end();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // The virtual machine is ending: the hook runs anyway, and finds nothing left to do.
        }
    }

    private static void awaitEnd(ProcessHandle process, long deadline) {
        try {
            while (isRunning(process) && System.nanoTime() < deadline) {
                Thread.sleep(5);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** In a container nobody may fetch the exit code of a process whose parent is gone: it has ended all the same. */
    static boolean isRunning(ProcessHandle process) {
        if (!process.isAlive()) {
            return false;
        }
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
            return !stat.substring(stat.lastIndexOf(')')).startsWith(ZOMBIE);
        } catch (IOException e) {
            return process.isAlive();
        }
    }
}
