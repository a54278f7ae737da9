package io.zipcomm.bench.tuning;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Selector;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A way of doing an operation that is measured against others.
 *
 * @param algorithm how
 * @param segments  bytes in a segment; 0 where nothing is cut, or it is left to the library
 */
public record Variant(AlgorithmName algorithm, int segments) {

    /** The one that the table in use would choose. */
    static Variant chosen(Selector selector, CollectiveOperation operation, int ranks, long bytes) {
        AlgorithmName name = selector.algorithm(operation, bytes);
        return new Variant(name, segments(selector, operation, name, ranks, bytes));
    }

    /**
     * All that are worth measuring on one host: each algorithm, and where it cuts a message of this length, with segments
     * as the table has it, half and twice as long. The table's choice comes first.
     */
    static List<Variant> of(Selector selector, BenchOperation operation, int ranks, long bytes) {
        CollectiveOperation collective = operation.collective();
        Set<Variant> all = new LinkedHashSet<>();
        all.add(chosen(selector, collective, ranks, bytes));
        for (String text : Collectives.algorithms(collective)) {
            AlgorithmName name = AlgorithmName.of(text);
            if (name == AlgorithmName.HIERARCHICAL) {
                continue; // this machine is one host
            }
            int usual = segments(selector, collective, name, ranks, bytes);
            all.add(new Variant(name, usual));
            if (usual > 0) {
                for (long segments : new long[] {usual / 2, 2L * usual}) {
                    long aligned = Math.max(1, segments / Selector.SEGMENT_ALIGNMENT) * Selector.SEGMENT_ALIGNMENT;
                    all.add(new Variant(name, (int) aligned));
                }
            }
        }
        return new ArrayList<>(all);
    }

    private static int segments(
            Selector selector, CollectiveOperation operation, AlgorithmName name, int ranks, long bytes) {
        long piece = name.cutsWholeMessage() ? bytes : bytes / ranks;
        int segments = selector.segmentBytes(operation, name, bytes);
        return name.hasSegments() && segments < piece ? segments : 0;
    }

    @Override
    public String toString() {
        return segments == 0 ? algorithm.toString() : algorithm + "/" + ByteSize.format(segments);
    }
}
