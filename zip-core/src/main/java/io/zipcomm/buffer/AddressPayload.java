package io.zipcomm.buffer;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/** Payload over an Agrona buffer that wraps a bare address, or spreads over memory of its own. */
final class AddressPayload extends Payload {

    private final DirectBuffer buffer;
    private final int index;

    AddressPayload(DirectBuffer buffer, int index, int bytes, DataType type) {
        super(type, bytes);
        this.buffer = buffer;
        this.index = index;
    }

    @Override
    public boolean isReadOnly() {
        return !(buffer instanceof MutableDirectBuffer);
    }

    @Override
    public void copyOut(long offset, Segment to, int at, int length) {
        buffer.getBytes(index + (int) offset, to.bytes(), at, length);
    }

    @Override
    public void copyIn(long offset, Segment from, int at, int length) {
        if (!(buffer instanceof MutableDirectBuffer mutable)) {
            throw new ZipException(ErrorCode.BAD_ARGUMENT, "receiving into a read-only buffer");
        }
        mutable.putBytes(index + (int) offset, from.bytes(), at, length);
    }

    @Override
    protected Object owner() {
        return buffer;
    }

    @Override
    protected long ownerOffset() {
        return index;
    }
}
