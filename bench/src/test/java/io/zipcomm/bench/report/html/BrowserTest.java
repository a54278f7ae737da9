package io.zipcomm.bench.report.html;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.Cost;
import io.zipcomm.bench.report.Row;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page as a browser has it after its script has run. */
@Tag("once")
final class BrowserTest {

    private static final List<String> BROWSERS = List.of("chromium", "chromium-browser", "google-chrome");
    private static final Pattern PLOT = Pattern.compile("<div class=\"plot\"[^>]*>\\s*(<div[^>]*>\\s*<svg)?");
    private static final long LIMIT_S = 90;

    @TempDir
    private Path folder;

    private Path browser;

    @BeforeEach
    void findBrowser() {
        Optional<Path> found = Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
                .flatMap(path -> BROWSERS.stream().map(name -> Path.of(path, name)))
                .filter(Files::isExecutable)
                .findFirst();
        assumeTrue(found.isPresent(), "none of " + BROWSERS + " is installed");
        browser = found.orElseThrow();
    }

    @Test
    void shouldDrawEveryPlotOfALargeRun() throws IOException, InterruptedException {
        // Nine operations with three plots for each of three group sizes, a barrier with two, a simulation with three.
        assertPlots(9 * 3 * 3 + 2 + 3, open(SampleRun.large()));
    }

    @Test
    void shouldDrawASinglePoint() throws IOException, InterruptedException {
        SampleRun run = SampleRun.empty();
        run.rows.add(new Row(BenchOperation.GATHER, "tcp", "linear", 2, 8, 10, 20, 30, 0.5, true, Cost.UNKNOWN));
        assertPlots(3, open(run));
    }

    @Test
    void shouldDrawEfficienciesThatANoisyMachineMakesUp() throws IOException, InterruptedException {
        SampleRun run = SampleRun.empty();
        run.rows.add(new Row(BenchOperation.GATHER, "tcp", "linear", 2, 8, 10, 20, 30, 64, true, Cost.UNKNOWN));
        String dom = open(run);
        assertPlots(3, dom);
        int labels = (int) Pattern.compile("</text>").matcher(dom).results().count();
        assertTrue(labels < 60, labels + " labels on three plots");
        assertTrue(dom.contains("<li>η far above 1: "), "that the efficiencies mean little");
    }

    @Test
    void shouldSurviveARunInWhichEverythingFailed() throws IOException, InterruptedException {
        SampleRun run = SampleRun.empty();
        run.rows.add(Row.failed(BenchOperation.GATHER, "tcp", "auto", 2, 8));
        assertPlots(0, open(run));
    }

    @Test
    void shouldNotRunWhatARunSays() throws IOException, InterruptedException {
        SampleRun run = SampleRun.empty();
        String name = SampleRun.HOSTILE;
        run.rows.add(new Row(BenchOperation.GATHER, name, name, 2, 8, 10, 20, 30, 0.5, true, Cost.UNKNOWN));
        String dom = open(run);
        assertPlots(3, dom);
        assertEquals(
                0,
                Pattern.compile("<img")
                        .matcher(HtmlReportTest.withoutScripts(dom))
                        .results()
                        .count());
    }

    private static void assertPlots(int expected, String dom) {
        String html = HtmlReportTest.withoutScripts(dom);
        List<String> drawn = PLOT.matcher(html)
                .results()
                .map(result -> result.group(1) == null ? "empty" : "drawn")
                .toList();
        assertEquals(expected, drawn.size());
        assertEquals(expected, drawn.stream().filter("drawn"::equals).count());
        assertEquals(
                0, Pattern.compile(" d=\"[^\"]*NaN").matcher(html).results().count());
        assertTrue(html.contains("role=\"alert\" hidden=\"\"></p>"), "the script complains");
        assertTrue(html.contains("<button type=\"button\">p50</button>"), "the script came to its end");
    }

    /** The document, once the script has run. */
    private String open(SampleRun run) throws IOException, InterruptedException {
        Path page = folder.resolve("report.html");
        Path dom = folder.resolve("dom.html");
        Path errors = folder.resolve("errors");
        run.write(page);
        List<String> options = List.of(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--user-data-dir=" + folder.resolve("profile"),
                "--dump-dom",
                page.toUri().toString());
        Process process = new ProcessBuilder(Stream.concat(Stream.of(browser.toString()), options.stream())
                        .toList())
                .redirectOutput(dom.toFile())
                .redirectError(errors.toFile())
                .start();
        try {
            assertTrue(
                    process.waitFor(LIMIT_S, TimeUnit.SECONDS), "the browser has not ended within " + LIMIT_S + " s");
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
        assertEquals(0, process.exitValue(), Files.readString(errors));
        return Files.readString(dom);
    }
}
