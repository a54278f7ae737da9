package io.zipcomm.bench.tuning;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.ByteSize;
import io.zipcomm.bench.report.TableFormat;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.select.Selector;
import io.zipcomm.collectives.select.TuningTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** One operation of one length on one number of ranks: what is measured, and what came of it. Thread: one. */
public final class TuningCase {

    /** By how much another variant must be faster than the table's choice to replace it. */
    public static final double MARGIN = 1.05;

    private static final double NS_PER_US = 1e3;

    private final BenchOperation operation;
    private final int ranks;
    private final long bytes;
    private final List<Variant> variants;

    /** Medians of each round, in nanoseconds. */
    private final Map<Variant, List<Long>> times = new LinkedHashMap<>();

    private TuningCase(BenchOperation operation, int ranks, long bytes) {
        this.operation = operation;
        this.ranks = ranks;
        this.bytes = bytes;
        Selector selector = new Selector(ranks, Hosts.Spread.ONE, TuningTable.builtIn());
        variants = Variant.of(selector, operation, ranks, bytes);
        variants.forEach(variant -> times.put(variant, new ArrayList<>()));
    }

    /**
     * All cases, in the order in which they are measured, by ranks; without those that leave no choice.
     *
     * @param bytes of messages, or of all blocks together; made a whole number of 8 bytes for each rank
     */
    public static List<TuningCase> of(List<BenchOperation> operations, List<Integer> ranks, List<Long> bytes) {
        List<TuningCase> cases = new ArrayList<>();
        for (int size : ranks) {
            for (BenchOperation operation : operations) {
                long unit = (long) Long.BYTES * size;
                bytes.stream()
                        .map(length -> (length + unit - 1) / unit * unit)
                        .distinct()
                        .sorted()
                        .map(length -> new TuningCase(operation, size, length))
                        .filter(one -> one.variants.size() > 1)
                        .forEach(cases::add);
            }
        }
        return cases;
    }

    /** What is done. */
    public BenchOperation operation() {
        return operation;
    }

    /** Number of ranks. */
    public int ranks() {
        return ranks;
    }

    /** Length of the message, or of all blocks together. */
    public long bytes() {
        return bytes;
    }

    /** What is compared, the built-in choice first. */
    public List<Variant> variants() {
        return variants;
    }

    /** Notes the median of one round. */
    public void add(Variant variant, long medianNs) {
        times.get(variant).add(medianNs);
    }

    Variant builtIn() {
        return variants.get(0);
    }

    /** The variant with the least median over its rounds, if it was faster by the margin, in every round; or the built-in. */
    Variant winner() {
        Variant best = builtIn();
        for (Variant one : variants) {
            if (timeNs(one) < timeNs(best)) {
                best = one;
            }
        }
        boolean isFaster = timeNs(best) * MARGIN <= timeNs(builtIn());
        for (int round = 0; round < times.get(best).size(); round++) {
            isFaster &= times.get(best).get(round) < times.get(builtIn()).get(round);
        }
        return isFaster ? best : builtIn();
    }

    /** How many times faster the winner is than the built-in choice: 1 if that is the winner. */
    public double gain() {
        return timeNs(builtIn()) / timeNs(winner());
    }

    private double timeNs(Variant variant) {
        long[] sorted =
                times.get(variant).stream().mapToLong(Long::longValue).sorted().toArray();
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2.0;
    }

    /** What came of it, in a line. */
    public String line() {
        StringBuilder text = new StringBuilder(
                String.format(Locale.ROOT, "%-13s %2d ranks %8s ", operation.label(), ranks, ByteSize.format(bytes)));
        for (Variant variant : variants) {
            text.append(' ').append(variant).append(' ').append(TableFormat.micros(timeNs(variant) / NS_PER_US));
        }
        text.append(" us: ").append(winner());
        if (!winner().equals(builtIn())) {
            text.append(String.format(Locale.ROOT, ", %.2f times faster than %s", gain(), builtIn()));
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return operation.label() + ", " + ranks + " ranks, " + ByteSize.format(bytes) + ", "
                + Arrays.toString(variants.toArray());
    }
}
