package io.zipcomm.bench.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * Reads a child's output on a thread of its own and hands it on line by line, without changing a byte. A line longer than
 * {@link #LINE_BYTES_MAX} is handed on in pieces; a last line without its end counts as a line.
 */
final class LinePump {

    /** Takes lines, on the pump's thread. */
    interface Sink {

        /**
         * One line.
         *
         * @param line its bytes, without the end of line; the callee's to keep
         */
        void line(byte[] line);
    }

    /** Longest line that is kept in one piece. */
    static final int LINE_BYTES_MAX = 1 << 20;

    private static final int BUFFER_BYTES = 8192;

    private final InputStream in;
    private final Sink sink;
    private final Thread thread;
    private byte[] line = new byte[BUFFER_BYTES];
    private int length;

    private LinePump(String name, InputStream in, Sink sink) {
        this.in = in;
        this.sink = sink;
        thread = new Thread(this::pump, name);
        thread.setDaemon(true);
    }

    /** Starts to read; ends by itself at the end of the stream, which it closes. */
    static LinePump start(String name, InputStream in, Sink sink) {
        LinePump pump = new LinePump(name, in, sink);
        pump.thread.start();
        return pump;
    }

    /**
     * Waits until everything was handed on. A grandchild that keeps the stream open makes this wait in vain, so there is
     * a limit.
     *
     * @param millis longest wait
     */
    void join(long millis) throws InterruptedException {
        thread.join(Math.max(1, millis));
    }

    private void pump() {
        byte[] buffer = new byte[BUFFER_BYTES];
        try (in) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                take(buffer, read);
            }
        } catch (IOException e) {
            // The stream of a process that was killed may be closed under the reader: that is its end.
        }
        if (length > 0) {
            emit();
        }
    }

    private void take(byte[] buffer, int read) {
        int from = 0;
        for (int i = 0; i < read; i++) {
            if (buffer[i] == '\n') {
                append(buffer, from, i - from);
                emit();
                from = i + 1;
            }
        }
        append(buffer, from, read - from);
    }

    private void append(byte[] buffer, int from, int count) {
        if (length + count > line.length) {
            line = Arrays.copyOf(line, Math.max(length + count, 2 * line.length));
        }
        System.arraycopy(buffer, from, line, length, count);
        length += count;
        if (length >= LINE_BYTES_MAX) {
            emit();
        }
    }

    private void emit() {
        byte[] whole = Arrays.copyOf(line, length);
        length = 0;
        sink.line(whole);
    }
}
