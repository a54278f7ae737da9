package io.zipcomm.bench.simulate;

import io.zipcomm.bench.report.Prediction;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Predictions as a CSV file. */
public final class PredictionFile implements AutoCloseable {

    /** The first line. Bytes are those that were asked for and those that were simulated; all sizes are in bytes. */
    public static final String HEADER = "op,algorithm,ranks,bytes,simulated_bytes,seconds,eta,sent_bytes_max,messages,"
            + "memory_bytes_max,scratch_bytes_max,unexpected_bytes_max,plan_bytes_max";

    private final Path file;
    private final PrintWriter out;

    private PredictionFile(Path file, PrintWriter out) {
        this.file = file;
        this.out = out;
    }

    /** Creates or replaces a file and writes the header. */
    public static PredictionFile create(Path file) throws IOException {
        PredictionFile predictions = new PredictionFile(file, new PrintWriter(Files.newBufferedWriter(file)));
        predictions.line(HEADER);
        return predictions;
    }

    /** Adds a prediction; it is in the file afterwards. */
    public void write(Prediction prediction, Outcome outcome) {
        line(String.format(
                Locale.ROOT,
                "%s,%s,%d,%d,%d,%.9f,%s,%d,%d,%d,%d,%d,%d",
                prediction.operation(),
                prediction.algorithm(),
                prediction.ranks(),
                prediction.bytes(),
                outcome.bytes(),
                prediction.seconds(),
                Double.isNaN(prediction.efficiency())
                        ? ""
                        : String.format(Locale.ROOT, "%.4f", prediction.efficiency()),
                outcome.sentBytesMax(),
                outcome.messages(),
                outcome.memoryBytesMax(),
                outcome.scratchBytesMax(),
                outcome.unexpectedBytesMax(),
                outcome.planBytesMax()));
    }

    private void line(String text) {
        out.print(text);
        out.print('\n');
        if (out.checkError()) {
            throw new UncheckedIOException(new IOException(file + " cannot be written"));
        }
    }

    @Override
    public void close() {
        out.close();
    }
}
