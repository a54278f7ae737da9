package io.zipcomm.bench.report.html;

import io.zipcomm.bench.report.Row;

/**
 * One line of a plot, one column of a comparison.
 *
 * @param transport of its rows
 * @param algorithm of its rows; null if the contestant has one row in each place, whatever it chose there
 * @param style     how it is drawn
 */
record Series(String transport, String algorithm, Style style) {

    /** Its name in legends and table heads. */
    String label() {
        return algorithm == null ? transport : transport + " " + algorithm;
    }

    boolean has(Row row) {
        return row.transport().equals(transport)
                && (algorithm == null || row.algorithm().equals(algorithm));
    }
}
