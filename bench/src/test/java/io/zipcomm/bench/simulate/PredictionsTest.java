package io.zipcomm.bench.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.Prediction;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Algorithms;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
final class PredictionsTest {

    private static final NetworkModel MODEL =
            NetworkModel.of(100, 1).withProcessor(0.2, 2).withProtocol();

    @Test
    void shouldPredictEveryAlgorithmAndTheSameEachTime() {
        List<Prediction> predictions = Predictions.upTo(32, MODEL);
        Set<String> expected = new HashSet<>();
        for (BenchOperation operation : BenchOperation.values()) {
            List<String> byRelay = operation.isCollective()
                    ? Collectives.relayAlgorithms(operation.collective())
                    : List.of(); // the model has no relay that does a part
            operation.algorithms().stream()
                    .filter(name -> !name.equals("hierarchical")) // no two ranks share a host
                    .filter(name -> !byRelay.contains(name))
                    .filter(name -> !isForMemory(operation, name)) // the model has no memory that ranks share
                    .forEach(name -> expected.add(operation.label() + " " + name));
        }
        Set<String> found = new HashSet<>();
        for (Prediction prediction : predictions) {
            found.add(prediction.operation() + " " + prediction.algorithm());
            assertTrue(prediction.seconds() > 0 && prediction.efficiency() > 0, prediction.toString());
            assertTrue(prediction.memoryBytesPerRank() >= 0, prediction.toString());
        }
        assertEquals(expected, found);
        assertEquals(predictions, Predictions.upTo(32, MODEL));
    }

    private static boolean isForMemory(BenchOperation operation, String name) {
        return operation.isCollective()
                && Algorithms.of(operation.collective()).stream()
                        .anyMatch(one ->
                                one.toString().equals(name) && Algorithms.isForMemory(operation.collective(), one));
    }

    @Test
    void shouldReachThousandsOfRanks() {
        Outcome outcome =
                new Scenario(BenchOperation.ALLREDUCE, AlgorithmName.RING, 4096, 0, 1 << 20).run(MODEL, 1_000);
        assertTrue(outcome.isOneForAll());
        assertEquals(4096L * 2 * 4095, outcome.messages());
        assertEquals(2L * 4095 * 256, outcome.sentBytesMax());
    }

    @Test
    void shouldSayWhatItLeavesOut() {
        List<String> leftOut = new ArrayList<>();
        Sweep sweep = new Sweep(List.of(BenchOperation.BROADCAST), List.of(256), List.of(1L << 20), MODEL, 10_000);
        sweep.run(new Sweep.Listener() {
            @Override
            public void simulated(Scenario scenario, Outcome outcome, Prediction prediction) {
                assertTrue(scenario.algorithm() != AlgorithmName.SCATTER_ALLGATHER);
            }

            @Override
            public void leftOut(Scenario scenario, String reason) {
                leftOut.add(reason);
            }
        });
        assertEquals(1, leftOut.size());
        assertTrue(leftOut.get(0).contains("algorithm=scatter-allgather"), leftOut.get(0));
        assertTrue(leftOut.get(0).contains("more than 10000 steps"), leftOut.get(0));
    }

    @Test
    void shouldCompareChoicesWithTheBest() {
        Choices choices = new Choices();
        for (AlgorithmName name : Algorithms.of(BenchOperation.ALLREDUCE.collective())) {
            if (!Algorithms.isForMemory(BenchOperation.ALLREDUCE.collective(), name)) {
                Scenario scenario = new Scenario(BenchOperation.ALLREDUCE, name, 64, 0, 8);
                choices.add(scenario, scenario.run(MODEL, 1_000_000));
            }
        }
        Choices.Choice choice = choices.all().get(0);
        assertEquals(AlgorithmName.DOUBLING, choice.chosen());
        assertEquals(AlgorithmName.DOUBLING, choice.best());
        assertEquals(1, choice.ratio());
        assertTrue(choices.worseThan(1).isEmpty());
    }
}
