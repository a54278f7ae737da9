package io.zipcomm.bench.worker;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * A worker's end of the line to the harness. When the harness is gone the process ends at once, whatever it is doing:
 * nobody would stop it otherwise.
 */
public final class HarnessLink {

    /** Order to print where its threads are; carried out at once. */
    static final String STACKS = "stacks";

    private static final int ORPHANED = 9;
    private static final int FRAMES_MAX = 15;

    private final PrintStream out;
    private final BlockingQueue<Message> orders = new LinkedBlockingQueue<>();

    private HarnessLink(PrintStream out) {
        this.out = out;
    }

    /** Takes over standard input and output; what else is written to standard output goes to standard error. */
    public static HarnessLink open() {
        HarnessLink link = new HarnessLink(System.out);
        System.setOut(System.err);
        InputStream in = System.in;
        Thread reader = new Thread(() -> link.read(in), "zip-harness");
        reader.setDaemon(true);
        reader.start();
        return link;
    }

    private void read(InputStream in) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Message message = Message.parse(line);
                if (message != null && message.kind().equals(STACKS)) {
                    printStacks();
                } else if (message != null) {
                    orders.add(message);
                }
            }
        } catch (IOException e) {
            // As good as the end of the stream.
        }
        Runtime.getRuntime().halt(ORPHANED);
    }

    /** Where the library's threads are and the one that measures: what a worker that is stuck is asked for. */
    private static void printStacks() {
        Thread.getAllStackTraces().forEach((thread, frames) -> {
            if (thread.getName().equals("main") || thread.getName().startsWith("zip-")) {
                StringBuilder text = new StringBuilder("thread " + thread.getName() + ", " + thread.getState());
                Arrays.stream(frames)
                        .limit(FRAMES_MAX)
                        .forEach(frame -> text.append("\n  at ").append(frame));
                System.err.println(text);
            }
        });
    }

    /** Waits for the next order. */
    public Message next() throws InterruptedException {
        return orders.take();
    }

    /** Tells the harness. Any thread. */
    public void tell(Message message) {
        synchronized (out) {
            out.println(message);
            out.flush();
        }
    }
}
