package io.zipcomm.buffer;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.agrona.DirectBuffer;

/**
 * A view of memory that belongs to the caller, as typed elements: what operations send from and receive into.
 *
 * <p>A payload copies nothing when it is made and stays valid for as long as the memory does. The caller must leave the
 * memory alone from the start of an operation to its end: not write to what is being sent, not read what is being
 * received. Direct buffers are read and written by the transport itself; everything else costs one copy, in pieces that
 * stay in the processor's cache.
 *
 * <p>Elements travel in little-endian order. Arrays are converted to and from it (on little-endian machines that is a
 * plain copy); buffers are taken to hold little-endian elements, whatever their {@link ByteBuffer#order() order} says.
 *
 * <p>Lengths and offsets are in elements where the name says count or index, otherwise in bytes. Instances may be shared
 * between operations; using them is up to the library alone.
 */
public abstract class Payload {

    private final DataType type;
    private final long bytes;

    /**
     * For subclasses.
     *
     * @param type  type of the elements
     * @param bytes length of the memory, a multiple of the element's
     */
    protected Payload(DataType type, long bytes) {
        this.type = type;
        this.bytes = bytes;
    }

    /** Type of the elements. */
    public final DataType type() {
        return type;
    }

    /** Length in bytes. */
    public final long bytes() {
        return bytes;
    }

    /** Length in elements. */
    public final long count() {
        return bytes / type.bytes();
    }

    /**
     * The memory itself, if a transport can read and write it without a copy. Position and limit say nothing, not even
     * behind an operation that went well: a connection that broke meanwhile may have left any. Whoever uses it sets them first.
     *
     * @return a direct buffer whose byte 0 is this payload's byte 0 and whose position and limit its user sets, or null
     */
    public ByteBuffer direct() {
        return null;
    }

    /**
     * The array that holds the elements, if one of their own type does: {@code float[]} for FLOAT32, {@code short[]} for
     * FLOAT16. Copying from and to it is faster than through a segment.
     *
     * @return an array, or null
     */
    public Object array() {
        return null;
    }

    /** Index of this payload's first element in {@link #array}. */
    public int arrayIndex() {
        return 0;
    }

    /**
     * A view of the memory as elements, if it is a {@link ByteBuffer}'s: a {@link java.nio.FloatBuffer} for FLOAT32, a
     * {@link java.nio.ShortBuffer} for FLOAT16. Element 0 is this payload's first. Copying from and to it is faster than
     * through a segment.
     *
     * @return a view for absolute access, the same each time, or null
     */
    public Buffer elements() {
        return null;
    }

    /**
     * Copies from this payload.
     *
     * @param offset first byte in this payload, a multiple of the element's length
     * @param to     where to
     * @param at     first byte in {@code to}
     * @param length bytes, a multiple of the element's length
     */
    public abstract void copyOut(long offset, Segment to, int at, int length);

    /**
     * Copies into this payload, or combines with what it holds.
     *
     * @param offset first byte in this payload, a multiple of the element's length
     * @param from   where from
     * @param at     first byte in {@code from}
     * @param length bytes, a multiple of the element's length
     */
    public abstract void copyIn(long offset, Segment from, int at, int length);

    /**
     * What the memory belongs to, to find out whether two payloads overlap: an array, a buffer's address as a
     * {@link Long}, or anything else with identity.
     */
    protected abstract Object owner();

    /** First byte of this payload in its {@link #owner}. */
    protected abstract long ownerOffset();

    /** Whether {@link #copyIn} combines with what is there, so that what arrived cannot be read back. */
    public boolean isCombining() {
        return false;
    }

    /** Whether the memory is read-only. */
    public boolean isReadOnly() {
        return false;
    }

    /**
     * Whether this payload and another share memory. Exact for arrays, heap buffers and buffers over them; for direct
     * buffers by address.
     *
     * @param other another payload
     * @return true if at least one byte belongs to both
     */
    public final boolean overlaps(Payload other) {
        return bytes > 0
                && other.bytes > 0
                && owner() == other.owner()
                && ownerOffset() < other.ownerOffset() + other.bytes
                && other.ownerOffset() < ownerOffset() + bytes;
    }

    @Override
    public final String toString() {
        return count() + " " + type;
    }

    /** All of an array. */
    public static Payload of(float[] array) {
        return of(given(array), 0, array.length);
    }

    /** {@code count} elements of an array from {@code index}. */
    public static Payload of(float[] array, int index, int count) {
        return new ArrayPayload.Floats(given(array), check(index, count, array.length), count);
    }

    /** All of an array. */
    public static Payload of(double[] array) {
        return of(given(array), 0, array.length);
    }

    /** {@code count} elements of an array from {@code index}. */
    public static Payload of(double[] array, int index, int count) {
        return new ArrayPayload.Doubles(given(array), check(index, count, array.length), count);
    }

    /** All of an array. */
    public static Payload of(int[] array) {
        return of(given(array), 0, array.length);
    }

    /** {@code count} elements of an array from {@code index}. */
    public static Payload of(int[] array, int index, int count) {
        return new ArrayPayload.Ints(given(array), check(index, count, array.length), count);
    }

