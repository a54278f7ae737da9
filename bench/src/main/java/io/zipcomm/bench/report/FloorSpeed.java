package io.zipcomm.bench.report;

import io.zipcomm.bench.plan.Means;
import java.util.Locale;
import java.util.Map;

/**
 * What the machine can do with nothing of the library, in 10^9 bytes a second; NaN if it could not be measured.
 *
 * @param streamGBps saturated stream in one direction between two processes, for each of the floors that took part
 * @param copyGBps   memory copied from one array to another by one thread, 16 MiB at a time
 * @param addGBps    numbers added to others by one thread, {@code float[] += float[]}, 16 MiB at a time
 */
public record FloorSpeed(Map<Means, Double> streamGBps, double copyGBps, double addGBps) {

    /** Copies the map. */
    public FloorSpeed {
        streamGBps = Map.copyOf(streamGBps);
    }

    /** A line for people. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("floor: ");
        for (Means means : Means.values()) {
            if (streamGBps.containsKey(means)) {
                text.append(
                        String.format(Locale.ROOT, "stream over %s %.2f GB/s, ", means.noun(), streamGBps.get(means)));
            }
        }
        return text
                + String.format(Locale.ROOT, "memory copy %.2f GB/s, float[] += float[] %.2f GB/s", copyGBps, addGBps);
    }
}
