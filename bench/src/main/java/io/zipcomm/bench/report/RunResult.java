package io.zipcomm.bench.report;

import java.util.List;

/**
 * All that is known at the end of a run.
 *
 * @param facts    where, when and how it was made
 * @param floor    what the machine can do with nothing of the library; null if it was not measured
 * @param groups   the groups of the contestants, in the order in which they started
 * @param rows     in the order of the table
 * @param problems what went wrong besides wrong data
 */
public record RunResult(
        RunFacts facts, FloorSpeed floor, List<GroupModel> groups, List<Row> rows, List<String> problems) {

    /** Copies the lists. */
    public RunResult {
        groups = List.copyOf(groups);
        rows = List.copyOf(rows);
        problems = List.copyOf(problems);
    }

    /** Whether every row is verified and nothing else went wrong. */
    public boolean isGood() {
        return problems.isEmpty() && rows.stream().allMatch(Row::verified);
    }

    /**
     * A group that rows were measured in.
     *
     * @param transport of the library, or name of a baseline
     * @param ranks     its size
     * @param model     what a message cost in it when it had started; unknown for groups of one, and for baselines
     */
    public record GroupModel(String transport, int ranks, CostModel model) {}
}