    /** All of an array. */
    public static Payload of(long[] array) {
        return of(given(array), 0, array.length);
    }

    /** {@code count} elements of an array from {@code index}. */
    public static Payload of(long[] array, int index, int count) {
        return new ArrayPayload.Longs(given(array), check(index, count, array.length), count);
    }

    /** All of an array of numbers in half precision, as {@link Float16} makes them. */
    public static Payload ofFloat16(short[] array) {
        return ofFloat16(given(array), 0, array.length);
    }

    /** {@code count} elements of an array of numbers in half precision from {@code index}. */
    public static Payload ofFloat16(short[] array, int index, int count) {
        return new ArrayPayload.Shorts(DataType.FLOAT16, given(array), check(index, count, array.length), count);
    }

    /** All of an array of numbers that are upper halves of floats, as {@link Bfloat16} makes them. */
    public static Payload ofBfloat16(short[] array) {
        return ofBfloat16(given(array), 0, array.length);
    }

    /** {@code count} elements of an array of numbers that are upper halves of floats from {@code index}. */
    public static Payload ofBfloat16(short[] array, int index, int count) {
        return new ArrayPayload.Shorts(DataType.BFLOAT16, given(array), check(index, count, array.length), count);
    }

    /** All of an array. */
    public static Payload of(byte[] array) {
        return of(given(array), 0, array.length);
    }

    /** {@code count} elements of an array from {@code index}. */
    public static Payload of(byte[] array, int index, int count) {
        return of(ByteBuffer.wrap(array), check(index, count, array.length), count, DataType.INT8);
    }

    /** The bytes between a buffer's position and limit; the buffer's own position and limit never change. */
    public static Payload of(ByteBuffer buffer) {
        return of(buffer, DataType.INT8);
    }

    /** The bytes between a buffer's position and limit, as little-endian elements of a type. */
    public static Payload of(ByteBuffer buffer, DataType type) {
        if (given(buffer).remaining() % type.bytes() != 0) {
            throw new ZipException(
                    ErrorCode.BAD_ARGUMENT, buffer.remaining() + " bytes are no whole number of " + type + " elements");
        }
        return of(buffer, buffer.position(), buffer.remaining() / type.bytes(), type);
    }

    /**
     * Part of a buffer, whatever its position and limit are.
     *
     * @param buffer heap or direct
     * @param index  first byte
     * @param count  elements of {@code type}
     * @param type   how to read the bytes, as little-endian
     */
    public static Payload of(ByteBuffer buffer, int index, int count, DataType type) {
        long length = (long) count * type.bytes();
        check(index, length, given(buffer).capacity());
        ByteBuffer view = buffer.duplicate().clear();
        String problem = length == 0 ? null : problem(view, index);
        if (problem != null) {
            throw new ZipException(ErrorCode.BAD_ARGUMENT, problem);
        }
        return new BufferPayload(view.slice(index, (int) length).order(ByteOrder.LITTLE_ENDIAN), buffer, index, type);
    }

    /**
     * Why the calling thread cannot use a buffer's memory, as when that was of an arena which is closed: native code would touch it
     * all the same.
     *
     * @param index of a byte in it
     * @return a phrase; null if it can
     */
    public static String problem(ByteBuffer buffer, int index) {
        try {
            buffer.get(index);
            return null;
        } catch (RuntimeException e) {
            return "the buffer's memory cannot be used: " + e.getMessage();
        }
    }

    /** All bytes of an Agrona buffer. */
    public static Payload of(DirectBuffer buffer) {
        return of(buffer, 0, given(buffer).capacity(), DataType.INT8);
    }

    /**
     * Part of an Agrona buffer. Receiving needs one that is mutable.
     *
     * @param buffer over any kind of memory
     * @param index  first byte
     * @param count  elements of {@code type}
     * @param type   how to read the bytes, as little-endian
     */
    public static Payload of(DirectBuffer buffer, int index, int count, DataType type) {
        long length = (long) count * type.bytes();
        check(index, length, given(buffer).capacity());
        if (buffer.byteBuffer() != null) {
            return of(buffer.byteBuffer(), buffer.wrapAdjustment() + index, count, type);
        }
        if (buffer.byteArray() != null) {
            return of(ByteBuffer.wrap(buffer.byteArray()), buffer.wrapAdjustment() + index, count, type);
        }
        return new AddressPayload(buffer, index, (int) length, type);
    }

    private static <T> T given(T memory) {
        if (memory == null) {
            throw new ZipException(ErrorCode.BAD_ARGUMENT, "no memory: null");
        }
        return memory;
    }

    private static int check(int index, long count, int length) {
        if (index < 0 || count < 0 || index > length - count) {
            throw new ZipException(
                    ErrorCode.BAD_ARGUMENT, "index " + index + ", count " + count + " in memory of length " + length);
        }
        return index;
    }

    /**
     * A payload of no elements.
     *
     * @param type type of the elements it does not have
     */
    public static Payload empty(DataType type) {
        return of(ByteBuffer.allocate(0), Objects.requireNonNull(type));
    }
}
