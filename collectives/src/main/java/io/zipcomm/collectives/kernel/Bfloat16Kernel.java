package io.zipcomm.collectives.kernel;

/** Combines blocks of BFLOAT16. */
final class Bfloat16Kernel extends HalfKernel {

    private static final int UPPER = 0xffff0000;
    private static final int MAGNITUDE = 0x7fffffff;
    private static final int INFINITY = 0x7f800000;
    private static final int QUIET = 0x00400000;

    @Override
    void split(int[] pairs, int[] firsts, int[] seconds, int count) {
        for (int i = 0; i < count; i++) {
            firsts[i] = pairs[i] << Short.SIZE;
        }
        for (int i = 0; i < count; i++) {
            seconds[i] = pairs[i] & UPPER;
        }
    }

    @Override
    void join(int[] firsts, int[] seconds, int[] pairs, int count) {
        round(firsts, count);
        round(seconds, count);
        for (int i = 0; i < count; i++) {
            pairs[i] = (firsts[i] >>> Short.SIZE) | (seconds[i] & UPPER);
        }
    }

    /** Rounds to nearest, ties to even, in the upper half; the lower half is left over. */
    private static void round(int[] bits, int count) {
        for (int i = 0; i < count; i++) {
            int nan = (INFINITY - (bits[i] & MAGNITUDE)) >> (Integer.SIZE - 1);
            int rounded = bits[i] + 0x7fff + ((bits[i] >>> Short.SIZE) & 1);
            bits[i] = (rounded & ~nan) | ((bits[i] | QUIET) & nan);
        }
    }
}
