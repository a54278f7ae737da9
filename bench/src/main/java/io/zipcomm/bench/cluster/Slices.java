package io.zipcomm.bench.cluster;

import io.zipcomm.bench.report.Cost;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.Times;
import io.zipcomm.bench.worker.Usage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/** What the slices of one row add up to: percentiles are over the samples of all, not means of percentiles. */
final class Slices {

    private static final double NS_PER_US = 1e3;

    private final Times times = new Times();
    private final List<Long> mediansNs = new ArrayList<>();
    private final Map<Integer, Usage> usages = new TreeMap<>();
    private final List<String> mismatches = new ArrayList<>();
    private String algorithm = "";

    /**
     * Adds a slice.
     *
     * @param results of the ranks; that of rank 0 must be there
     * @return its median, in nanoseconds
     */
    long add(Collection<CaseResult> results) {
        CaseResult leader = results.stream()
                .filter(result -> result.rank() == 0)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("rank 0 gave no result"));
        algorithm = leader.algorithm();
        times.add(leader.times());
        mediansNs.add(leader.times().p50Ns());
        for (CaseResult result : results) {
            usages.merge(result.rank(), result.usage(), Usage::plus);
        }
        check(results);
        return leader.times().p50Ns();
    }

    /** Keeps only what was wrong: of a rehearsal, say. */
    void check(Collection<CaseResult> results) {
        for (CaseResult result : results) {
            if (!result.mismatch().isEmpty()) {
                mismatches.add("rank " + result.rank() + ", " + result.mismatch());
            }
        }
    }

    /** Rank and datum of what was wrong. */
    List<String> mismatches() {
        return mismatches;
    }

    String algorithm() {
        return algorithm;
    }

    int iterations() {
        return times.count();
    }

    long p50Ns() {
        return times.p50Ns();
    }

    long p99Ns() {
        return times.p99Ns();
    }

    /** (Largest median of a slice - least) / median of all. */
    double spread() {
        double largest = mediansNs.stream().mapToLong(Long::longValue).max().orElseThrow();
        double least = mediansNs.stream().mapToLong(Long::longValue).min().orElseThrow();
        return (largest - least) / times.p50Ns();
    }

    /** What an iteration cost. */
    Cost cost() {
        double iterations = times.count();
        return new Cost(
                spread(),
                all(Usage::cpuNs).sum() / NS_PER_US / iterations,
                all(Usage::contextSwitches).sum() / iterations,
                most(Usage::allocatedBytes) / iterations,
                most(Usage::sentBytes) / iterations,
                most(Usage::peakMemoryBytes));
    }

    private DoubleStream all(ToDoubleFunction<Usage> number) {
        return usages.values().stream().mapToDouble(number);
    }

    private double most(ToDoubleFunction<Usage> number) {
        return all(number).max().orElse(Double.NaN);
    }
}
