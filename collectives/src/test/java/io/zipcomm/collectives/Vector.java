package io.zipcomm.collectives;

import io.zipcomm.buffer.Bfloat16;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Float16;
import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.agrona.concurrent.UnsafeBuffer;

/** Elements of any type in memory of any kind, with guards around them, read and written as whole numbers. */
public final class Vector {

    /** What the memory is. */
    public enum Kind {
        ARRAY,
        HEAP_BUFFER,
        DIRECT_BUFFER,
        AGRONA_ADDRESS
    }

    private static final int BEFORE = 3;
    private static final int AFTER = 2;
    private static final byte GUARD = 0x6b;

    private final Payload payload;
    private final ByteBuffer memory; // null for arrays
    private final Object array; // null for the others

    private Vector(Payload payload, ByteBuffer memory, Object array) {
        this.payload = payload;
        this.memory = memory;
        this.array = array;
    }

    /** New memory for so many elements, zeroed. */
    public static Vector of(Kind kind, DataType type, int count) {
        if (kind == Kind.ARRAY) {
            return ofArray(type, count);
        }
        int bytes = BEFORE + count * type.bytes() + AFTER;
        ByteBuffer memory = kind == Kind.HEAP_BUFFER ? ByteBuffer.allocate(bytes) : ByteBuffer.allocateDirect(bytes);
        for (int i = 0; i < bytes; i++) {
            memory.put(i, i < BEFORE || i >= bytes - AFTER ? GUARD : 0);
        }
        Payload payload = kind == Kind.AGRONA_ADDRESS
                ? Payload.of(new UnsafeBuffer(new UnsafeBuffer(memory).addressOffset(), bytes), BEFORE, count, type)
                : Payload.of(memory, BEFORE, count, type);
        return new Vector(payload, memory.duplicate().order(ByteOrder.LITTLE_ENDIAN), null);
    }

    private static Vector ofArray(DataType type, int count) {
        int length = BEFORE + count + AFTER;
        Object array = switch (type) {
            case INT8 -> new byte[length];
            case FLOAT16, BFLOAT16 -> new short[length];
            case INT32 -> new int[length];
            case INT64 -> new long[length];
            case FLOAT32 -> new float[length];
            case FLOAT64 -> new double[length];
        };
        for (int i = 0; i < length; i++) {
            if (i < BEFORE || i >= BEFORE + count) {
                Array.setByte(array, i, GUARD);
            }
        }
        Payload payload = switch (type) {
            case INT8 -> Payload.of((byte[]) array, BEFORE, count);
            case FLOAT16 -> Payload.ofFloat16((short[]) array, BEFORE, count);
            case BFLOAT16 -> Payload.ofBfloat16((short[]) array, BEFORE, count);
            case INT32 -> Payload.of((int[]) array, BEFORE, count);
            case INT64 -> Payload.of((long[]) array, BEFORE, count);
            case FLOAT32 -> Payload.of((float[]) array, BEFORE, count);
            case FLOAT64 -> Payload.of((double[]) array, BEFORE, count);
        };
        return new Vector(payload, null, array);
    }

    /** The elements. */
    public Payload payload() {
        return payload;
    }

    /** Number of elements. */
    public int count() {
        return (int) payload.count();
    }

    /** Sets an element to a whole number, cut to its type. */
    public void set(int index, long value) {
        switch (payload.type()) {
            case FLOAT16 -> setBits(index, Float16.fromFloat((float) value));
            case BFLOAT16 -> setBits(index, Bfloat16.fromFloat((float) value));
            case FLOAT32 -> setBits(index, Float.floatToRawIntBits((float) value));
            case FLOAT64 -> setBits(index, Double.doubleToRawLongBits((double) value));
            default -> setBits(index, value);
        }
    }

    /** Sets an element's bits, cut to its type. */
    public void setBits(int index, long bits) {
        int at = BEFORE + index;
        if (array instanceof byte[] bytes) {
            bytes[at] = (byte) bits;
        } else if (array instanceof short[] shorts) {
            shorts[at] = (short) bits;
        } else if (array instanceof int[] ints) {
            ints[at] = (int) bits;
        } else if (array instanceof long[] longs) {
            longs[at] = bits;
        } else if (array instanceof float[] floats) {
            floats[at] = Float.intBitsToFloat((int) bits);
        } else if (array instanceof double[] doubles) {
            doubles[at] = Double.longBitsToDouble(bits);
        } else {
            setMemory(BEFORE + index * payload.type().bytes(), bits);
        }
    }

    private void setMemory(int at, long bits) {
        switch (payload.type()) {
            case INT8 -> memory.put(at, (byte) bits);
            case FLOAT16, BFLOAT16 -> memory.putShort(at, (short) bits);
            case INT32, FLOAT32 -> memory.putInt(at, (int) bits);
            case INT64, FLOAT64 -> memory.putLong(at, bits);
        }
    }

    /** All elements' bytes, little-endian. */
    public byte[] bytes() {
        byte[] content = new byte[(int) payload.bytes()];
        if (content.length > 0) {
            Segment segment = Segment.allocate((content.length + 7) / 8 * 8);
            payload.copyOut(0, segment, 0, content.length);
            segment.bytes().get(0, content);
        }
        return content;
    }

    /** All elements' bits. */
    public long[] bits() {
        byte[] content = bytes();
        long[] bits = new long[count()];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = bits(content, i);
        }
        return bits;
    }

    private long bits(byte[] content, int index) {
        ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        return switch (payload.type()) {
            case INT8 -> bytes.get(index);
            case FLOAT16, BFLOAT16 -> bytes.getShort(index * Short.BYTES);
            case INT32, FLOAT32 -> bytes.getInt(index * Integer.BYTES);
            case INT64, FLOAT64 -> bytes.getLong(index * Long.BYTES);
        };
    }

    /** All elements, which must be whole numbers. */
    public long[] values() {
        long[] values = bits();
        for (int i = 0; i < values.length; i++) {
            switch (payload.type()) {
                case INT8, INT32, INT64 -> {}
                case FLOAT16 -> values[i] = whole(Float16.toFloat((short) values[i]));
                case BFLOAT16 -> values[i] = whole(Bfloat16.toFloat((short) values[i]));
                case FLOAT32 -> values[i] = whole(Float.intBitsToFloat((int) values[i]));
                case FLOAT64 -> values[i] = whole(Double.longBitsToDouble(values[i]));
            }
        }
        return values;
    }

    private static long whole(double value) {
        return value == Math.rint(value) ? (long) value : Long.MIN_VALUE;
    }

    /** Whether nothing was written around the elements. */
    public boolean isIntact() {
        if (array != null) {
            int length = Array.getLength(array);
            for (int i = 0; i < length; i++) {
                if ((i < BEFORE || i >= length - AFTER) && Array.getDouble(widened(i), 0) != GUARD) {
                    return false;
                }
            }
            return true;
        }
        for (int i = 0; i < memory.capacity(); i++) {
            if ((i < BEFORE || i >= memory.capacity() - AFTER) && memory.get(i) != GUARD) {
                return false;
            }
        }
        return true;
    }

    private double[] widened(int index) {
        return new double[] {((Number) Array.get(array, index)).doubleValue()};
    }
}
