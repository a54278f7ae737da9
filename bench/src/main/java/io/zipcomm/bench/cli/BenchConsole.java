package io.zipcomm.bench.cli;

import io.zipcomm.bench.cluster.BenchListener;
import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.report.AllReduceAudit;
import io.zipcomm.bench.report.CongestionControl;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.CsvFile;
import io.zipcomm.bench.report.FloorSpeed;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.report.RunFacts;
import io.zipcomm.bench.report.RunResult;
import io.zipcomm.bench.report.Summary;
import io.zipcomm.bench.report.TableFormat;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Shows a run on the terminal while it goes on: each row as it comes, and on a terminal what is being measured. */
final class BenchConsole implements BenchListener {

    private static final String ERASE_LINE = "\r\033[K";

    private final PrintStream out;
    private final PrintStream err;
    private final boolean interactive;
    private final CsvFile csv;
    private final CongestionControl congestionControl;
    private final Summary summary;
    private final List<String> audits = new ArrayList<>();
    private final List<RunResult.GroupModel> groups = new ArrayList<>();
    private final List<Row> rows = new ArrayList<>();
    private final List<String> absent = new ArrayList<>();
    private final Map<String, String> versions = new LinkedHashMap<>();
    private final List<String> noise = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();
    private FloorSpeed floor;
    private int ranks;
    private boolean headed;

    /**
     * A console.
     *
     * @param out         for the table
     * @param err         for progress and problems
     * @param interactive whether {@code err} is a terminal, on which a line can be replaced
     * @param csv         receives the rows too; may be null
     * @param control     under which the contestants are
     */
    BenchConsole(PrintStream out, PrintStream err, boolean interactive, CsvFile csv, CongestionControl control) {
        this.out = out;
        this.err = err;
        this.interactive = interactive;
        this.csv = csv;
        congestionControl = control;
        summary = new Summary(control);
        out.println("congestion control: " + control.describe());
    }

    @Override
    public void group(String transport, int ranks, CostModel model) {
        erase();
        groups.add(new RunResult.GroupModel(transport, ranks, model));
        if (this.ranks != ranks) {
            out.println();
            this.ranks = ranks;
        }
        String cost = Double.isNaN(model.alphaUs())
                ? ""
                : String.format(
                        Locale.ROOT,
                        ": alpha %.1f us, beta %.3f ns/B (stream of %.2f GB/s), %.3f ns/B (%.2f GB/s) each way in both at once",
                        model.alphaUs(),
                        1000 * model.betaUsPerByte(),
                        model.streamGBps(),
                        1000 * model.duplexUsPerByte(),
                        model.duplexGBps());
        out.println(transport + ", " + ranks + " ranks" + cost);
        headed = false;
    }

    @Override
    public void measuring(BenchCase what, int number, int total) {
        if (interactive) {
            err.print(ERASE_LINE + "[" + number + "/" + total + "] " + what + " ...");
            err.flush();
        }
    }

    @Override
    public void row(Row row) {
        erase();
        if (!headed) {
            out.println(TableFormat.header());
            headed = true;
        }
        rows.add(row);
        summary.add(row);
        out.println(TableFormat.line(row, summary.ratio(row)));
        out.flush();
        if (AllReduceAudit.covers(row)) {
            audits.add(AllReduceAudit.line(row));
        }
        try {
            if (csv != null) {
                csv.write(row);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the CSV file cannot be written", e);
        }
    }

    @Override
    public void problem(String text) {
        erase();
        problems.add(text);
        err.println("! " + text.replace("\n", "\n!   "));
        err.flush();
    }

    @Override
    public void floor(FloorSpeed speed) {
        erase();
        floor = speed;
        out.println(speed);
    }

    @Override
    public void absent(String text) {
        erase();
        absent.add(text);
        out.println("left out: " + text);
    }

    @Override
    public void version(String name, String version) {
        versions.put(name, version);
    }

    @Override
    public void noise(String text) {
        noise.add(text);
    }

    /**
     * Prints what the rows add up to.
     *
     * @param start facts that were known at the beginning
     * @return all that is known at the end
     */
    RunResult finish(RunFacts start) {
        erase();
        out.println();
        audits.forEach(out::println);
        summary.lines().forEach(out::println);
        absent.forEach(text -> out.println("left out: " + text));
        noise.forEach(text -> out.println("noisy machine: " + text));
        Map<String, String> all = new LinkedHashMap<>(start.versions());
        all.putAll(versions);
        RunFacts facts = new RunFacts(
                start.command(),
                start.commit(),
                start.startedAt(),
                start.machine(),
                all,
                congestionControl.describe(),
                List.copyOf(absent),
                List.copyOf(noise));
        return new RunResult(facts, floor, groups, rows, problems);
    }

    private void erase() {
        if (interactive) {
            err.print(ERASE_LINE);
            err.flush();
        }
    }
}
