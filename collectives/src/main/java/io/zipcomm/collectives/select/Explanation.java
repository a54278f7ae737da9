package io.zipcomm.collectives.select;

import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.PlanCost;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import java.util.ArrayList;
import java.util.List;

/** Says which algorithm a call uses, why, and what each would cost. */
public final class Explanation {

    private Explanation() {}

    /**
     * One line. Costs are those of the algorithms' plans: rounds are messages one after the other, then the bytes that the
     * busiest rank sends or receives.
     *
     * @param bytes  length of the message, or of all blocks together
     * @param hosts  where the ranks are
     * @param table  in use
     * @param wanted the caller's choice of algorithm; null to have it chosen
     */
    public static String of(
            CollectiveOperation operation, long bytes, Hosts hosts, TuningTable table, AlgorithmName wanted) {
        return of(operation, bytes, hosts, table, RelayCollectives.OFF, wanted);
    }

    /**
     * As {@link #of(CollectiveOperation, long, Hosts, TuningTable, AlgorithmName)}.
     *
     * @param relay  what the relay may do of it
     */
    public static String of(
            CollectiveOperation operation,
            long bytes,
            Hosts hosts,
            TuningTable table,
            RelayCollectives relay,
            AlgorithmName wanted) {
        Selector selector = new Selector(hosts, table, relay);
        Rule rule = selector.rule(operation, bytes);
        AlgorithmName chosen = wanted == null ? rule.algorithm() : wanted;
        int segmentBytes = selector.segmentBytes(operation, chosen, bytes);
        StringBuilder text = new StringBuilder();
        text.append(operation)
                .append(", ")
                .append(hosts.size())
                .append(" ranks on ")
                .append(hosts.count());
        text.append(hosts.count() == 1 ? " host, " : " hosts, ")
                .append(bytes)
                .append(" bytes: ")
                .append(chosen);
        if (rule.hasSegments() && segmentBytes < bytes) {
            text.append(" in segments of ").append(segmentBytes);
        }
        text.append(" (")
                .append(wanted == null ? rule.origin() : "chosen by the caller")
                .append(')');
        String separator = "; cost: ";
        List<AlgorithmName> names = new ArrayList<>(Algorithms.of(operation));
        for (AlgorithmName name : Algorithms.ofRelay(operation)) {
            if (name.needs().compareTo(relay) <= 0) {
                names.add(name);
            }
        }
        for (AlgorithmName name : names) {
            int segments = selector.segmentBytes(operation, name, bytes);
            PlanCost cost =
                    PlanCost.of(Algorithms.of(operation, name, hosts), operation, hosts.size(), bytes, segments);
            long busiest = Math.max(cost.bytesSentMax(), cost.bytesReceivedMax());
            text.append(separator).append(name).append(' ').append(cost.rounds());
            text.append(cost.rounds() == 1 ? " round, " : " rounds, ")
                    .append(busiest)
                    .append(" bytes");
            separator = "; ";
        }
        return text.toString();
    }
}
