package io.zipcomm.transport.rdma;

import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;

/**
 * Layout of the messages between two endpoints, and accessors on a buffer that holds one. Little-endian, as frames are. What a message
 * says of itself is believed only if it has the token of the path that its source names.
 */
final class Message {

    /*
     *   0       1       2               4                               8
     *  +---------------------------------------------------------------+
     *  |                             token                             |
     *  +-------+-------+---------------+-------------------------------+  8
     *  | kind  |   0   |    number     |           consumed            |
     *  +-------+-------+---------------+-------------------------------+  16
     *  |            pulled             |            source             |
     *  +-------------------------------+-------------------------------+  24
     *  |  FRAME: header and payload. PULL: header and place            |
     *  |  MOVED: place and pull. HELLO: a HELLO frame                  |
     */
    static final int TOKEN_OFFSET = 0;
    static final int KIND_OFFSET = TOKEN_OFFSET + Long.BYTES;
    static final int NUMBER_OFFSET = KIND_OFFSET + Short.BYTES;
    static final int CONSUMED_OFFSET = NUMBER_OFFSET + Short.BYTES;
    static final int PULLED_OFFSET = CONSUMED_OFFSET + Integer.BYTES;
    static final int SOURCE_OFFSET = PULLED_OFFSET + Integer.BYTES;

    /** Where what depends on the kind begins. */
    static final int BODY_OFFSET = SOURCE_OFFSET + Integer.BYTES;

    /** Bytes of a message without a body. */
    static final int HEADER_BYTES = BODY_OFFSET;

    // FRAME and PULL.

    static final int PAYLOAD_OFFSET = BODY_OFFSET + Frame.HEADER_BYTES;
    static final int PULL_ADDRESS_OFFSET = PAYLOAD_OFFSET;
    static final int PULL_KEY_OFFSET = PULL_ADDRESS_OFFSET + Long.BYTES;
    static final int PULL_BYTES = PULL_KEY_OFFSET + Long.BYTES;

    // MOVED.

    static final int MOVED_ADDRESS_OFFSET = BODY_OFFSET;
    static final int MOVED_KEY_OFFSET = MOVED_ADDRESS_OFFSET + Long.BYTES;
    static final int MOVED_PULL_OFFSET = MOVED_KEY_OFFSET + Long.BYTES;
    static final int MOVED_BYTES = MOVED_PULL_OFFSET + Integer.BYTES;

    // Kinds.

    /** A step of the handshake. The only one without a token. */
    static final int HELLO = 1;

    /** A frame. */
    static final int FRAME = 2;

    /** A frame whose payload is to be read from where this message says. */
    static final int PULL = 3;

    /** The payload of an earlier {@link #PULL} lies elsewhere now: what was read after this came in is not it. */
    static final int MOVED = 4;

    /** Counts, and nothing else. */
    static final int DONE = 5;

    /** There will be no further frame. */
    static final int END = 6;

    /** The path is over: nothing of the sender's memory may be relied on any more. */
    static final int LEAVE = 7;

    private Message() {}

    /** Whether messages of a kind are counted, since they may have to wait where they arrive. */
    static boolean isCounted(int kind) {
        return (kind >= FRAME && kind <= MOVED) || kind == END;
    }

    /** Writes what every message has. */
    static void begin(ByteBuffer message, int at, long token, int kind, int source) {
        message.putLong(at + TOKEN_OFFSET, token);
        message.putInt(at + KIND_OFFSET, kind);
        message.putLong(at + CONSUMED_OFFSET, 0);
        message.putInt(at + SOURCE_OFFSET, source);
    }

    static long token(ByteBuffer message, int at) {
        return message.getLong(at + TOKEN_OFFSET);
    }

    static int kind(ByteBuffer message, int at) {
        return message.get(at + KIND_OFFSET) & 0xff;
    }

    /** Which one it is of the messages on its path that are counted, or how many went before: the lower half. */
    static int number(ByteBuffer message, int at) {
        return message.getShort(at + NUMBER_OFFSET) & 0xffff;
    }

    static void number(ByteBuffer message, int at, int number) {
        message.putShort(at + NUMBER_OFFSET, (short) number);
    }

    /** How many counted messages of the other direction have been handled, ever; wraps. */
    static int consumed(ByteBuffer message, int at) {
        return message.getInt(at + CONSUMED_OFFSET);
    }

    /** How many payloads of the other direction have been read, ever; wraps. */
    static int pulled(ByteBuffer message, int at) {
        return message.getInt(at + PULLED_OFFSET);
    }

    static void counts(ByteBuffer message, int at, int consumed, int pulled) {
        message.putInt(at + CONSUMED_OFFSET, consumed);
        message.putInt(at + PULLED_OFFSET, pulled);
    }

    /** Rank in the world. */
    static int source(ByteBuffer message, int at) {
        return message.getInt(at + SOURCE_OFFSET);
    }
}
