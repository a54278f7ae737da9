package io.zipcomm.bench.report.html;

import java.util.List;

/**
 * A table whose first column names its rows.
 *
 * @param caption what it shows
 * @param corner  what the first column holds
 * @param heads   of the other columns
 * @param lines   one for each row
 * @param notes   what its gaps mean, one sentence each
 */
record Table(String caption, String corner, List<String> heads, List<Line> lines, List<String> notes) {

    /** A row of the table. */
    record Line(String name, List<Cell> cells) {}
}
