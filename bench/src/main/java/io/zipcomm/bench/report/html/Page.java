package io.zipcomm.bench.report.html;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.report.FloorSpeed;
import io.zipcomm.bench.report.Prediction;
import io.zipcomm.bench.report.RunFacts;
import io.zipcomm.bench.report.RunResult;
import io.zipcomm.bench.report.RunResult.GroupModel;
import io.zipcomm.bench.report.html.Results.Task;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What the template asks for, by the names that it uses. */
final class Page {

    /** A name and what is said of it. */
    record Fact(String name, String text) {}

    /** An operation. */
    record Section(String id, String title, String about, List<Series> legend, List<Block> blocks) {}

    private final RunResult run;
    private final RunFacts facts;
    private final Results results;
    private final Overview overview;
    private final List<Section> sections;
    private final List<Block> simulated;

    Page(RunResult run, List<Prediction> predictions) {
        this.run = run;
        facts = run.facts();
        results = new Results(run.rows());
        Gaps gaps = new Gaps(results, run.problems(), facts.absent());
        overview = new Overview(results, gaps);
        sections = sections(gaps);
        simulated = Simulated.blocks(predictions);
    }

    private List<Section> sections(Gaps gaps) {
        Comparison comparison = new Comparison(results, gaps);
        Plots plots = new Plots(results);
        List<Section> sections = new ArrayList<>();
        for (BenchOperation operation : results.operations()) {
            List<Block> blocks = new ArrayList<>();
            if (operation.hasBytes()) {
                for (int ranks : results.ranks(operation)) {
                    List<Task> tasks = results.sizes(operation, ranks).stream()
                            .map(bytes -> new Task(operation, ranks, bytes))
                            .toList();
                    blocks.add(block(comparison, plots, operation, ranks + " ranks", tasks));
                }
            } else {
                List<Task> tasks = results.ranks(operation).stream()
                        .map(ranks -> new Task(operation, ranks, 0))
                        .toList();
                blocks.add(block(comparison, plots, operation, "all group sizes", tasks));
            }
            sections.add(new Section(
                    operation.label(), operation.label(), about(operation), results.series(operation), blocks));
        }
        return sections;
    }

    private static Block block(
            Comparison comparison, Plots plots, BenchOperation operation, String where, List<Task> tasks) {
        return new Block(
                operation.label() + "-" + tasks.get(0).ranks(),
                operation.label() + ", " + where,
                List.of(),
                plots.of(operation, ", " + where, tasks),
                comparison.table(operation, ", " + where, tasks));
    }

    private static String about(BenchOperation operation) {
        return switch (operation) {
            case BARRIER -> "Everyone waits for everyone. It moves no data, so it has neither sizes nor a bandwidth.";
            case PINGPONG -> "A message from rank 0 to rank 1 and back; the time is the full round trip.";
            case BROADCAST -> "M bytes of rank 0 to all.";
            case REDUCE -> "The sum of everyone's M bytes of floats, at rank 0.";
            case ALLREDUCE -> "The sum of everyone's M bytes of floats, at all.";
            case SCATTER -> "M bytes of rank 0 in equal blocks, one to each.";
            case GATHER -> "A block of each, M bytes together, at rank 0.";
            case ALLGATHER -> "A block of each, M bytes together, at all.";
            case REDUCESCATTER -> "The sum of everyone's M bytes of floats, an equal block of it at each.";
            case ALLTOALL -> "A block from each to each, M bytes at one rank.";
        };
    }

    List<Fact> run() {
        return List.of(
                new Fact("command", facts.command()),
                new Fact("commit", facts.commit()),
                new Fact("started", facts.startedAt()),
                new Fact("congestion control", facts.congestionControl()));
    }

    List<Fact> machine() {
        return facts(facts.machine());
    }

    List<Fact> versions() {
        return facts(facts.versions());
    }

