package io.zipcomm.bench.simulate;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.Prediction;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Algorithms;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.List;

/**
 * All algorithms of some operations, for some numbers of ranks and lengths.
 *
 * @param operations what is done; those that are not collective are passed over
 * @param ranks      sizes of groups
 * @param bytes      M
 * @param model      of the network
 * @param stepsMax   steps of a simulation: those that would need more are left out
 */
public record Sweep(
        List<BenchOperation> operations, List<Integer> ranks, List<Long> bytes, NetworkModel model, long stepsMax) {

    private static final double US_PER_SECOND = 1e6;
    private static final double US_PER_NS = 1e-3;

    /** Hears of each scenario as soon as it is known. */
    public interface Listener {

        /** It was simulated. */
        void simulated(Scenario scenario, Outcome outcome, Prediction prediction);

        /** It was not, for a reason. */
        void leftOut(Scenario scenario, String reason);
    }

    /** Simulates one after the other, on the calling thread. */
    public void run(Listener listener) {
        for (BenchOperation operation : operations) {
            if (!operation.isCollective()) {
                continue;
            }
            for (int size : ranks) {
                for (long length : operation.hasBytes() ? bytes : List.of(0L)) {
                    for (AlgorithmName name : Algorithms.of(operation.collective())) {
                        if (name == AlgorithmName.HIERARCHICAL && model.hosts() == null) {
                            continue; // without shared hosts it is what it is made of
                        }
                        if (Algorithms.isForMemory(operation.collective(), name)) {
                            continue; // the model has no memory that ranks share
                        }
                        simulate(new Scenario(operation, name, size, 0, length), listener);
                    }
                }
            }
        }
    }

    private void simulate(Scenario scenario, Listener listener) {
        Outcome outcome;
        try {
            outcome = scenario.run(model, stepsMax);
        } catch (ZipException e) {
            if (e.code() != ErrorCode.LIMIT) {
                throw e;
            }
            listener.leftOut(scenario, e.getMessage());
            return;
        }
        listener.simulated(scenario, outcome, prediction(scenario, outcome));
    }

    private Prediction prediction(Scenario scenario, Outcome outcome) {
        CostModel cost = new CostModel(model.latencyUs(), model.betaNsPerByte() * US_PER_NS);
        double efficiency = cost.efficiency(
                scenario.operation(), scenario.ranks(), outcome.bytes(), outcome.seconds() * US_PER_SECOND);
        return new Prediction(
                scenario.operation().label(),
                scenario.algorithm().toString(),
                scenario.ranks(),
                scenario.bytes(),
                outcome.seconds(),
                efficiency,
                outcome.memoryBytesMax());
    }
}
