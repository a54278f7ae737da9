package io.zipcomm.buffer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;

/**
 * A piece of direct memory with views of every element type made once, so that moving data between it and an array
 * allocates nothing. Little-endian. One thread at a time.
 *
 * <p>Absolute addressing only: neither the bytes nor the views have a meaningful position.
 */
public final class Segment {

    private final ByteBuffer bytes;
    private final ShortBuffer shorts;
    private final IntBuffer ints;
    private final LongBuffer longs;
    private final FloatBuffer floats;
    private final DoubleBuffer doubles;

    /** Views of what begins at byte 1, 2, ... 7, made when they are needed first. */
    private final Segment[] shifted = new Segment[Long.BYTES];

    private Segment(ByteBuffer bytes) {
        this.bytes = bytes;
        shorts = bytes.asShortBuffer();
        ints = bytes.asIntBuffer();
        longs = bytes.asLongBuffer();
        floats = bytes.asFloatBuffer();
        doubles = bytes.asDoubleBuffer();
    }

    /**
     * New direct memory.
     *
     * @param capacity bytes, a positive multiple of 8
     * @return a segment whose memory is freed when it is no longer reachable
     */
    public static Segment allocate(int capacity) {
        if (capacity <= 0 || capacity % Long.BYTES != 0) {
            throw new IllegalArgumentException("capacity " + capacity + " is not a positive multiple of 8");
        }
        return new Segment(ByteBuffer.allocateDirect(capacity).order(ByteOrder.LITTLE_ENDIAN));
    }

    /**
     * Direct memory that is there already, such as a mapped file. It must stay mapped for as long as the segment is used.
     *
     * @param memory a direct buffer; all of it, whatever its position and limit are
     * @return a segment over the same memory
     */
    public static Segment of(ByteBuffer memory) {
        if (!memory.isDirect()) {
            throw new IllegalArgumentException("memory on the heap");
        }
        return new Segment(memory.duplicate().clear().order(ByteOrder.LITTLE_ENDIAN));
    }

    /**
     * Size of this segment.
     *
     * @return bytes
     */
    public int capacity() {
        return bytes.capacity();
    }

    /** The memory. Callers use absolute access, or set position and limit before each use. */
    public ByteBuffer bytes() {
        return bytes;
    }

    /** The memory as 16-bit words: element {@code i} is at byte {@code 2 * i}. */
    public ShortBuffer shorts() {
        return shorts;
    }

    /** The memory as 32-bit integers: element {@code i} is at byte {@code 4 * i}. */
    public IntBuffer ints() {
        return ints;
    }

    /** The memory as 64-bit integers: element {@code i} is at byte {@code 8 * i}. */
    public LongBuffer longs() {
        return longs;
    }

    /** The memory as single-precision numbers: element {@code i} is at byte {@code 4 * i}. */
    public FloatBuffer floats() {
        return floats;
    }

    /** The memory as double-precision numbers: element {@code i} is at byte {@code 8 * i}. */
    public DoubleBuffer doubles() {
        return doubles;
    }

    /** The memory as 16-bit words, so that element {@code at / 2} is at byte {@code at}, which may be any. */
    public ShortBuffer shorts(int at) {
        return shifted(at % Short.BYTES).shorts;
    }

    /** The memory as 32-bit integers, so that element {@code at / 4} is at byte {@code at}, which may be any. */
    public IntBuffer ints(int at) {
        return shifted(at % Integer.BYTES).ints;
    }

    /** The memory as 64-bit integers, so that element {@code at / 8} is at byte {@code at}, which may be any. */
    public LongBuffer longs(int at) {
        return shifted(at % Long.BYTES).longs;
    }

    /** The memory as single-precision numbers, so that element {@code at / 4} is at byte {@code at}, which may be any. */
    public FloatBuffer floats(int at) {
        return shifted(at % Float.BYTES).floats;
    }

    /** The memory as double-precision numbers, so that element {@code at / 8} is at byte {@code at}, which may be any. */
    public DoubleBuffer doubles(int at) {
        return shifted(at % Double.BYTES).doubles;
    }

    private Segment shifted(int by) {
        if (by == 0) {
            return this;
        }
        Segment view = shifted[by];
        if (view == null) {
            view = new Segment(bytes.slice(by, capacity() - by).order(ByteOrder.LITTLE_ENDIAN));
            shifted[by] = view;
        }
        return view;
    }
}
