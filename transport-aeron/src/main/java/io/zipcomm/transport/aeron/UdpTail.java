package io.zipcomm.transport.aeron;

import java.util.concurrent.TimeUnit;

/**
 * When to tell a peer how far a stream goes. A receiver asks for what it lacks when something behind it has come, so the loss of
 * what was sent last stays unnoticed until more is sent; Aeron's driver says by itself how far a stream goes, but after 100 ms.
 *
 * <p>Engine holder only. Nothing is allocated.
 */
final class UdpTail {

    /** From the last message to the first word, about; and from there to the second. */
    private static final long FIRST_NS = TimeUnit.MILLISECONDS.toNanos(2);

    private static final long SECOND_NS = TimeUnit.MILLISECONDS.toNanos(10);

    private static final int WORDS_MAX = 2;

    private long position;
    private long dueNs;
    private int words;

    /**
     * Begins with a stream that needs no word.
     *
     * @param position where it ends now
     */
    UdpTail(long position) {
        this.position = position;
        words = WORDS_MAX;
    }

    /**
     * Whether it is time for a word.
     *
     * @param now where the stream ends
     */
    boolean isDue(long now, long nowNs) {
        if (now != position) {
            position = now;
            words = 0;
            dueNs = nowNs + FIRST_NS;
        }
        return words < WORDS_MAX && nowNs - dueNs >= 0;
    }

    /**
     * A word has been said.
     *
     * @param now where the stream ends with it
     */
    void said(long now, long nowNs) {
        position = now;
        words++;
        dueNs = nowNs + SECOND_NS;
    }
}
