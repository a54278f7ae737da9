package io.zipcomm.bench.report.html;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.report.html.Results.Task;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Explains what was not measured. */
final class Gaps {

    static final String FAILED = "failed";
    static final String WRONG = "wrong data";
    static final String NOT_RUN = "not run";
    static final String NOT_APPLICABLE = "n/a";
    static final String NOT_COUNTED = "n/c";

    private static final int FLOOR_RANKS = 2;
    private static final int REASON_CHARS_MAX = 160;

    private final Results results;
    private final List<String> problems;
    private final List<String> absent;

    /**
     * What the explanations are taken from.
     *
     * @param problems what went wrong in the run, in its words
     * @param absent   contestants that could not be run, each with the reason
     */
    Gaps(Results results, List<String> problems, List<String> absent) {
        this.results = results;
        this.problems = problems;
        this.absent = absent;
    }

    /** Why the row of a series at a task has no time, or none that counts; empty if it has. */
    Optional<Gap> of(Task task, Series series) {
        Optional<Row> row = results.row(task, series);
        if (row.isEmpty()) {
            return Optional.of(missing(task, series));
        }
        if (!row.get().isMeasured()) {
            return Optional.of(new Gap(FAILED, problemOf(task, series, "the measurement failed")));
        }
        return row.get().verified()
                ? Optional.empty()
                : Optional.of(new Gap(WRONG, problemOf(task, series, "a rank did not find the data it should")));
    }

    private Gap missing(Task task, Series series) {
        if (isOutsideFloor(task, series.transport())) {
            return new Gap(NOT_APPLICABLE, "floors are measured with the round trip between two processes only");
        }
        if (series.algorithm() != null && results.best(task, series.transport()).isPresent()) {
            return new Gap(NOT_RUN, series.transport() + " was measured with another algorithm there");
        }
        return new Gap(NOT_RUN, problemOf(task, series, whyAbsent(task.operation(), series.transport())));
    }

    private static boolean isOutsideFloor(Task task, String contestant) {
        return contestant.equals(Row.FLOOR)
                && (task.operation() != BenchOperation.PINGPONG || task.ranks() != FLOOR_RANKS);
    }

    /** Why a contestant has nothing to show for an operation at all. */
    String whyAbsent(BenchOperation operation, String contestant) {
        return absent.stream()
                .filter(text -> contestant.startsWith(text.split(":", 2)[0]))
                .findFirst()
                .orElseGet(() -> results.of(operation).stream()
                                .noneMatch(row -> row.transport().equals(contestant))
                        ? "this run has no " + operation.label() + " by " + contestant
                        : "it was not among what this run was asked for, or the run ended before");
    }

    /** The problem that names the task, or else the one that names the group; in the words that follow the name. */
    private String problemOf(Task task, Series series, String otherwise) {
        String name = new BenchCase(task.operation(), series.transport(), task.ranks(), task.bytes()).toString();
        String group = series.transport() + ", " + task.ranks() + " ranks";
        return Stream.of(name, group + ":", group + ", starting:")
                .flatMap(subject -> problems.stream()
                        .filter(text -> text.contains(subject))
                        .map(text -> shortened(text.substring(text.indexOf(subject) + subject.length()))))
                .filter(text -> !text.isEmpty())
                .findFirst()
                .orElse(otherwise);
    }

    private static String shortened(String text) {
        String line = text.replaceFirst("^[:\\s]+", "").replaceAll("\\s+", " ");
        return line.length() <= REASON_CHARS_MAX ? line : line.substring(0, REASON_CHARS_MAX) + " …";
    }
}
