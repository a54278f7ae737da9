package io.zipcomm.relay.admin;

import io.zipcomm.relay.RelayOption;
import java.util.Set;

/** The options that the metrics show as limits, for tests of other packages. */
public final class RelayMetricsLimits {
    private RelayMetricsLimits() {}

    /** All of them. */
    public static Set<RelayOption> options() {
        return RelayMetrics.limitValues().keySet();
    }
}
