package io.zipcomm.bench.report;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Rows as a CSV file, written out after each row so that an interrupted run leaves what it has. */
public final class CsvFile implements AutoCloseable {

    /** The first line. */
    public static final String HEADER =
            "op,transport,algorithm,ranks,bytes,iterations,p50_us,p99_us,busbw_GBps,eta,verified";

    private final BufferedWriter out;

    private CsvFile(BufferedWriter out) {
        this.out = out;
    }

    /** Creates or replaces a file and writes the header. */
    public static CsvFile create(Path file) throws IOException {
        CsvFile csv = new CsvFile(Files.newBufferedWriter(file));
        csv.line(HEADER);
        return csv;
    }

    /** Adds a row. */
    public void write(Row row) throws IOException {
        line(format(row));
    }

    /** A row as a line. What was not measured is an empty field. */
    static String format(Row row) {
        return String.join(
                ",",
                row.operation().label(),
                row.transport(),
                row.algorithm(),
                Integer.toString(row.ranks()),
                Long.toString(row.bytes()),
                Integer.toString(row.iterations()),
                number("%.3f", row.p50Us()),
                number("%.3f", row.p99Us()),
                number("%.6f", row.busGBps()),
                number("%.4f", row.efficiency()),
                Boolean.toString(row.verified()));
    }

    private static String number(String format, double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, format, value);
    }

    private void line(String text) throws IOException {
        out.write(text);
        out.write('\n');
        out.flush();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
