package io.zipcomm.bench.worker;

import java.io.IOException;
import java.nio.ByteBuffer;

/** What the two processes of a floor have between them, and the words by which they keep in step. Whoever waits spins. */
abstract class FloorPath {

    /** There is another round. */
    static final byte MORE = 1;

    /** From now on it is timed. */
    static final byte TIMED = 2;

    /** There are no more rounds. */
    static final byte LAST = 0;

    private static final boolean YIELD = Runtime.getRuntime().availableProcessors() < 2;

    private final ByteBuffer word = ByteBuffer.allocateDirect(1);

    /** Writes all that remains: the other process reads as many bytes at once. */
    abstract void write(ByteBuffer buffer) throws IOException;

    /** Reads until the buffer is full: as many bytes as the other process writes at once. */
    abstract void read(ByteBuffer buffer) throws IOException;

    /** Tells the other process a word, outside of what is timed, and waits until it has it. */
    void say(byte what) throws IOException {
        word.clear();
        word.put(0, what);
        write(word);
        word.clear();
        read(word);
    }

    /** Waits for a word of the other process. */
    byte hear() throws IOException {
        word.clear();
        read(word);
        word.flip();
        write(word);
        return word.get(0);
    }

    /** On a single processor the other process runs only if this one lets it. */
    @SuppressWarnings("ThreadPriorityCheck")
    static void pause() {
        if (YIELD) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }
}
