package io.zipcomm.bench.simulate;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Selector;
import io.zipcomm.collectives.select.TuningTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Compares what the library chooses on a network with what the model finds best. */
public final class Choices {

    private record Call(BenchOperation operation, int ranks, long bytes) {}

    /**
     * One call.
     *
     * @param operation     what is done
     * @param ranks         size of the group
     * @param bytes         M
     * @param chosen        what the library chooses
     * @param chosenSeconds what that takes by the model
     * @param best          what takes least by the model
     * @param bestSeconds   what that takes
     */
    public record Choice(
            BenchOperation operation,
            int ranks,
            long bytes,
            AlgorithmName chosen,
            double chosenSeconds,
            AlgorithmName best,
            double bestSeconds) {

        /** How many times as long as the best the chosen one takes. */
        public double ratio() {
            return chosenSeconds / bestSeconds;
        }
    }

    private final Map<Call, Map<AlgorithmName, Double>> seconds = new LinkedHashMap<>();

    /** Adds a scenario. */
    public void add(Scenario scenario, Outcome outcome) {
        Call call = new Call(scenario.operation(), scenario.ranks(), scenario.bytes());
        seconds.computeIfAbsent(call, unused -> new LinkedHashMap<>()).put(scenario.algorithm(), outcome.seconds());
    }

    /** Calls of which the chosen algorithm was simulated, in the order in which they were added. */
    public List<Choice> all() {
        List<Choice> choices = new ArrayList<>();
        seconds.forEach((call, times) -> {
            AlgorithmName chosen = new Selector(call.ranks, Hosts.Spread.APART, TuningTable.builtIn())
                    .algorithm(call.operation.collective(), call.bytes);
            Map.Entry<AlgorithmName, Double> best =
                    times.entrySet().stream().min(Map.Entry.comparingByValue()).orElseThrow();
            if (times.containsKey(chosen)) {
                choices.add(new Choice(
                        call.operation,
                        call.ranks,
                        call.bytes,
                        chosen,
                        times.get(chosen),
                        best.getKey(),
                        best.getValue()));
            }
        });
        return choices;
    }

    /** Calls of which the chosen algorithm takes more than so many times as long as the best. */
    public List<Choice> worseThan(double ratio) {
        return all().stream().filter(choice -> choice.ratio() > ratio).toList();
    }
}
