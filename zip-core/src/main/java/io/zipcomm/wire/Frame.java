package io.zipcomm.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Layout of the header that precedes every frame, and accessors on a buffer that holds one.
 *
 * <p>All fields are little-endian; buffers handed to the accessors must have that order. The accessors never move the
 * buffer's position and check no more than the buffer's own bounds: {@link #problem} is the check to make on input.
 */
public final class Frame {

    /*
     *   0       1       2               4                               8
     *  +-------+-------+---------------+-------------------------------+
     *  |version| type  |     flags     |         payload bytes         |
     *  +-------+-------+---------------+-------------------------------+  8
     *  |             epoch             |            context            |
     *  +-------------------------------+-------------------------------+  16
     *  |            source             |          destination          |
     *  +-------------------------------+-------------------------------+  24
     *  |                           sequence                            |
     *  +---------------------------------------------------------------+  32
     *  |              tag (in DATA: offset in the message)             |
     *  +---------------------------------------------------------------+  40
     *  |                            credit                             |
     *  +---------------------------------------------------------------+  48
     *  |                         message bytes                         |
     *  +-------------------------------+-------------------------------+  56
     *  |            transfer           |           signature           |
     *  +-------------------------------+-------------------------------+  64
     */
    public static final int VERSION_OFFSET = 0;
    public static final int TYPE_OFFSET = VERSION_OFFSET + Byte.BYTES;
    public static final int FLAGS_OFFSET = TYPE_OFFSET + Byte.BYTES;
    public static final int PAYLOAD_BYTES_OFFSET = FLAGS_OFFSET + Short.BYTES;
    public static final int EPOCH_OFFSET = PAYLOAD_BYTES_OFFSET + Integer.BYTES;
    public static final int CONTEXT_OFFSET = EPOCH_OFFSET + Integer.BYTES;
    public static final int SOURCE_OFFSET = CONTEXT_OFFSET + Integer.BYTES;
    public static final int DESTINATION_OFFSET = SOURCE_OFFSET + Integer.BYTES;
    public static final int SEQUENCE_OFFSET = DESTINATION_OFFSET + Integer.BYTES;
    public static final int TAG_OFFSET = SEQUENCE_OFFSET + Long.BYTES;
    public static final int CREDIT_OFFSET = TAG_OFFSET + Long.BYTES;
    public static final int MESSAGE_BYTES_OFFSET = CREDIT_OFFSET + Long.BYTES;
    public static final int TRANSFER_OFFSET = MESSAGE_BYTES_OFFSET + Long.BYTES;
    public static final int SIGNATURE_OFFSET = TRANSFER_OFFSET + Integer.BYTES;

    /** Bytes in a header, whatever the type. */
    public static final int HEADER_BYTES = SIGNATURE_OFFSET + Integer.BYTES;

    /** The version this build writes, and the only one it reads. */
    public static final int VERSION = 1;

    /** No frame carries more payload than this, on any connection. */
    public static final int PAYLOAD_BYTES_MAX = 4 << 20;

    /** Bytes of authentication behind what a SEALED frame holds. */
    public static final int SEAL_BYTES = 16;

    /** By how much the payload of a SEALED frame is longer than that of the frame in it. */
    public static final int SEALED_BYTES = HEADER_BYTES + SEAL_BYTES;

    private Frame() {}

    /**
     * Zeroes a header and sets what every frame has. The remaining fields are set one by one.
     *
     * @param header buffer in little-endian order
     * @param at     index of the header's first byte
     * @param type   kind of frame
     */
    public static void begin(ByteBuffer header, int at, FrameType type) {
        header.putLong(at, VERSION | ((long) type.number() << Byte.SIZE));
        for (int i = Long.BYTES; i < HEADER_BYTES; i += Long.BYTES) {
            header.putLong(at + i, 0);
        }
    }

    public static int version(ByteBuffer header, int at) {
        return header.get(at + VERSION_OFFSET) & 0xff;
    }

    /** The type's number; {@link FrameType#of} gives the type. */
    public static int type(ByteBuffer header, int at) {
        return header.get(at + TYPE_OFFSET) & 0xff;
    }

    public static int flags(ByteBuffer header, int at) {
        return header.getShort(at + FLAGS_OFFSET) & 0xffff;
    }

    public static void flags(ByteBuffer header, int at, int flags) {
        header.putShort(at + FLAGS_OFFSET, (short) flags);
    }

    public static int payloadBytes(ByteBuffer header, int at) {
        return header.getInt(at + PAYLOAD_BYTES_OFFSET);
    }

    public static void payloadBytes(ByteBuffer header, int at, int bytes) {
        header.putInt(at + PAYLOAD_BYTES_OFFSET, bytes);
    }

    public static int epoch(ByteBuffer header, int at) {
        return header.getInt(at + EPOCH_OFFSET);
    }

    public static void epoch(ByteBuffer header, int at, int epoch) {
        header.putInt(at + EPOCH_OFFSET, epoch);
    }

    /** The communicator the frame belongs to: 0 is the world. */
    public static int context(ByteBuffer header, int at) {
        return header.getInt(at + CONTEXT_OFFSET);
    }

    public static void context(ByteBuffer header, int at, int context) {
        header.putInt(at + CONTEXT_OFFSET, context);
    }

    /** Sender's rank in the world. */
    public static int source(ByteBuffer header, int at) {
        return header.getInt(at + SOURCE_OFFSET);
    }

    public static void source(ByteBuffer header, int at, int rank) {
        header.putInt(at + SOURCE_OFFSET, rank);
    }

    /** Receiver's rank in the world. */
    public static int destination(ByteBuffer header, int at) {
        return header.getInt(at + DESTINATION_OFFSET);
    }

    public static void destination(ByteBuffer header, int at, int rank) {
        header.putInt(at + DESTINATION_OFFSET, rank);
    }

    /** Number of this frame among the link frames from source to destination, from 1. */
    public static long sequence(ByteBuffer header, int at) {
        return header.getLong(at + SEQUENCE_OFFSET);
    }

    public static void sequence(ByteBuffer header, int at, long sequence) {
        header.putLong(at + SEQUENCE_OFFSET, sequence);
    }

    /** What the receiver asks for; in a CLEAR that answers a REQUEST, the sender's number for the message. */
    public static long tag(ByteBuffer header, int at) {
        return header.getLong(at + TAG_OFFSET);
    }

    public static void tag(ByteBuffer header, int at, long tag) {
        header.putLong(at + TAG_OFFSET, tag);
    }

    /** In DATA and PART: index of the payload's first byte in the message. Shares its place with the tag. */
    public static long offset(ByteBuffer header, int at) {
        return header.getLong(at + TAG_OFFSET);
    }

    public static void offset(ByteBuffer header, int at, long offset) {
        header.putLong(at + TAG_OFFSET, offset);
    }

    /**
     * Bytes that the sender of this frame has released since the group began, of what the receiver sent it. ACK, RESUME: the
     * highest sequence of a frame that its sender has received whole. In GRANT: up
     * to where a contribution may be sent.
     */
    public static long credit(ByteBuffer header, int at) {
        return header.getLong(at + CREDIT_OFFSET);
    }

    public static void credit(ByteBuffer header, int at, long bytes) {
        header.putLong(at + CREDIT_OFFSET, bytes);
    }

    /**
     * Length of the whole message: the one under way, or in CLEAR the one awaited. RESUME: bytes that came in of the payload of
     * the frame that was under way.
     */
    public static long messageBytes(ByteBuffer header, int at) {
        return header.getLong(at + MESSAGE_BYTES_OFFSET);
    }

    public static void messageBytes(ByteBuffer header, int at, long bytes) {
        header.putLong(at + MESSAGE_BYTES_OFFSET, bytes);
    }

    /**
     * REQUEST: the sender's number for the message. CLEAR, DATA: the receiver's number for its buffer. CANCEL: one or the
     * other, as its flags say. RESUME: which one it is, from 1. Between a rank and the
     * hub: the rank's number for the operation.
     */
    public static int transfer(ByteBuffer header, int at) {
        return header.getInt(at + TRANSFER_OFFSET);
    }

    public static void transfer(ByteBuffer header, int at, int transfer) {
        header.putInt(at + TRANSFER_OFFSET, transfer);
    }

    /** What operation the message is part of, so that ranks running different ones find out; 0 for none. */
    public static int signature(ByteBuffer header, int at) {
        return header.getInt(at + SIGNATURE_OFFSET);
    }

    public static void signature(ByteBuffer header, int at, int signature) {
        header.putInt(at + SIGNATURE_OFFSET, signature);
    }

    /**
     * Of EAGER and DATA, where payloads carry checksums: the CRC32C of this frame's payload. It shares its place with what the
     * type does not need: in EAGER with the transfer, in DATA with the signature, which its REQUEST or CLEAR had.
     */
    public static int checksum(ByteBuffer header, int at) {
        return header.getInt(at + checksumOffset(header, at));
    }

    public static void checksum(ByteBuffer header, int at, int checksum) {
        header.putInt(at + checksumOffset(header, at), checksum);
    }

    private static int checksumOffset(ByteBuffer header, int at) {
        return type(header, at) == FrameType.EAGER.number() ? TRANSFER_OFFSET : SIGNATURE_OFFSET;
    }

    /**
     * Checks everything about a header that can be checked without knowing the connection it came on.
     *
     * @param header buffer in little-endian order that holds a whole header
     * @param at     index of the header's first byte
     * @return null if the header is well formed, otherwise what is wrong with it
     */
    public static String problem(ByteBuffer header, int at) {
        if (version(header, at) != VERSION) {
            return "frame version " + version(header, at) + ", expected " + VERSION;
        }
        FrameType type = FrameType.of(type(header, at));
        if (type == null) {
            return "unknown frame type " + type(header, at);
        }
        int payloadBytes = payloadBytes(header, at);
        if (payloadBytes < 0 || payloadBytes > PAYLOAD_BYTES_MAX) {
            return type + " frame of " + payloadBytes + " payload bytes, allowed 0 to " + PAYLOAD_BYTES_MAX;
        }
        long messageBytes = messageBytes(header, at);
        return switch (type) {
            case EAGER ->
                messageBytes == payloadBytes
                        ? null
                        : "EAGER frame of " + payloadBytes + " payload bytes for a message of " + messageBytes;
            case DATA -> payloadBytes == 0 ? "DATA frame without payload" : inside(type, header, at);
            case PART ->
                payloadBytes == 0 && messageBytes > 0 ? "PART frame without payload" : inside(type, header, at);
            case ENTER ->
                payloadBytes % Integer.BYTES == 0 && messageBytes >= 0
                        ? null
                        : "ENTER frame with a payload of " + payloadBytes + " bytes for a message of " + messageBytes;
            case REQUEST -> noPayload(type, payloadBytes, messageBytes);
            case CLEAR -> noPayload(type, payloadBytes, messageBytes);
            case CREDIT, SWITCH, BYE, PROBE, CANCEL, FLOW, ACK, PING, PONG, GRANT, WITHDRAW, RESET ->
                noPayload(type, payloadBytes, 0);
            case RESUME -> noPayload(type, payloadBytes, messageBytes);
            case HELLO -> payloadBytes == Hello.PAYLOAD_BYTES ? null : "HELLO frame of " + payloadBytes + " bytes";
            case SEALED ->
                payloadBytes >= SEALED_BYTES
                        ? null
                        : "SEALED frame of " + payloadBytes + " bytes, expected at least " + SEALED_BYTES;
            case CONTROL, REST, VERDICT -> null;
        };
    }

    private static String inside(FrameType type, ByteBuffer header, int at) {
        int payloadBytes = payloadBytes(header, at);
        long offset = offset(header, at);
        long messageBytes = messageBytes(header, at);
        boolean inside = offset >= 0 && messageBytes >= 0 && offset <= messageBytes - payloadBytes;
        return inside ? null : type + " frame of " + payloadBytes + " bytes at " + offset + " of " + messageBytes;
    }

    private static String noPayload(FrameType type, int payloadBytes, long messageBytes) {
        if (payloadBytes != 0) {
            return type + " frame with a payload of " + payloadBytes + " bytes";
        }
        return messageBytes >= 0 ? null : type + " frame for a message of " + messageBytes + " bytes";
    }

    /**
     * One line for logs and errors.
     *
     * @param header buffer in little-endian order that holds a whole header
     * @param at     index of the header's first byte
     * @return type, ranks, sequence and lengths
     */
    public static String describe(ByteBuffer header, int at) {
        return FrameType.of(type(header, at)) + " from " + source(header, at) + " to " + destination(header, at)
                + " epoch " + epoch(header, at) + " context " + context(header, at) + " sequence "
                + sequence(header, at) + " tag " + Long.toHexString(tag(header, at)) + " message "
                + messageBytes(header, at) + " payload " + payloadBytes(header, at);
    }

    /**
     * A buffer fit for the accessors.
     *
     * @param bytes capacity
     * @return a direct little-endian buffer
     */
    public static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
