package io.zipcomm.buffer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Payloads over arrays of numbers wider than a byte. Bulk copies through the segment's own views where the byte position
 * is a multiple of the element's length; elsewhere through a view made for the copy.
 */
abstract class ArrayPayload extends Payload {

    private final int index;

    private ArrayPayload(DataType type, int index, int count) {
        super(type, (long) count * type.bytes());
        this.index = index;
    }

    @Override
    protected final long ownerOffset() {
        return (long) index * type().bytes();
    }

    @Override
    public final Object array() {
        return owner();
    }

    @Override
    public final int arrayIndex() {
        return index;
    }

    /** Position in the array of the element at a byte offset of the payload. */
    final int element(long offset) {
        return index + (int) (offset / type().bytes());
    }

    private static ByteBuffer unaligned(Segment segment, int at, int length) {
        return segment.bytes().slice(at, length).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** 16-bit numbers of either kind. */
    static final class Shorts extends ArrayPayload {
        private final short[] array;

        Shorts(DataType type, short[] array, int index, int count) {
            super(type, index, count);
            this.array = array;
        }

        @Override
        protected Object owner() {
            return array;
        }

        @Override
        public void copyOut(long offset, Segment to, int at, int length) {
            int count = length / Short.BYTES;
            if (at % Short.BYTES == 0) {
                to.shorts().put(at / Short.BYTES, array, element(offset), count);
            } else {
                unaligned(to, at, length).asShortBuffer().put(array, element(offset), count);
            }
        }

        @Override
        public void copyIn(long offset, Segment from, int at, int length) {
            int count = length / Short.BYTES;
            if (at % Short.BYTES == 0) {
                from.shorts().get(at / Short.BYTES, array, element(offset), count);
            } else {
                unaligned(from, at, length).asShortBuffer().get(array, element(offset), count);
            }
        }
    }

    static final class Floats extends ArrayPayload {
        private final float[] array;

        Floats(float[] array, int index, int count) {
            super(DataType.FLOAT32, index, count);
            this.array = array;
        }

        @Override
        protected Object owner() {
            return array;
        }

        @Override
        public void copyOut(long offset, Segment to, int at, int length) {
            int count = length / Float.BYTES;
            if (at % Float.BYTES == 0) {
                to.floats().put(at / Float.BYTES, array, element(offset), count);
            } else {
                unaligned(to, at, length).asFloatBuffer().put(array, element(offset), count);
            }
        }

        @Override
        public void copyIn(long offset, Segment from, int at, int length) {
            int count = length / Float.BYTES;
            if (at % Float.BYTES == 0) {
                from.floats().get(at / Float.BYTES, array, element(offset), count);
            } else {
                unaligned(from, at, length).asFloatBuffer().get(array, element(offset), count);
            }
        }
    }

    static final class Doubles extends ArrayPayload {
        private final double[] array;

        Doubles(double[] array, int index, int count) {
            super(DataType.FLOAT64, index, count);
            this.array = array;
        }

        @Override
        protected Object owner() {
            return array;
        }

        @Override
        public void copyOut(long offset, Segment to, int at, int length) {
            int count = length / Double.BYTES;
            if (at % Double.BYTES == 0) {
                to.doubles().put(at / Double.BYTES, array, element(offset), count);
            } else {
                unaligned(to, at, length).asDoubleBuffer().put(array, element(offset), count);
            }
        }

        @Override
        public void copyIn(long offset, Segment from, int at, int length) {
            int count = length / Double.BYTES;
            if (at % Double.BYTES == 0) {
                from.doubles().get(at / Double.BYTES, array, element(offset), count);
            } else {
                unaligned(from, at, length).asDoubleBuffer().get(array, element(offset), count);
            }
        }
    }

    static final class Ints extends ArrayPayload {
        private final int[] array;

        Ints(int[] array, int index, int count) {
            super(DataType.INT32, index, count);
            this.array = array;
        }

        @Override
        protected Object owner() {
            return array;
        }

        @Override
        public void copyOut(long offset, Segment to, int at, int length) {
            int count = length / Integer.BYTES;
            if (at % Integer.BYTES == 0) {
                to.ints().put(at / Integer.BYTES, array, element(offset), count);
            } else {
                unaligned(to, at, length).asIntBuffer().put(array, element(offset), count);
            }
        }

        @Override
        public void copyIn(long offset, Segment from, int at, int length) {
            int count = length / Integer.BYTES;
            if (at % Integer.BYTES == 0) {
                from.ints().get(at / Integer.BYTES, array, element(offset), count);
            } else {
                unaligned(from, at, length).asIntBuffer().get(array, element(offset), count);
            }
        }
    }

    static final class Longs extends ArrayPayload {
        private final long[] array;

        Longs(long[] array, int index, int count) {
            super(DataType.INT64, index, count);
            this.array = array;
        }

        @Override
        protected Object owner() {
            return array;
        }

        @Override
        public void copyOut(long offset, Segment to, int at, int length) {
            int count = length / Long.BYTES;
            if (at % Long.BYTES == 0) {
                to.longs().put(at / Long.BYTES, array, element(offset), count);
            } else {
                unaligned(to, at, length).asLongBuffer().put(array, element(offset), count);
            }
        }

        @Override
        public void copyIn(long offset, Segment from, int at, int length) {
            int count = length / Long.BYTES;
            if (at % Long.BYTES == 0) {
                from.longs().get(at / Long.BYTES, array, element(offset), count);
            } else {
                unaligned(from, at, length).asLongBuffer().get(array, element(offset), count);
            }
        }
    }
}
