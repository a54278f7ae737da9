package io.zipcomm.relay;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.buffer.ByteBuf;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.ToRelay;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Cuts what a rank sends into CONTROL frames and reads their messages. */
final class ControlReader {

    private static final int FIRST_BYTES_MAX = 1 << 10;

    private int payloadBytesMax;
    private final ByteBuffer header = ByteBuffer.allocate(Frame.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int headerBytes;

    /** Null between messages; grows as the message comes in, so that nobody gets memory for a promise. */
    private byte[] payload;

    private int payloadLength;
    private int payloadBytes;

    ControlReader(int payloadBytesMax) {
        this.payloadBytesMax = payloadBytesMax;
    }

    /** Raises the limit, for messages that begin from now on, if it is lower. */
    void atLeast(int payloadBytes) {
        payloadBytesMax = Math.max(payloadBytesMax, payloadBytes);
    }

    /**
     * The next message.
     *
     * @param in read as far as needed
     * @return null if the message is not complete; then all of {@code in} has been read
     * @throws Violation if this is no control message
     */
    ToRelay next(ByteBuf in) throws Violation {
        if (payload == null) {
            int count = Math.min(Frame.HEADER_BYTES - headerBytes, in.readableBytes());
            in.readBytes(header.array(), headerBytes, count);
            headerBytes += count;
            if (headerBytes < Frame.HEADER_BYTES) {
                return null;
            }
            payloadLength = payloadBytes();
            payload = new byte[Math.min(payloadLength, FIRST_BYTES_MAX)];
        }
        int count = Math.min(payloadLength - payloadBytes, in.readableBytes());
        if (payloadBytes + count > payload.length) {
            payload = Arrays.copyOf(payload, Math.min(payloadLength, 2 * (payloadBytes + count)));
        }
        in.readBytes(payload, payloadBytes, count);
        payloadBytes += count;
        return payloadBytes < payloadLength ? null : message();
    }

    /** Memory that the message under way has. */
    int heldBytes() {
        return payload == null ? 0 : payload.length;
    }

    /** Forgets the message under way. Nothing may come in any more. */
    void clear() {
        payload = null;
    }

    private int payloadBytes() throws Violation {
        String problem = Frame.problem(header, 0);
        if (problem != null) {
            throw new Violation(ErrorCode.PROTOCOL, problem);
        }
        FrameType type = FrameType.of(Frame.type(header, 0));
        if (type != FrameType.CONTROL) {
            throw new Violation(ErrorCode.PROTOCOL, type + " frame where a CONTROL frame is expected");
        }
        int bytes = Frame.payloadBytes(header, 0);
        if (bytes > payloadBytesMax) {
            throw new Violation(Refusal.limit(
                    RelayOption.CONTROL_BYTES_MAX,
                    "control message of " + bytes + " bytes, the limit is " + payloadBytesMax));
        }
        return bytes;
    }

    private ToRelay message() throws Violation {
        byte[] bytes = payload;
        int length = payloadLength;
        payload = null;
        payloadBytes = 0;
        headerBytes = 0;
        try {
            return ToRelay.parser().parseFrom(bytes, 0, length);
        } catch (InvalidProtocolBufferException e) {
            throw new Violation(ErrorCode.PROTOCOL, "control message that does not parse");
        }
    }

    /** What came in breaks the protocol or a limit. */
    static final class Violation extends Exception {
        private final transient Refusal refusal;

        Violation(ErrorCode code, String reason) {
            this(new Refusal(code, reason));
        }

        Violation(Refusal refusal) {
            super(refusal.reason(), null, false, false);
            this.refusal = refusal;
        }

        Refusal refusal() {
            return refusal;
        }
    }
}
