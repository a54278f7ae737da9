package io.zipcomm.bench.soak;

import java.util.EnumMap;
import java.util.Map;

/**
 * What a process had at an instant.
 *
 * @param process its number; {@link #RELAY} for the relay
 * @param atS     since the run began, in seconds
 * @param values  of what is known of it
 */
record Sample(int process, double atS, Map<Quantity, Double> values) {

    /** The process of the relay, which is that of the harness. */
    static final int RELAY = -1;

    Sample {
        values = Map.copyOf(values);
    }

    /** One more value. */
    Sample with(Quantity quantity, double value) {
        Map<Quantity, Double> more = new EnumMap<>(Quantity.class);
        more.putAll(values);
        more.put(quantity, value);
        return new Sample(process, atS, more);
    }

    String name() {
        return process == RELAY ? "relay" : "process " + process;
    }
}
