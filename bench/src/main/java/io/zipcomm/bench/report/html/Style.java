package io.zipcomm.bench.report.html;

import java.util.List;

/**
 * How a line is drawn: a colour for screens, and for readers who cannot tell colours apart or print in black a dash and a
 * marker.
 *
 * @param color  as CSS has it; of a palette that is safe for the colour-blind
 * @param dash   lengths of dash and gap in turn, as SVG has them; empty for a solid line
 * @param marker an SVG path within 10 by 10
 * @param hollow whether the marker is an outline
 */
record Style(String color, String dash, String marker, boolean hollow) {

    private static final String CIRCLE = "M10 5A5 5 0 1 1 0 5A5 5 0 1 1 10 5Z";
    private static final String SQUARE = "M0 0H10V10H0Z";
    private static final String TRIANGLE = "M5 0L10 10H0Z";
    private static final String DIAMOND = "M5 0L10 5L5 10L0 5Z";
    private static final String WEDGE = "M0 0H10L5 10Z";
    private static final String CROSS = "M3 0H7V3H10V7H7V10H3V7H0V3H3Z";
    private static final List<String> MARKERS = List.of(CIRCLE, SQUARE, TRIANGLE, DIAMOND, WEDGE, CROSS);

    private static final List<Style> STYLES = List.of(
            new Style("#0060a8", "", CIRCLE, false),
            new Style("#5b3fb5", "", DIAMOND, true),
            new Style("#7d83c9", "4 2", WEDGE, true),
            new Style("#2f9bd6", "7 3", CIRCLE, true),
            new Style("#c44e00", "2 2", TRIANGLE, false),
            new Style("#d0761a", "14 3 2 3 2 3", SQUARE, true),
            new Style("#00795a", "9 3 2 3", SQUARE, false),
            new Style("#b0428a", "12 4", DIAMOND, false),
            new Style("#444444", "1 3", CROSS, false),
            new Style("#8a6d00", "5 2 1 2 1 2", WEDGE, false));

    /** The style of a line by its number; numbers beyond the list begin again, with outlines for markers. */
    static Style of(int number) {
        Style style = STYLES.get(number % STYLES.size());
        return number < STYLES.size() ? style : style.variant(number / STYLES.size());
    }

    /** The same colour for another line: with another dash and, every other time, another marker. 0 is this style. */
    Style variant(int number) {
        if (number == 0) {
            return this;
        }
        int dashes = (STYLES.indexOf(this) + 3 * number) % STYLES.size();
        String shape = MARKERS.get((MARKERS.indexOf(marker) + number / 2) % MARKERS.size());
        return new Style(color, STYLES.get(dashes).dash, shape, (number % 2 == 1) != hollow);
    }

    /** What fills the marker. */
    String fill() {
        return hollow ? "#fff" : color;
    }
}
