package io.zipcomm.wire;

import java.nio.ByteBuffer;
import java.security.MessageDigest;

/**
 * Payload of a HELLO frame: how the two ends of a direct connection prove to each other that they know the session key.
 *
 * <pre>{@code
 * initiator                                  acceptor
 *   | -- OPEN    nonceA, mac(OPEN, nonceA) ---> |   a stranger's OPEN is dropped without an answer
 *   | <- ANSWER  nonceB, mac(ANSWER, A, B) ---- |
 *   | -- CONFIRM nonceA, mac(CONFIRM, A, B) --> |   link frames may follow at once
 * }</pre>
 *
 * The code is HMAC-SHA256 under the session key over step, version, epoch, initiator, acceptor and the nonces. The step is
 * in the header's flags. Layout:
 *
 * <pre>
 *   0               1               2               4               8
 *  +---------------+---------------+---------------+---------------+
 *  |  version min  |  version max  |           reserved            |
 *  +---------------+---------------+---------------+---------------+  8
 *  |                       nonce (16 bytes)                        |
 *  +---------------------------------------------------------------+  24
 *  |                        code (32 bytes)                        |
 *  +---------------------------------------------------------------+  56
 * </pre>
 */
public final class Hello {

    public static final int VERSION_MIN_OFFSET = 0;
    public static final int VERSION_MAX_OFFSET = 1;
    public static final int NONCE_OFFSET = 8;
    public static final int NONCE_BYTES = 16;
    public static final int CODE_OFFSET = NONCE_OFFSET + NONCE_BYTES;
    public static final int CODE_BYTES = 32;
    public static final int PAYLOAD_BYTES = CODE_OFFSET + CODE_BYTES;

    /** Step of the handshake, in the header's flags. */
    public static final int OPEN = 1;

    public static final int ANSWER = 2;
    public static final int CONFIRM = 3;

    private Hello() {}

    /**
     * The code that proves knowledge of the key.
     *
     * @param key         session key
     * @param step        {@link #OPEN}, {@link #ANSWER} or {@link #CONFIRM}
     * @param epoch       epoch of the group
     * @param initiator   rank that opened the connection
     * @param acceptor    rank that accepted it
     * @param opened      the initiator's nonce
     * @param answered    the acceptor's nonce; null in {@link #OPEN}
     * @return {@link #CODE_BYTES} bytes
     */
    public static byte[] code(
            SessionKey key, int step, int epoch, int initiator, int acceptor, byte[] opened, byte[] answered) {
        ByteBuffer text = ByteBuffer.allocate(Integer.BYTES * 5 + NONCE_BYTES * 2);
        text.putInt(step).putInt(Frame.VERSION).putInt(epoch).putInt(initiator).putInt(acceptor);
        text.put(opened).put(answered == null ? new byte[NONCE_BYTES] : answered);
        return key.code(text.array());
    }

    /**
     * Writes a HELLO payload.
     *
     * @param payload buffer in little-endian order
     * @param at      index of the payload's first byte
     */
    public static void write(ByteBuffer payload, int at, byte[] nonce, byte[] code) {
        payload.putLong(at, 0);
        payload.put(at + VERSION_MIN_OFFSET, (byte) Frame.VERSION);
        payload.put(at + VERSION_MAX_OFFSET, (byte) Frame.VERSION);
        payload.put(at + NONCE_OFFSET, nonce);
        payload.put(at + CODE_OFFSET, code);
    }

    /** The nonce in a HELLO payload. */
    public static byte[] nonce(ByteBuffer payload, int at) {
        byte[] nonce = new byte[NONCE_BYTES];
        payload.get(at + NONCE_OFFSET, nonce);
        return nonce;
    }

    /** Whether a HELLO payload holds the expected code; takes the same time for every wrong one. */
    public static boolean proves(ByteBuffer payload, int at, byte[] expected) {
        byte[] code = new byte[CODE_BYTES];
        payload.get(at + CODE_OFFSET, code);
        return MessageDigest.isEqual(code, expected);
    }

    /** Whether the other end speaks a version this build speaks. */
    public static boolean versionFits(ByteBuffer payload, int at) {
        return (payload.get(at + VERSION_MIN_OFFSET) & 0xff) <= Frame.VERSION
                && (payload.get(at + VERSION_MAX_OFFSET) & 0xff) >= Frame.VERSION;
    }
}
