package io.zipcomm.relay;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.buffer.ByteBuf;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.ToRelay;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Cuts what a rank sends into CONTROL frames and reads their messages. */
final class ControlReader {

    private final int payloadBytesMax;
    private final ByteBuffer header = ByteBuffer.allocate(Frame.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int headerBytes;
    private byte[] payload;
    private int payloadBytes;

    ControlReader(int payloadBytesMax) {
        this.payloadBytesMax = payloadBytesMax;
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
            payload = new byte[payloadBytes()];
        }
        int count = Math.min(payload.length - payloadBytes, in.readableBytes());
        in.readBytes(payload, payloadBytes, count);
        payloadBytes += count;
        return payloadBytes < payload.length ? null : message();
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
            throw new Violation(
                    ErrorCode.LIMIT, "control message of " + bytes + " bytes, the limit is " + payloadBytesMax);
        }
        return bytes;
    }

    private ToRelay message() throws Violation {
        byte[] bytes = payload;
        payload = null;
        payloadBytes = 0;
        headerBytes = 0;
        try {
            return ToRelay.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new Violation(ErrorCode.PROTOCOL, "control message that does not parse");
        }
    }

    /** What came in breaks the protocol or a limit. */
    static final class Violation extends Exception {
        private final transient Refusal refusal;

        Violation(ErrorCode code, String reason) {
            super(reason, null, false, false);
            refusal = new Refusal(code, reason);
        }

        Refusal refusal() {
            return refusal;
        }
    }
}
