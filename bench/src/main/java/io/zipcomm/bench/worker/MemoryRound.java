package io.zipcomm.bench.worker;

import java.util.Arrays;

/** Copies a {@code float[]} to another, or adds it to it, in a plain loop that the compiler may vectorise. */
final class MemoryRound implements FloorRound {

    private final boolean adds;
    private final float[] source;
    private final float[] target;
    private String mismatch;

    MemoryRound(int bytes, boolean adds) {
        this.adds = adds;
        source = new float[bytes / Float.BYTES];
        target = new float[source.length];
        Arrays.fill(source, 1);
    }

    @Override
    public long run(int iteration, boolean all) {
        long elapsedNs = adds ? add() : copy(iteration);
        int index = Probes.index(iteration, 2, target.length);
        // Sums of ones: exact in a float for more iterations than there ever are.
        float expected = adds ? iteration + 1 : source[index];
        if (mismatch == null && (target[index] != expected || target[0] != (adds ? expected : source[0]))) {
            mismatch =
                    "iteration " + iteration + ": number " + index + " is " + target[index] + ", expected " + expected;
        }
        return elapsedNs;
    }

    private long add() {
        long began = System.nanoTime();
        for (int i = 0; i < target.length; i++) {
            target[i] += source[i];
        }
        return System.nanoTime() - began;
    }

    private long copy(int iteration) {
        source[Probes.index(iteration, 2, source.length)] = iteration;
        long began = System.nanoTime();
        System.arraycopy(source, 0, target, 0, source.length);
        return System.nanoTime() - began;
    }

    @Override
    public String mismatch() {
        return mismatch;
    }
}