    List<Fact> floor() {
        FloorSpeed floor = run.floor();
        if (floor == null) {
            return List.of(new Fact("floor", "not measured in this run"));
        }
        List<Fact> speeds = new ArrayList<>();
        for (Means means : Means.values()) {
            if (floor.streamGBps().containsKey(means)) {
                speeds.add(new Fact(
                        "stream over " + means.noun(), speed(floor.streamGBps().get(means))));
            }
        }
        speeds.add(new Fact("memory copy", speed(floor.copyGBps())));
        speeds.add(new Fact("float[] += float[]", speed(floor.addGBps())));
        return speeds;
    }

    private static String speed(double gigabytes) {
        return Double.isNaN(gigabytes) ? "could not be measured" : Units.bandwidth(gigabytes);
    }

    private static List<Fact> facts(Map<String, String> facts) {
        return facts.entrySet().stream()
                .map(entry -> new Fact(entry.getKey(), entry.getValue()))
                .toList();
    }

    String startedAt() {
        return facts.startedAt();
    }

    String commit() {
        return facts.commit();
    }

    String contestants() {
        return String.join(", ", results.contestants());
    }

    List<String> noise() {
        return facts.noise();
    }

    List<String> absent() {
        return facts.absent();
    }

    List<String> problems() {
        return run.problems();
    }

    boolean isTroubled() {
        return !run.problems().isEmpty()
                || !facts.noise().isEmpty()
                || !facts.absent().isEmpty();
    }

    List<Overview.Headline> headlines() {
        return overview.headlines();
    }

    List<Table> overviews() {
        return Stream.of(overview.ratios(), overview.efficiencies())
                .flatMap(Optional::stream)
                .toList();
    }

    Table models() {
        return new Table(
                "What a message costs: α, half the median round trip of 8 bytes, β, from a saturated stream in one"
                        + " direction, and β₂, from two against each other, in each group's own processes, when it had started. Rows are rated by what was"
                        + " measured beside each of their slices.",
                "group",
                List.of("α", "β", "stream", "β₂", "each of two"),
                run.groups().stream().map(Page::model).toList(),
                run.groups().stream().anyMatch(one -> Double.isNaN(one.model().alphaUs()))
                        ? List.of("n/a: a group of one sends no message, and a baseline is not rated by its own.")
                        : List.of());
    }

    private static Table.Line model(GroupModel group) {
        String name = group.transport() + ", " + group.ranks() + " ranks";
        if (Double.isNaN(group.model().alphaUs())) {
            Cell gap = new Cell(Gaps.NOT_APPLICABLE, "", "gap");
            return new Table.Line(name, List.of(gap, gap, gap, gap, gap));
        }
        return new Table.Line(
                name,
                List.of(
                        Cell.plain(Units.time(group.model().alphaUs())),
                        Cell.plain(nsPerByte(group.model().betaUsPerByte())),
                        Cell.plain(Units.bandwidth(group.model().streamGBps())),
                        Cell.plain(nsPerByte(group.model().duplexUsPerByte())),
                        Cell.plain(Units.bandwidth(group.model().duplexGBps()))));
    }

    private static String nsPerByte(double usPerByte) {
        return String.format(Locale.ROOT, "%.3f ns/B", 1000 * usPerByte);
    }

    boolean hasModels() {
        return !run.groups().isEmpty();
    }

    List<Section> sections() {
        return sections;
    }

    List<Block> simulated() {
        return simulated;
    }

    boolean isSimulated() {
        return !simulated.isEmpty();
    }

    List<String> heads() {
        return RowTable.HEADS;
    }

    List<RowTable.Line> lines() {
        return new RowTable(results).lines();
    }

    String css() {
        return Assets.own("report.css");
    }

    String script() {
        return Assets.own("report.js");
    }

    String charts() {
        return Assets.charts();
    }

    String chartsVersion() {
        return Assets.chartsVersion();
    }

    String chartsNotice() {
        return Assets.chartsNotice();
    }

    String plotData() throws IOException {
        return PlotData.json(
                Stream.concat(sections.stream().flatMap(section -> section.blocks().stream()), simulated.stream())
                        .flatMap(block -> block.plots().stream())
                        .toList());
    }
}
