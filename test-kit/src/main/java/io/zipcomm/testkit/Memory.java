package io.zipcomm.testkit;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Memory of any kind that a user may pass, with a payload in the middle of it: filled and read byte by byte without help
 * of the library, and guarded on both sides.
 */
public final class Memory {

    private static final int BEFORE = 3;
    private static final int AFTER = 5;
    private static final byte GUARD = 0x5a;
    private static final long SPREAD = 0xbf58476d1ce4e5b9L;

    /** What the memory is. */
    public enum Kind {
        BYTES(1),
        INTS(Integer.BYTES),
        LONGS(Long.BYTES),
        FLOATS(Float.BYTES),
        DOUBLES(Double.BYTES),
        HEAP_BUFFER(1),
        DIRECT_BUFFER(1),
        AGRONA_HEAP(1),
        AGRONA_DIRECT(1),
        AGRONA_ADDRESS(1);

        private final int unit;

        Kind(int unit) {
            this.unit = unit;
        }

        /** Bytes in one element. */
        public int unit() {
            return unit;
        }

        /** Whether memory of this kind can hold so many bytes. */
        public boolean holds(long bytes) {
            return bytes % unit == 0;
        }

        private static final Kind[] ALL = values();

        /**
         * One that can hold so many bytes; the others follow with higher numbers.
         *
         * @param number not negative
         */
        public static Kind of(int number, long bytes) {
            Kind[] fitting =
                    Arrays.stream(ALL).filter(kind -> kind.holds(bytes)).toArray(Kind[]::new);
            return fitting[number % fitting.length];
        }
    }

    /** A buffer over an address that keeps the memory behind it alive. */
    private static final class BareAddress extends UnsafeBuffer {
        @SuppressWarnings("unused")
        private final ByteBuffer owner;

        BareAddress(ByteBuffer owner) {
            super(new UnsafeBuffer(owner).addressOffset(), owner.capacity());
            this.owner = owner;
        }
    }

    private final Object memory;
    private final Payload payload;
    private final int unit;
    private final int bytes;

    private Memory(Object memory, Payload payload, int unit, int bytes) {
        this.memory = memory;
        this.payload = payload;
        this.unit = unit;
        this.bytes = bytes;
    }

    /**
     * New memory, zeroed.
     *
     * @param kind  what it is
     * @param bytes a whole number of elements
     */
    public static Memory allocate(Kind kind, int bytes) {
        int all = bytes + (BEFORE + AFTER) * kind.unit;
        int count = bytes / kind.unit;
        Memory made = switch (kind) {
            case BYTES -> {
                byte[] array = new byte[all];
                yield new Memory(array, Payload.of(array, BEFORE, count), kind.unit, bytes);
            }
            case INTS -> {
                int[] array = new int[all / kind.unit];
                yield new Memory(array, Payload.of(array, BEFORE, count), kind.unit, bytes);
            }
            case LONGS -> {
                long[] array = new long[all / kind.unit];
                yield new Memory(array, Payload.of(array, BEFORE, count), kind.unit, bytes);
            }
            case FLOATS -> {
                float[] array = new float[all / kind.unit];
                yield new Memory(array, Payload.of(array, BEFORE, count), kind.unit, bytes);
            }
            case DOUBLES -> {
                double[] array = new double[all / kind.unit];
                yield new Memory(array, Payload.of(array, BEFORE, count), kind.unit, bytes);
            }
            case HEAP_BUFFER -> ofBuffer(ByteBuffer.allocate(all), bytes);
            case DIRECT_BUFFER -> ofBuffer(ByteBuffer.allocateDirect(all), bytes);
            case AGRONA_HEAP -> ofAgrona(ByteBuffer.allocate(all), new UnsafeBuffer(new byte[0]), bytes);
            case AGRONA_DIRECT -> ofAgrona(ByteBuffer.allocateDirect(all), new UnsafeBuffer(new byte[0]), bytes);
            case AGRONA_ADDRESS -> ofAddress(ByteBuffer.allocateDirect(all), bytes);
        };
        byte[] blank = new byte[all];
        Arrays.fill(blank, GUARD);
        Arrays.fill(blank, BEFORE * kind.unit, all - AFTER * kind.unit, (byte) 0);
        made.writeAll(blank);
        return made;
    }

