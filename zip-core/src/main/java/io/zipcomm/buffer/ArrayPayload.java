package io.zipcomm.buffer;

/** Payloads over arrays of numbers wider than a byte: bulk copies through the segment's own views. */
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
            to.floats(at).put(at / Float.BYTES, array, element(offset), count);
        }

        @Override
        public void copyIn(long offset, Segment from, int at, int length) {
            int count = length / Float.BYTES;
            from.floats(at).get(at / Float.BYTES, array, element(offset), count);
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
            to.doubles(at).put(at / Double.BYTES, array, element(offset), count);
        }

        @Override
        public void copyIn(long offset, Segment from, int at, int length) {
            int count = length / Double.BYTES;
            from.doubles(at).get(at / Double.BYTES, array, element(offset), count);
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
            to.ints(at).put(at / Integer.BYTES, array, element(offset), count);
        }

        @Override
        public void copyIn(long offset, Segment from, int at, int length) {
            int count = length / Integer.BYTES;
            from.ints(at).get(at / Integer.BYTES, array, element(offset), count);
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
            to.longs(at).put(at / Long.BYTES, array, element(offset), count);
        }

        @Override
        public void copyIn(long offset, Segment from, int at, int length) {
            int count = length / Long.BYTES;
            from.longs(at).get(at / Long.BYTES, array, element(offset), count);
        }
    }
}
