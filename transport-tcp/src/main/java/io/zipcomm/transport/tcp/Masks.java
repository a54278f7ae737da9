package io.zipcomm.transport.tcp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;

/** Keys that mask what a WebSocket's client sends: hard to guess, drawn many at a time. The first byte is the highest. */
final class Masks {

    private static final int KEYS = 256;

    private final SecureRandom random;
    private final byte[] drawn = new byte[KEYS * Integer.BYTES];
    private int next = KEYS;

    Masks(SecureRandom random) {
        this.random = random;
    }

    int next() {
        if (next == KEYS) {
            random.nextBytes(drawn);
            next = 0;
        }
        int at = next++ * Integer.BYTES;
        return (drawn[at] << 24)
                | ((drawn[at + 1] & 0xff) << 16)
                | ((drawn[at + 2] & 0xff) << 8)
                | (drawn[at + 3] & 0xff);
    }

    static void putKey(ByteBuffer out, int key) {
        out.put((byte) (key >>> 24))
                .put((byte) (key >>> 16))
                .put((byte) (key >>> 8))
                .put((byte) key);
    }

    /** The key for bytes that begin at an index of the payload. */
    static int from(int key, int index) {
        return Integer.rotateLeft(key, (index % Integer.BYTES) * Byte.SIZE);
    }

    /** Copies and masks bytes between the positions of two buffers, which are moved. */
    static void copy(ByteBuffer source, ByteBuffer target, int bytes, int key) {
        ByteOrder before = target.order();
        target.order(source.order());
        long both = ((long) key << Integer.SIZE) | (key & 0xffff_ffffL);
        long mask = source.order() == ByteOrder.BIG_ENDIAN ? both : Long.reverseBytes(both);
        int from = source.position();
        int to = target.position();
        int at = 0;
        for (; at <= bytes - Long.BYTES; at += Long.BYTES) {
            target.putLong(to + at, source.getLong(from + at) ^ mask);
        }
        for (; at < bytes; at++) {
            target.put(to + at, (byte) (source.get(from + at) ^ (from(key, at) >>> 24)));
        }
        target.order(before);
        source.position(from + bytes);
        target.position(to + bytes);
    }
}
