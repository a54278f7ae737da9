package io.zipcomm.bench.lab;

import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.lab.LabHost;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** A process of {@link LabRank} in a host, from the side of a test. It ends with the lab. */
final class LabNode {

    /** Starts count, not speed. Memory can be shared. And why a link does not become direct is told. */
    private static final List<String> FLAGS = List.of(
            "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx128m",
            "-Dorg.slf4j.simpleLogger.log.io.zipcomm.internal.Engine=info");

    /** All hosts of a lab have one kernel and its files: networks are tested without what else they have in common. */
    private static final String NO_MEMORY = "none";

    private final LabHost host;
    private final String memory;
    private final Process process;
    private final Writer commands;
    private final Map<String, Story> stories = new ConcurrentHashMap<>();
    private int numbers;

    /** What a rank has told so far. Lines are added by the reader; whoever waits for the end sees them all. */
    private static final class Story {
        private final List<String> lines = new ArrayList<>();
        private final Consumer<String> listener;
        private final CompletableFuture<List<String>> end = new CompletableFuture<>();

        private Story(Consumer<String> listener) {
            this.listener = listener;
        }
    }

    private LabNode(LabHost host, String memory, Process process) {
        this.host = host;
        this.memory = memory;
        this.process = process;
        commands = process.outputWriter(StandardCharsets.US_ASCII);
        readOnThread("lab-out-", process.getInputStream(), this::take, this::ended);
        readOnThread(
                "lab-err-", process.getErrorStream(), line -> System.err.println(host.name() + ": " + line), () -> {});
    }

    /** Its ranks share memory with nobody. */
    static LabNode start(LabHost host) {
        return start(host, NO_MEMORY);
    }

    /**
     * Starts a process.
     *
     * @param memory directory where its ranks meet those of other processes to share memory
     */
    static LabNode start(LabHost host, Path memory) {
        return start(host, memory.toString());
    }

    private static LabNode start(LabHost host, String memory) {
        List<String> flags = new ArrayList<>(ChildJvm.flags());
        flags.addAll(FLAGS);
        try {
            return new LabNode(host, memory, host.start(ChildJvm.command(flags, LabRank.class), Map.of()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    LabHost host() {
        return host;
    }

    /**
     * Begins a rank.
     *
     * @return the lines that it told, the last of them {@code ok} or {@code failed ...}
     */
    CompletableFuture<List<String>> run(long settleMs, Map<String, String> variables) {
        return run(settleMs, variables, line -> {});
    }

    /**
     * Begins a rank.
     *
     * @param variables of the rank; where none says where it shares memory, it is as this process was started
     * @param listener  hears each line when it is told, on a thread of this node
     */
    CompletableFuture<List<String>> run(long settleMs, Map<String, String> variables, Consumer<String> listener) {
        StringBuilder line = new StringBuilder().append(settleMs);
        Map<String, String> all = new LinkedHashMap<>(variables);
        all.putIfAbsent(Setting.SHARED_MEMORY.variable(), memory);
        all.forEach((variable, value) ->
                line.append(' ').append(variable).append('=').append(value));
        return begin(line.toString(), listener);
    }

    /**
     * Begins a command of {@code zip}.
     *
     * @param words the command and its options, none with a space
     * @return the lines that it printed, and then {@code ok} or {@code failed ...}
     */
    CompletableFuture<List<String>> zip(String... words) {
        return begin("zip " + String.join(" ", words), line -> {});
    }

    private synchronized CompletableFuture<List<String>> begin(String what, Consumer<String> listener) {
        Story story = new Story(listener);
        numbers++;
        stories.put(Integer.toString(numbers), story);
        try {
            write(numbers + " " + what);
        } catch (IOException e) {
            story.end.completeExceptionally(e);
        }
        return story.end;
    }

    /** Ends its process as {@code kill -9} does, and all its ranks with it. */
    void kill() {
        process.destroyForcibly();
    }

    /** Ends the load of its ranks. */
    synchronized void stop() throws IOException {
        write("stop");
    }

    private void write(String line) throws IOException {
        commands.write(line + '\n');
        commands.flush();
    }

    private void take(String line) {
        int space = line.indexOf(' ');
        Story story = space < 0 ? null : stories.get(line.substring(0, space));
        if (story == null) {
            System.err.println(host.name() + ": " + line);
            return;
        }
        String told = line.substring(space + 1);
        story.lines.add(told);
        story.listener.accept(told);
        if (told.equals("ok") || told.startsWith("failed ")) {
            story.end.complete(story.lines);
        }
    }

    private void ended() {
        String how = process.isAlive() ? "has closed its output" : "has ended with code " + process.exitValue();
        stories.values().forEach(story -> story.end.completeExceptionally(new IOException(host + " " + how)));
    }

    private interface Sink {
        void take(String line);
    }

    private void readOnThread(String name, InputStream in, Sink sink, Runnable end) {
        Thread thread = new Thread(
                () -> {
                    try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
                        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                            sink.take(line);
                        }
                    } catch (IOException e) {
                        // The lab has ended under the reader.
                    }
                    end.run();
                },
                name + host.name());
        thread.setDaemon(true);
        thread.start();
    }
}
