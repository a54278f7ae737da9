package io.zipcomm.collectives.select;

import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Chooses algorithm and segment length by a {@link TuningTable}. From what all ranks know alike, so that all choose alike:
 * operation, length, number of ranks, which of them share a host, whether they cast or are on a fabric, and the table.
 */
public final class Selector {

    /** Segments begin at multiples of this, whatever the element type. */
    public static final int SEGMENT_ALIGNMENT = 4096;

    /** Into how many segments what travels as one piece otherwise is cut, if that does not make them too short. */
    static final int SEGMENTS_WANTED = 8;

    /** Where no rule says more, as for an algorithm that the caller chose. */
    static final int SEGMENT_MIN = 64 << 10;

    /** Likewise. */
    static final int SEGMENT_MAX = 256 << 10;

    private final int size;

    /** Those that may apply to this group, in the order in which they are tried. */
    private final Map<CollectiveOperation, Rule[]> rules = new EnumMap<>(CollectiveOperation.class);

    /**
     * For one communicator.
     *
     * @param size   number of ranks
     * @param spread how they share hosts
     * @param table  equal on all ranks
     */
    public Selector(int size, Hosts.Spread spread, TuningTable table) {
        this(size, spread, table, RelayCollectives.OFF);
    }

    /**
     * For one communicator of which the relay may do a part.
     *
     * @param relay what the relay may do; OFF unless all messages go through it
     */
    public Selector(int size, Hosts.Spread spread, TuningTable table, RelayCollectives relay) {
        this(size, spread, false, false, table, relay);
    }

    /**
     * For one communicator whose ranks are somewhere.
     *
     * @param relay what the relay may do; OFF unless all messages go through it
     */
    public Selector(Hosts hosts, TuningTable table, RelayCollectives relay) {
        this(hosts.size(), hosts.spread(), hosts.casts(), hosts.isOnFabric(), table, relay);
    }

    private Selector(
            int size, Hosts.Spread spread, boolean casts, boolean fabric, TuningTable table, RelayCollectives relay) {
        this.size = size;
        for (CollectiveOperation operation : CollectiveOperation.values()) {
            List<Rule> fitting = new ArrayList<>();
            for (Rule rule : table.rules()) {
                if (rule.operation() == operation && rule.covers(size, spread, casts, fabric, relay)) {
                    fitting.add(rule);
                }
            }
            rules.put(operation, fitting.toArray(new Rule[0]));
        }
    }

    /** The algorithm for a call, with the arguments of {@link #rule}. */
    public AlgorithmName algorithm(CollectiveOperation operation, long bytes) {
        return rule(operation, bytes).algorithm();
    }

    /**
     * The rule for a call.
     *
     * @param bytes length of the message; of all blocks together where there is one for each rank; 0 where that differs
     *              from rank to rank
     */
    public Rule rule(CollectiveOperation operation, long bytes) {
        return rule(operation, bytes, true);
    }

    /**
     * As {@link #rule(CollectiveOperation, long)}.
     *
     * @param isKnown whether the relay knows the reduction, which it does not if it is the user's own
     */
    public Rule rule(CollectiveOperation operation, long bytes, boolean isKnown) {
        for (Rule rule : rules.get(operation)) {
            if (rule.covers(size, bytes) && (isKnown || rule.algorithm() != AlgorithmName.RELAY_REDUCE)) {
                return rule;
            }
        }
        throw new IllegalStateException("no rule for " + operation + " of " + bytes + " bytes on " + size + " ranks");
    }

    /** The rules that this group may meet, in the order in which they are tried. */
    public List<Rule> rules(CollectiveOperation operation) {
        return List.of(rules.get(operation));
    }

    /**
     * The length of segments for a call: short enough for {@value #SEGMENTS_WANTED} of them in what travels as one piece
     * otherwise, within what the rule says.
     *
     * @param algorithm the one of the rule, or the caller's choice
     * @param bytes     as for {@link #rule}
     */
    public int segmentBytes(CollectiveOperation operation, AlgorithmName algorithm, long bytes) {
        if (algorithm == AlgorithmName.CHAIN && size <= 2) {
            return Integer.MAX_VALUE / SEGMENT_ALIGNMENT * SEGMENT_ALIGNMENT; // nobody passes anything on
        }
        Rule rule = segmentRule(operation, algorithm, bytes);
        int min = rule == null ? SEGMENT_MIN : rule.segmentsMin();
        int max = rule == null ? SEGMENT_MAX : rule.segmentsMax();
        long piece = algorithm.cutsWholeMessage() ? bytes : bytes / size;
        long wanted = Math.max(piece / SEGMENTS_WANTED, min);
        long aligned = (wanted + SEGMENT_ALIGNMENT - 1) / SEGMENT_ALIGNMENT * SEGMENT_ALIGNMENT;
        return (int) Math.min(aligned, max);
    }

    /** The rule of the call, or else the first of the algorithm, or else the last of all; null if none has segments. */
    private Rule segmentRule(CollectiveOperation operation, AlgorithmName algorithm, long bytes) {
        Rule chosen = rule(operation, bytes);
        if (chosen.algorithm() == algorithm && chosen.hasSegments()) {
            return chosen;
        }
        Rule found = null;
        for (Rule rule : rules.get(operation)) {
            if (rule.hasSegments() && (found == null || found.algorithm() != algorithm)) {
                found = rule;
            }
        }
        return found;
    }
}
