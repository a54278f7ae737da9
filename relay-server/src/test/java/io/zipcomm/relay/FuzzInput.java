package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** Makes what a decoder is fed: random bytes, and right input with random changes. A seed decides everything. */
final class FuzzInput {

    private static final int NOISE_BYTES_MAX = 300;

    /** Numbers at which something changes. */
    private static final long[] EDGES = {
        0,
        1,
        -1,
        2,
        3,
        63,
        64,
        65,
        255,
        65_535,
        65_536,
        65_537,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        Long.MAX_VALUE,
        Long.MIN_VALUE
    };

    private final SplittableRandom random;
    private final List<byte[]> right;
    private final int headBytes;

    /**
     * Makes input of right pieces.
     *
     * @param headBytes where most changes are made: in the first so many bytes
     */
    FuzzInput(long seed, int headBytes, List<byte[]> right) {
        random = new SplittableRandom(seed);
        this.right = right;
        this.headBytes = headBytes;
    }

    int number(int bound) {
        return random.nextInt(bound);
    }

    byte[] next() {
        int kind = random.nextInt(16);
        if (kind == 0) {
            byte[] noise = new byte[1 + random.nextInt(NOISE_BYTES_MAX)];
            random.nextBytes(noise);
            return noise;
        }
        byte[] changed = pick().clone();
        for (int changes = random.nextInt(4); changes > 0 && changed.length > 0; changes--) {
            change(changed);
        }
        return switch (kind) {
            case 1 -> Arrays.copyOf(changed, random.nextInt(changed.length + 1));
            case 2, 3 -> joined(changed, pick());
            case 4 -> joined(pick(), changed);
            default -> changed;
        };
    }

    private byte[] pick() {
        return right.get(random.nextInt(right.size()));
    }

    private void change(byte[] bytes) {
        int bound = random.nextInt(4) == 0 ? bytes.length : Math.min(headBytes, bytes.length);
        int at = random.nextInt(bound);
        long edge = EDGES[random.nextInt(EDGES.length)];
        ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        switch (random.nextInt(5)) {
            case 0 -> bytes[at] = (byte) random.nextInt();
            case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            case 2 -> bytes[Math.min(at, Frame.TYPE_OFFSET)] = (byte) random.nextInt(26);
            case 3 -> {
                int from = at & -Integer.BYTES;
                if (from + Integer.BYTES <= bytes.length) {
                    view.putInt(from, (int) edge);
                }
            }
            default -> {
                int from = at & -Long.BYTES;
                if (from + Long.BYTES <= bytes.length) {
                    view.putLong(from, edge);
                }
            }
        }
    }

    private static byte[] joined(byte[] one, byte[] other) {
        byte[] both = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, both, one.length, other.length);
        return both;
    }

    /** Gives the input away in up to three pieces, each a buffer that the taker owns. */
    void inPieces(byte[] input, ByteBufAllocator allocator, Consumer<ByteBuf> taker) {
        int from = 0;
        for (int left = random.nextInt(3); left >= 0 && from < input.length; left--) {
            int count = left == 0 ? input.length - from : 1 + random.nextInt(input.length - from);
            taker.accept(allocator.directBuffer(count).writeBytes(input, from, count));
            from += count;
        }
    }
}
