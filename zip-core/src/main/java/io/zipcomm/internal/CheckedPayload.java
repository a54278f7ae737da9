package io.zipcomm.internal;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import java.util.zip.CRC32C;

/** Takes the checksum of what arrives for a payload that combines, as it comes and before it is combined. Engine holder only. */
final class CheckedPayload extends Payload {

    /** Longer than any message. */
    private static final long BYTES_MAX = 1L << 62;

    private final CRC32C crc = new CRC32C();

    /** Null between frames. */
    private Payload target;

    CheckedPayload(DataType type) {
        super(type, BYTES_MAX);
    }

    /** A frame begins whose payload goes to {@code payload}. */
    void begin(Payload payload) {
        target = payload;
        crc.reset();
    }

    /** The frame is over, and its payload the caller's again. Answers the checksum of what came since it began. */
    int end() {
        target = null;
        return (int) crc.getValue();
    }

    @Override
    public void copyIn(long offset, Segment from, int at, int length) {
        PayloadChecksum.update(crc, from.bytes(), at, length);
        target.copyIn(offset, from, at, length);
    }

    @Override
    public void copyOut(long offset, Segment to, int at, int length) {
        target.copyOut(offset, to, at, length);
    }

    @Override
    public boolean isCombining() {
        return true;
    }

    @Override
    protected Object owner() {
        return this;
    }

    @Override
    protected long ownerOffset() {
        return 0;
    }
}
