package io.zipcomm.bench.cluster;

import io.zipcomm.bench.worker.Message;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Between a program and the one that does its work in its stead: whichever ends, the other hears of it. The one that works
 * has its standard input from the other, which writes nothing: its end is the other's end, however that came. What it prints
 * goes through the other, with a sign of life now and then.
 */
final class Lifeline {

    /** From one sign of life to the next. */
    private static final long BEAT_MS = 5_000;

    private static final Duration OUTPUT_TIME = Duration.ofSeconds(2);
    private static final String ALIVE = "alive";
    private static final int ORPHANED = 9;
    private static final int SILENT = 1;

    private final Process process;
    private final PrintStream out;
    private volatile boolean heard; // set by the pump, taken by the one that waits

    /**
     * The end of the one that waits.
     *
     * @param process does the work; its standard input and output are this one's
     * @param out     takes what it prints
     */
    Lifeline(Process process, PrintStream out) {
        this.process = process;
        this.out = out;
    }

    /**
     * Waits for the end of the process, for as long as it shows signs of life. It is killed, and all that it started, when
     * nothing has been heard for many looks: time in which this process was stopped itself does not count.
     *
     * @param look  from one look to the next
     * @param looks at so many, one after the other, nothing was new
     * @return its exit code, or 1 if it was killed
     */
    int await(Duration look, int looks) throws InterruptedException {
        LinePump pump = LinePump.start("zip-lifeline", process.getInputStream(), this::take);
        int silent = 0;
        while (!process.waitFor(look.toNanos(), TimeUnit.NANOSECONDS)) {
            silent = heard ? 0 : silent + 1;
            heard = false;
            if (silent == looks) {
                String limit = TimeUnit.NANOSECONDS.toSeconds(look.toNanos() * looks) + " s";
                out.println("process " + process.pid() + " has given no sign of life for " + limit + ": killed");
                kill();
                return SILENT;
            }
        }
        pump.join(OUTPUT_TIME.toMillis());
        return process.exitValue();
    }

    private void take(byte[] line) {
        heard = true;
        Message message = Message.parse(new String(line, StandardCharsets.UTF_8));
        if (message == null || !message.kind().equals(ALIVE)) {
            out.write(line, 0, line.length);
            out.println();
            out.flush();
        }
    }

    private void kill() {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
    }

    /** The end of the one that works: from now on this process gives signs of life, and ends when the other has. */
    static void hold() {
        start("zip-lifeline-in", Lifeline::awaitEnd);
        start("zip-lifeline-out", Lifeline::beat);
    }

    private static void start(String name, Runnable what) {
        Thread thread = new Thread(what, name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void awaitEnd() {
        try (InputStream in = System.in) {
            in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // As good as the end of the stream.
        }
        // Not a halt: what it started is ended by those that started it.
        System.exit(ORPHANED);
    }

    private static void beat() {
        try {
            while (true) {
                System.out.println(Message.of(ALIVE));
                Thread.sleep(BEAT_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
