package io.zipcomm.buffer;

import java.nio.Buffer;
import java.nio.ByteBuffer;

/** Payload over a {@link ByteBuffer} or a byte array. */
final class BufferPayload extends Payload {

    private final ByteBuffer view;

    /** The same memory for the transport, which sets position and limit: copies must not depend on them. */
    private final ByteBuffer direct;

    /** Made when asked for first; any thread's is as good as another's. */
    private Buffer elements;

    private final Object owner;
    private final long ownerOffset;

    /**
     * @param view   exactly the payload's bytes, little-endian
     * @param buffer what {@code view} is a slice of, from {@code index}
     */
    BufferPayload(ByteBuffer view, ByteBuffer buffer, int index, DataType type) {
        super(type, view.capacity());
        this.view = view;
        direct = view.isDirect() ? view.duplicate().order(view.order()) : null;
        boolean array = buffer.hasArray();
        long address = view.isDirect() ? DirectMemory.address(view) : 0;
        // Memory of which nobody knows where it is overlaps with itself alone.
        owner = array ? buffer.array() : address != 0 ? DirectMemory.class : view;
        ownerOffset = array ? buffer.arrayOffset() + index : address;
    }

    @Override
    public ByteBuffer direct() {
        return direct;
    }

    @Override
    public Object array() {
        return type() == DataType.INT8 && view.hasArray() ? view.array() : null;
    }

    @Override
    public int arrayIndex() {
        return view.hasArray() ? view.arrayOffset() : 0;
    }

    @Override
    public Buffer elements() {
        Buffer made = elements;
        if (made == null) {
            made = switch (type()) {
                case INT8 -> view;
                case FLOAT16, BFLOAT16 -> view.asShortBuffer();
                case INT32 -> view.asIntBuffer();
                case INT64 -> view.asLongBuffer();
                case FLOAT32 -> view.asFloatBuffer();
                case FLOAT64 -> view.asDoubleBuffer();
            };
            elements = made;
        }
        return made;
    }

    @Override
    public boolean isReadOnly() {
        return view.isReadOnly();
    }

    @Override
    public void copyOut(long offset, Segment to, int at, int length) {
        to.bytes().put(at, view, (int) offset, length);
    }

    @Override
    public void copyIn(long offset, Segment from, int at, int length) {
        view.put((int) offset, from.bytes(), at, length);
    }

    @Override
    protected Object owner() {
        return owner;
    }

    @Override
    protected long ownerOffset() {
        return ownerOffset;
    }
}
