package io.zipcomm.bench.tuning;

import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.select.Rule;
import io.zipcomm.collectives.select.Selector;
import io.zipcomm.collectives.select.TuningTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The lines of a tuning table that differ from the built-in one. Where winners of two lengths differ, one takes over from
 * the other in the geometric middle. The line of the longest message measured has no end; below a changed line, the
 * built-in choice is written out, since the first line that fits decides.
 */
public final class TuningLines {

    private record Group(CollectiveOperation operation, int ranks) {}

    private TuningLines() {}

    /**
     * The lines.
     *
     * @param measured cases with their times, those of one operation and number of ranks by ascending length
     * @return none if the built-in choices have won
     */
    public static List<String> of(List<TuningCase> measured) {
        Map<Group, List<TuningCase>> groups = new LinkedHashMap<>();
        for (TuningCase one : measured) {
            Group group = new Group(one.operation().collective(), one.ranks());
            groups.computeIfAbsent(group, unused -> new ArrayList<>()).add(one);
        }
        List<String> lines = new ArrayList<>();
        groups.forEach((group, cases) -> lines.addAll(lines(group, cases)));
        return lines;
    }

    private static List<String> lines(Group group, List<TuningCase> cases) {
        Selector selector = new Selector(group.ranks(), Hosts.Spread.ONE, TuningTable.builtIn());
        int end = cases.size();
        while (end > 0 && isBuiltIn(cases.get(end - 1))) {
            end--;
        }
        List<String> lines = new ArrayList<>();
        String pending = null; // how, of the range that is not written yet
        String limit = null;
        for (int i = 0; i < end; i++) {
            TuningCase one = cases.get(i);
            String how = how(selector, group.operation(), one);
            if (pending != null && !pending.equals(how)) {
                lines.add(line(group, limit, pending));
            }
            pending = how;
            limit = i + 1 == cases.size() ? "*" : limit(selector, group.operation(), one, cases.get(i + 1));
        }
        if (pending != null) {
            lines.add(line(group, limit, pending));
        }
        return lines;
    }

    private static boolean isBuiltIn(TuningCase one) {
        return one.winner().equals(one.builtIn());
    }

    private static boolean hasBuiltInAlgorithm(TuningCase one) {
        return one.winner().algorithm() == one.builtIn().algorithm();
    }

    private static String how(Selector selector, CollectiveOperation operation, TuningCase one) {
        String segments = isBuiltIn(one)
                ? selector.rule(operation, one.bytes()).segments()
                : one.winner().segments() == 0
                        ? ""
                        : Integer.toString(one.winner().segments());
        return (one.winner().algorithm() + "  " + segments).stripTrailing();
    }

    /** Up to which length a case decides. */
    private static String limit(Selector selector, CollectiveOperation operation, TuningCase one, TuningCase next) {
        Rule rule = selector.rule(operation, one.bytes());
        long builtIn = rule.bytesMax(one.ranks());
        // Where only segments are new, what was known of where algorithms change holds.
        boolean isKnown = hasBuiltInAlgorithm(one) && hasBuiltInAlgorithm(next);
        long middle = (long) Math.sqrt((double) one.bytes() * next.bytes());
        return Long.toString(isKnown && builtIn < next.bytes() ? builtIn : middle);
    }

    private static String line(Group group, String limit, String how) {
        return String.format(Locale.ROOT, "%-14s  one  %-5d  %-10s  %s", group.operation(), group.ranks(), limit, how);
    }
}
