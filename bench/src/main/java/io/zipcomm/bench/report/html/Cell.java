package io.zipcomm.bench.report.html;

import io.zipcomm.bench.report.Row;

/**
 * A field of a table.
 *
 * @param text  what it says
 * @param ratio said beside it; may be empty
 * @param heat  its class: how warm; may be empty
 */
record Cell(String text, String ratio, String heat) {

    private static final double[] STEPS = {0.77, 1, 1.3, 2, 5, 12};

    static Cell plain(String text) {
        return new Cell(text, "", "");
    }

    static Cell of(Gap gap) {
        return new Cell(gap.word(), "", "gap");
    }

    /** A time and, where there is one, its ratio to the reference. */
    static Cell timed(Row row, double ratio) {
        return Double.isNaN(ratio)
                ? plain(Units.time(row.p50Us()))
                : new Cell(Units.time(row.p50Us()), Units.ratio(ratio), heat(ratio));
    }

    /** The class of a ratio: {@code heat0}, others are much faster, to {@code heat6}, the library is much faster. */
    static String heat(double ratio) {
        int step = 0;
        while (step < STEPS.length && ratio >= STEPS[step]) {
            step++;
        }
        return "heat" + step;
    }
}
