package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.settings.ZipSettings;

/** Runs every operation once, so that the classes it takes are loaded. */
public final class WarmUp {

    private static final long[] BYTES = {64, 1 << 20};

    private WarmUp() {}

    /**
     * Joins, runs, leaves.
     *
     * @param settings of one rank of a group whose other ranks do the same
     */
    public static void run(ZipSettings settings) {
        try (Communicator world = Zip.join(settings)) {
            CaseRunner runner = new CaseRunner(new ZipTeam(world));
            for (BenchOperation operation : BenchOperation.values()) {
                for (long bytes : BYTES) {
                    for (boolean arrays : new boolean[] {false, true}) {
                        long length = operation.hasBytes() ? bytes : 0;
                        CaseOrder order =
                                new CaseOrder(operation.label(), length, CaseOrder.AUTO, 1, 1, false, 0, arrays);
                        CaseResult.from(
                                Message.parse(runner.run(order).toMessage().toString()));
                    }
                }
            }
        }
    }
}
