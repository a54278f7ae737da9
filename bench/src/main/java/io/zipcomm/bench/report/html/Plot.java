package io.zipcomm.bench.report.html;

import java.util.List;

/**
 * A plot: what the script draws, and what is said of it to those who do not see it.
 *
 * @param id      of its element
 * @param title   what it shows
 * @param label   in words, for screen readers
 * @param x       what is on the horizontal axis, logarithmic to base 2
 * @param y       what is on the vertical axis
 * @param lines   at least one
 */
record Plot(String id, String title, String label, X x, Y y, List<Line> lines) {

    /** Horizontal axes. */
    enum X {
        SIZE("message size M"),
        RANKS("ranks");

        final String title;

        X(String title) {
            this.title = title;
        }
    }

    /** Vertical axes: all logarithmic but the one of efficiency. */
    enum Y {
        TIME("median time"),
        PREDICTED("predicted time"),
        BANDWIDTH("bus bandwidth"),
        EFFICIENCY("efficiency η"),
        MEMORY("memory for each rank");

        final String title;

        Y(String title) {
            this.title = title;
        }
    }

    /** A point; y is NaN where the line is interrupted. Microseconds, GB/s, bytes, or a fraction. */
    record Point(double x, double y) {

        boolean isKnown() {
            return y > 0;
        }
    }

    /** A line. */
    record Line(String label, Style style, List<Point> points) {

        boolean isEmpty() {
            return points.stream().noneMatch(Point::isKnown);
        }
    }
}
