package io.zipcomm.bench.simulate;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.buffer.DataType;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Blocks;
import io.zipcomm.collectives.plan.Shape;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Algorithms;
import io.zipcomm.collectives.select.Selector;
import io.zipcomm.collectives.select.TuningTable;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.List;

/**
 * One operation by one algorithm, in a group on a network, source and target apart, segments as the library cuts them.
 *
 * @param operation a collective one
 * @param algorithm one that it has
 * @param ranks     size of the group
 * @param root      where there is one; else 0
 * @param bytes     M, as in {@link io.zipcomm.bench.report.Row}
 */
public record Scenario(BenchOperation operation, AlgorithmName algorithm, int ranks, int root, long bytes) {

    /** Steps of all ranks together that are built if they differ: willingly, and if there is no other way. */
    private static final List<Long> STEPS_BUILT_MAX = List.of(1L << 19, 1L << 23);

    /** The same with M rounded up to whole elements, where there are blocks to so many for each rank. */
    public Scenario rounded() {
        return roundedTo((operation.hasBlocks() ? ranks : 1L) * elementBytes());
    }

    private Scenario roundedTo(long unit) {
        return new Scenario(operation, algorithm, ranks, root, (bytes + unit - 1) / unit * unit);
    }

    private int elementBytes() {
        return operation.reduces() ? Float.BYTES : 1;
    }

    /**
     * What it takes by a model, M being {@link #rounded}. If that gives no two ranks the same to do, in very many steps, M
     * is rounded up so that all ranks get chunks of one length.
     *
     * @param stepsMax steps to simulate
     * @throws ZipException LIMIT, if there are more, or if the algorithm needs more memory than it may have
     */
    public Outcome run(NetworkModel model, long stepsMax) {
        Scenario whole = rounded();
        Hosts hosts =
                model.hosts() == null ? null : Hosts.blocks(ranks, model.hosts().ranksPerHost());
        List<Scenario> lengths =
                operation.hasBlocks() ? List.of(whole) : List.of(whole, roundedTo((long) ranks * Long.BYTES));
        for (long stepsBuiltMax : STEPS_BUILT_MAX) {
            for (Scenario scenario : lengths) {
                GroupPlans plans = scenario.plans(hosts, stepsBuiltMax, stepsMax);
                if (plans != null) {
                    return new Simulation(plans, model).run(scenario.bytes);
                }
            }
        }
        throw new ZipException(ErrorCode.LIMIT, this + ": more than " + stepsMax + " steps to simulate");
    }

    private GroupPlans plans(Hosts hosts, long stepsBuiltMax, long stepsMax) {
        return GroupPlans.few(newAlgorithm(hosts), this::shape, ranks, hosts == null, stepsBuiltMax, stepsMax);
    }

    /**
     * The algorithm.
     *
     * @param hosts which ranks share one; null if none do
     */
    Algorithm newAlgorithm(Hosts hosts) {
        return Algorithms.of(operation.collective(), algorithm, hosts == null ? Hosts.apart(ranks) : hosts);
    }

    /** What a rank's plan is made from. */
    Shape shape(int rank) {
        int segmentBytes = new Selector(ranks, Hosts.Spread.APART, TuningTable.builtIn())
                .segmentBytes(operation.collective(), algorithm, bytes);
        long blockBytes = bytes / ranks;
        Blocks blocks = operation.hasBlocks() ? Blocks.even(ranks, blockBytes) : null;
        return new Shape(
                operation.collective(),
                rank,
                ranks,
                root,
                operation.reduces() ? DataType.FLOAT32 : null,
                operation.hasBlocks() ? blockBytes : bytes,
                blocks,
                operation == BenchOperation.ALLTOALL ? blocks : null,
                Shape.TWO_BUFFERS,
                segmentBytes);
    }
}
