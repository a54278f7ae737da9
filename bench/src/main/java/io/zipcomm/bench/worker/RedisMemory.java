package io.zipcomm.bench.worker;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Memory of the program that is a value in Redis, whole or a piece of it: written straight into what goes to the socket, and
 * read straight from what came, without an array in between. Offsets and lengths are in bytes, numbers little-endian.
 *
 * <p>Thread: the one of the connection, while the program waits.
 */
interface RedisMemory {

    int length();

    /** Appends a piece to {@code target}. */
    void write(int at, int length, ByteBuf target);

    /** Takes what came for a piece: all that remains in {@code source}. */
    void read(int at, ByteBuffer source);

    /** Part of a buffer, whose position does not matter. */
    static RedisMemory of(ByteBuffer memory, int start, int bytes) {
        return new RedisMemory() {
            @Override
            public int length() {
                return bytes;
            }

            @Override
            public void write(int at, int length, ByteBuf target) {
                target.writeBytes(memory.slice(start + at, length));
            }

            @Override
            public void read(int at, ByteBuffer source) {
                memory.put(start + at, source, source.position(), source.remaining());
            }
        };
    }

    /** Some numbers; what comes replaces them. */
    static RedisMemory of(Numbers numbers, int start, int count) {
        return new Floats(numbers, start, count) {
            @Override
            void take(int to, FloatBuffer source) {
                numbers.elements().put(to, source, source.position(), source.remaining());
            }
        };
    }

    /** Some numbers; what comes is added to them. */
    static RedisMemory summing(Numbers numbers, int start, int count) {
        return new Floats(numbers, start, count) {
            // Some kilobytes at a time: they stay in the fastest cache between the copy and the addition.
            private final float[] batch = new float[2048];

            private final float[] own = new float[2048];

            @Override
            void take(int to, FloatBuffer source) {
                int next = to;
                while (source.hasRemaining()) {
                    int some = Math.min(batch.length, source.remaining());
                    source.get(batch, 0, some);
                    numbers.elements().get(next, own, 0, some);
                    add(batch, own, some);
                    numbers.elements().put(next, own, 0, some);
                    next += some;
                }
            }
        };
    }

    private static void add(float[] batch, float[] own, int count) {
        for (int i = 0; i < count; i++) {
            own[i] += batch[i];
        }
    }

    /** Numbers of the program. */
    abstract class Floats implements RedisMemory {

        private final Numbers numbers;
        private final int start;
        private final int count;

        Floats(Numbers numbers, int start, int count) {
            this.numbers = numbers;
            this.start = start;
            this.count = count;
        }

        @Override
        public int length() {
            return count * Float.BYTES;
        }

        @Override
        public void write(int at, int length, ByteBuf target) {
            target.ensureWritable(length);
            target.nioBuffer(target.writerIndex(), length)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .put(0, numbers.elements(), start + at / Float.BYTES, length / Float.BYTES);
            target.writerIndex(target.writerIndex() + length);
        }

        @Override
        public void read(int at, ByteBuffer source) {
            take(start + at / Float.BYTES, source.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer());
        }

        /** Takes all that remains in {@code source} for the numbers from index {@code to} on. */
        abstract void take(int to, FloatBuffer source);
    }
}
