package io.zipcomm.bench.worker;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Numbers of the program that are added up, in direct memory, where programs in C have theirs, or in a {@code float[]}.
 *
 * @param elements all of them, for absolute access
 * @param payload  the same memory for the library
 */
record Numbers(FloatBuffer elements, Payload payload) {

    /**
     * So many numbers.
     *
     * @param array whether they are in a {@code float[]}
     */
    static Numbers allocate(int count, boolean array) {
        if (array) {
            float[] numbers = new float[count];
            return new Numbers(FloatBuffer.wrap(numbers), Payload.of(numbers));
        }
        ByteBuffer memory = ByteBuffer.allocateDirect(count * Float.BYTES).order(ByteOrder.nativeOrder());
        return new Numbers(memory.asFloatBuffer(), Payload.of(memory, DataType.FLOAT32));
    }

    int count() {
        return elements.capacity();
    }

    float get(int index) {
        return elements.get(index);
    }

    void put(int index, float number) {
        elements.put(index, number);
    }

    /** Copies some of another's numbers to here. */
    void copy(int to, Numbers source, int from, int count) {
        elements.put(to, source.elements, from, count);
    }
}
