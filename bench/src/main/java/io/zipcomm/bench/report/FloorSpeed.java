package io.zipcomm.bench.report;

import java.util.Locale;

/**
 * What the machine can do with nothing of the library, in 10^9 bytes a second; NaN if it could not be measured.
 *
 * @param streamGBps saturated stream in one direction over a plain socket on loopback
 * @param copyGBps   memory copied from one array to another by one thread, 16 MiB at a time
 * @param addGBps    numbers added to others by one thread, {@code float[] += float[]}, 16 MiB at a time
 */
public record FloorSpeed(double streamGBps, double copyGBps, double addGBps) {

    /** A line for people. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "floor: stream of a plain socket %.2f GB/s, memory copy %.2f GB/s, float[] += float[] %.2f GB/s",
                streamGBps,
                copyGBps,
                addGBps);
    }
}
