package io.zipcomm.bench.report.html;

import com.samskivert.mustache.Mustache;
import com.samskivert.mustache.Template;
import io.zipcomm.bench.report.Prediction;
import io.zipcomm.bench.report.RunResult;
import java.io.IOException;
import java.io.StringReader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** A run as one HTML page: it loads nothing, so that it can be mailed, archived, printed and opened from a disk. */
public final class HtmlReport {

    private HtmlReport() {}

    /**
     * Makes sure that a report can be written once the run is over. What is in the file stays there.
     *
     * @throws IOException if it cannot
     */
    public static void checkWritable(Path file) throws IOException {
        boolean existed = Files.exists(file);
        Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)
                .close();
        if (!existed) {
            Files.delete(file);
        }
    }

    /**
     * Creates or replaces a file.
     *
     * @param run         its rows in any order, several of one contestant at one place if it was measured with several
     *                    algorithms
     * @param predictions of a simulation; may be empty
     */
    public static void write(Path file, RunResult run, List<Prediction> predictions) throws IOException {
        Template template = Mustache.compiler()
                .emptyStringIsFalse(true)
                .zeroIsFalse(true)
                .withLoader(name -> new StringReader(Assets.own(name + ".html")))
                .compile(Assets.own("report.html"));
        Page page = new Page(run, predictions);
        try (Writer out = Files.newBufferedWriter(file)) {
            template.execute(page, out);
        }
    }
}
