package io.zipcomm.buffer;

/** What the bytes of a payload stand for. Reductions need it; moving data does not. */
public enum DataType {
    /** Single bytes; reductions take them as signed integers. */
    INT8(1, Byte.BYTES),
    /** 32-bit signed integers. */
    INT32(2, Integer.BYTES),
    /** 64-bit signed integers. */
    INT64(3, Long.BYTES),
    /** IEEE single precision. */
    FLOAT32(4, Float.BYTES),
    /** IEEE double precision. */
    FLOAT64(5, Double.BYTES);

    private final int number;
    private final int bytes;

    DataType(int number, int bytes) {
        this.number = number;
        this.bytes = bytes;
    }

    /**
     * The number that stands for this type on the wire.
     *
     * @return 1 to 15
     */
    public int number() {
        return number;
    }

    /**
     * Bytes in one element.
     *
     * @return 1, 4 or 8
     */
    public int bytes() {
        return bytes;
    }
}