    private static Memory ofBuffer(ByteBuffer buffer, int bytes) {
        buffer.position(BEFORE).limit(BEFORE + bytes);
        return new Memory(buffer, Payload.of(buffer), 1, bytes);
    }

    private static Memory ofAgrona(ByteBuffer buffer, UnsafeBuffer wrapper, int bytes) {
        wrapper.wrap(buffer);
        return new Memory(buffer, Payload.of(wrapper, BEFORE, bytes, DataType.INT8), 1, bytes);
    }

    private static Memory ofAddress(ByteBuffer buffer, int bytes) {
        UnsafeBuffer wrapper = new BareAddress(buffer);
        return new Memory(buffer, Payload.of(wrapper, BEFORE, bytes, DataType.INT8), 1, bytes);
    }

    /** The payload. */
    public Payload payload() {
        return payload;
    }

    /** Length of the payload in bytes. */
    public int bytes() {
        return bytes;
    }

    /** Fills the payload with bytes that depend on a number and on their index. */
    public Memory fill(long number) {
        return write(pattern(number, bytes));
    }

    /** The bytes that {@link #fill} writes. */
    public static byte[] pattern(long number, int bytes) {
        byte[] pattern = new byte[bytes];
        ByteBuffer words = ByteBuffer.wrap(pattern);
        long state = number * SPREAD + 1;
        while (words.remaining() >= Long.BYTES) {
            state ^= state << 13;
            state ^= state >>> 7;
            state ^= state << 17;
            words.putLong(state);
        }
        while (words.hasRemaining()) {
            words.put((byte) (state >>> (Byte.SIZE * words.remaining())));
        }
        return pattern;
    }

    /** Writes the payload's first bytes. */
    public Memory write(byte[] content) {
        byte[] all = readAll();
        System.arraycopy(content, 0, all, BEFORE * unit, content.length);
        writeAll(all);
        return this;
    }

    /** Reads the payload. */
    public byte[] read() {
        byte[] all = readAll();
        return Arrays.copyOfRange(all, BEFORE * unit, BEFORE * unit + bytes);
    }

    /** Whether nothing was written before and after the payload. */
    public boolean isIntact() {
        byte[] all = readAll();
        for (int i = 0; i < all.length; i++) {
            boolean outside = i < BEFORE * unit || i >= BEFORE * unit + bytes;
            if (outside && all[i] != GUARD) {
                return false;
            }
        }
        return true;
    }

    /**
     * What is wrong with the content.
     *
     * @param expected what the payload begins with; behind it nothing is expected
     * @return null if it is right and nothing was written around the payload
     */
    public String difference(byte[] expected) {
        if (!isIntact()) {
            return "memory around " + payload + " was written";
        }
        int at = Arrays.mismatch(expected, Arrays.copyOf(read(), expected.length));
        return at < 0 ? null : "byte " + at + " of " + expected.length + " in " + payload + " is wrong";
    }

    private byte[] readAll() {
        byte[] content = new byte[bytes + (BEFORE + AFTER) * unit];
        ByteBuffer all = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        if (memory instanceof ByteBuffer buffer) {
            all.put(buffer.duplicate().clear());
        } else if (memory instanceof byte[] array) {
            all.put(array);
        } else if (memory instanceof int[] array) {
            all.asIntBuffer().put(array);
        } else if (memory instanceof long[] array) {
            all.asLongBuffer().put(array);
        } else if (memory instanceof float[] array) {
            all.asFloatBuffer().put(array);
        } else {
            all.asDoubleBuffer().put((double[]) memory);
        }
        return content;
    }

    private void writeAll(byte[] content) {
        ByteBuffer all = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        if (memory instanceof ByteBuffer buffer) {
            buffer.duplicate().clear().put(all);
        } else if (memory instanceof byte[] array) {
            all.get(array);
        } else if (memory instanceof int[] array) {
            all.asIntBuffer().get(array);
        } else if (memory instanceof long[] array) {
            all.asLongBuffer().get(array);
        } else if (memory instanceof float[] array) {
            all.asFloatBuffer().get(array);
        } else {
            all.asDoubleBuffer().get((double[]) memory);
        }
    }
}
