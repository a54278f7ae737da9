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
    FLOAT64(5, Double.BYTES),
    /** IEEE half precision, held in a {@code short}: see {@link Float16}. */
    FLOAT16(6, Short.BYTES),
    /** The upper half of IEEE single precision, held in a {@code short}: see {@link Bfloat16}. */
    BFLOAT16(7, Short.BYTES);

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

    /** Whether elements are floating-point numbers. */
    public boolean isFloating() {
        return switch (this) {
            case INT8, INT32, INT64 -> false;
            case FLOAT16, BFLOAT16, FLOAT32, FLOAT64 -> true;
        };
    }

    /** Whether elements are floating-point numbers of 16 bits, which are combined as FLOAT32 and rounded. */
    public boolean isHalf() {
        return this == FLOAT16 || this == BFLOAT16;
    }

    /**
     * Bytes in one element.
     *
     * @return 1, 2, 4 or 8
     */
    public int bytes() {
        return bytes;
    }
}
