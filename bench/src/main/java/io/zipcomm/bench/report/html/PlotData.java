package io.zipcomm.bench.report.html;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;

/** Plots as JSON that can stand in a page. */
final class PlotData {

    private static final double DIGITS = 1e5;

    private PlotData() {}

    /** An array of plots. It holds no character with which HTML could begin. */
    static String json(List<Plot> plots) throws IOException {
        StringWriter out = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.setCharacterEscapes(new PageEscapes());
            json.writeStartArray();
            for (Plot plot : plots) {
                write(json, plot);
            }
            json.writeEndArray();
        }
        return out.toString();
    }

    private static void write(JsonGenerator json, Plot plot) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", plot.id());
        json.writeStringField("x", plot.x().name().toLowerCase(Locale.ROOT));
        json.writeStringField("y", plot.y().name().toLowerCase(Locale.ROOT));
        json.writeStringField("xTitle", plot.x().title);
        json.writeArrayFieldStart("lines");
        for (Plot.Line line : plot.lines()) {
            json.writeStartObject();
            json.writeStringField("name", line.label());
            json.writeStringField("color", line.style().color());
            json.writeStringField("dash", line.style().dash());
            json.writeStringField("marker", line.style().marker());
            json.writeStringField("fill", line.style().fill());
            json.writeArrayFieldStart("points");
            for (Plot.Point point : line.points()) {
                json.writeStartArray();
                json.writeNumber((long) point.x());
                if (point.isKnown()) {
                    json.writeNumber(rounded(point.y()));
                } else {
                    json.writeNull();
                }
                json.writeEndArray();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** Six digits: more than a plot or its tip shows, and less than half of the page. */
    private static double rounded(double value) {
        double scale = DIGITS / Math.pow(10, Math.floor(Math.log10(value)));
        return Math.round(value * scale) / scale;
    }

    /** A closing tag or the start of a comment would end the script element that the data stand in. */
    private static final class PageEscapes extends CharacterEscapes {

        @Override
        public int[] getEscapeCodesForAscii() {
            int[] escapes = standardAsciiEscapesForJSON();
            escapes['<'] = ESCAPE_STANDARD;
            escapes['>'] = ESCAPE_STANDARD;
            escapes['&'] = ESCAPE_STANDARD;
            return escapes;
        }

        @Override
        public SerializableString getEscapeSequence(int character) {
            return null; // no escapes but the standard ones
        }
    }
}
