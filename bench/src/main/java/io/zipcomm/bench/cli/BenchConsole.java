package io.zipcomm.bench.cli;

import io.zipcomm.bench.cluster.BenchListener;
import io.zipcomm.bench.doctor.Doctor;
import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.report.AllReduceAudit;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.CsvFile;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.report.Summary;
import io.zipcomm.bench.report.TableFormat;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Shows a run on the terminal while it goes on: each row as it comes, and on a terminal what is being measured. */
final class BenchConsole implements BenchListener {

    private static final String ERASE_LINE = "\r\033[K";

    private final PrintStream out;
    private final PrintStream err;
    private final boolean interactive;
    private final CsvFile csv;
    private final Summary summary = new Summary(Doctor.kernelSetting("tcp_congestion_control"));
    private final List<String> audits = new ArrayList<>();
    private boolean anyGroup;

    /**
     * A console.
     *
     * @param out         for the table
     * @param err         for progress and problems
     * @param interactive whether {@code err} is a terminal, on which a line can be replaced
     * @param csv         receives the rows too; may be null
     */
    BenchConsole(PrintStream out, PrintStream err, boolean interactive, CsvFile csv) {
        this.out = out;
        this.err = err;
        this.interactive = interactive;
        this.csv = csv;
    }

    @Override
    public void group(String transport, int ranks, CostModel model) {
        erase();
        if (anyGroup) {
            out.println();
        }
        String cost = Double.isNaN(model.alphaUs())
                ? ""
                : String.format(
                        Locale.ROOT,
                        ": alpha %.1f us, beta %.3f ns/B (stream of %.2f GB/s)",
                        model.alphaUs(),
                        1000 * model.betaUsPerByte(),
                        model.streamGBps());
        out.println(transport + ", " + ranks + " ranks" + cost);
        anyGroup = true;
        out.println(TableFormat.header());
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
        out.println(TableFormat.line(row));
        out.flush();
        summary.add(row);
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
        summary.addProblem();
        err.println("! " + text.replace("\n", "\n!   "));
        err.flush();
    }

    /**
     * Prints what the rows add up to.
     *
     * @return whether all is well
     */
    boolean finish() {
        erase();
        out.println();
        audits.forEach(out::println);
        summary.lines().forEach(out::println);
        return summary.isGood();
    }

    private void erase() {
        if (interactive) {
            err.print(ERASE_LINE);
            err.flush();
        }
    }
}
