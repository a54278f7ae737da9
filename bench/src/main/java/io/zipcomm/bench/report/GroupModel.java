package io.zipcomm.bench.report;

/**
 * What messages cost in one group of a run.
 *
 * @param transport over which paths
 * @param ranks     size of the group
 * @param model     measured in the group's own processes
 */
public record GroupModel(String transport, int ranks, CostModel model) {}
