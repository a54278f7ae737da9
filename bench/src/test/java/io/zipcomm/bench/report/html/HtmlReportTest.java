package io.zipcomm.bench.report.html;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.Cost;
import io.zipcomm.bench.report.Row;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("once")
final class HtmlReportTest {

    private static final int BYTES_MAX = 1_500_000;
    private static final SampleRun LARGE = SampleRun.large();
    private static String page;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeLargeRun() throws IOException {
        page = pageOf(LARGE);
    }

    private static String pageOf(SampleRun run) throws IOException {
        Path file = folder.resolve("report.html");
        run.write(file);
        return Files.readString(file);
    }

    static String withoutScripts(String html) {
        return html.replaceAll("(?s)<script[^>]*>.*?</script>", "");
    }

    private static int count(String pattern, String text) {
        return (int) Pattern.compile(pattern).matcher(text).results().count();
    }

    @Test
    void shouldLoadNothing() {
        assertEquals(0, count("<script[^>]*\\bsrc\\b", page));
        String html = withoutScripts(page);
        assertEquals(0, count("(?i)\\bsrc\\s*=", html));
        assertEquals(0, count("(?i)<(link|iframe|object|embed|base|form)\\b", html));
        assertEquals(0, count("(?i)@import|url\\(", html));
        Matcher links = Pattern.compile("href=\"([^\"]*)\"").matcher(html);
        int seen = 0;
        while (links.find()) {
            seen++;
            String target = links.group(1);
            assertTrue(target.startsWith("#"), target);
            assertTrue(html.contains("id=\"" + target.substring(1) + "\""), "nothing is at " + target);
        }
        assertTrue(seen > BenchOperation.values().length, seen + " links");
        assertTrue(
                html.contains("content=\"default-src &#39;none&#39;") || html.contains("content=\"default-src 'none'"));
    }

    @Test
    void shouldBeOfModestSize() {
        int bytes = page.getBytes(StandardCharsets.UTF_8).length;
        assertTrue(bytes < BYTES_MAX, bytes + " bytes");
    }

    @Test
    void shouldContainEveryRow() {
        String table = page.substring(page.indexOf("<table class=\"rows\">"));
        table = table.substring(0, table.indexOf("</table>"));
        assertEquals(LARGE.rows.size() + 1, count("<tr\\b", table));
        for (Row row : LARGE.rows) {
            String start = String.join(
                    "</td><td>",
                    row.operation().label(),
                    row.transport(),
                    row.algorithm(),
                    String.valueOf(row.ranks()),
                    row.operation().hasBytes() ? Units.size(row.bytes()) : "n/a",
                    String.valueOf(row.iterations()),
                    row.isMeasured() ? Units.time(row.p50Us()) : "failed");
            assertTrue(table.contains("<td>" + start + "</td>"), start);
        }
    }

    @Test
    void shouldLeaveNoCellEmpty() {
        assertEquals(0, count("<t[dh][^>]*>\\s*</t[dh]>", page));
        assertEquals(0, count(">[^<]*\\bNaN\\b", withoutScripts(page)));
    }

    @Test
    void shouldExplainMissingCells() {
        String html = withoutScripts(page);
        for (String note : List.of(
                "redis, failed at 64 MiB: rank 3: out of memory: maxmemory of the store.",
                "floor nio-spin, n/a: floors are measured with the round trip between two processes only.",
                "floor shm-spin, n/a: floors are measured with the round trip between two processes only.",
                "reducescatter, redis: no place was measured with both; this run has no reducescatter by redis.",
                "relay, wrong data at 512 KiB: a rank did not find the data it should.")) {
            assertTrue(html.contains("<li>" + note + "</li>"), note);
        }
    }

    @Test
    void shouldSayWhyAContestantIsAbsent() throws IOException {
        SampleRun run = SampleRun.empty();
        run.rows.add(row("tcp", BenchOperation.BROADCAST, 8));
        run.rows.add(row("mpi-tcp", BenchOperation.GATHER, 8));
        run.absent.add("mpi: mpirun is not installed");
        String html = withoutScripts(pageOf(run));
        assertTrue(html.contains("<li>mpi: mpirun is not installed</li>"), html);
        assertTrue(html.contains("no place was measured with both; mpi: mpirun is not installed."), html);
    }

    @Test
    void shouldSayWhenAGroupIsGivenUp() throws IOException {
        SampleRun run = SampleRun.empty();
        run.rows.add(row("tcp", BenchOperation.BROADCAST, 8));
        run.rows.add(Row.failed(BenchOperation.BROADCAST, "relay", "auto", 2, 8));
        run.problems.add("relay, 2 ranks: the rows that are left are given up, 4 groups have failed");
        String note = "<li>relay, failed: the rows that are left are given up, 4 groups have failed.</li>";
        assertTrue(pageOf(run).contains(note), note);
    }

    @Test
    void shouldEscapeWhatTheRunSays() throws IOException {
        SampleRun run = SampleRun.empty();
        String hostile = SampleRun.HOSTILE;
        run.rows.add(new Row(BenchOperation.GATHER, hostile, hostile, 2, 8, 1, 1, 1, 1, true, Cost.UNKNOWN));
        run.rows.add(new Row(BenchOperation.GATHER, hostile, hostile + 2, 2, 8, 1, 1, 1, 1, true, Cost.UNKNOWN));
        run.machine.put(hostile, hostile);
        run.absent.add(hostile);
        run.noise.add(hostile);
        run.problems.add(hostile);
        String html = pageOf(run);
        assertEquals(0, count("<img", withoutScripts(html)));
        assertEquals(0, count("onerror=alert\\(1\\)>", html));
        assertEquals(3, count("</script>", html), "the data, the library, and the script of the page");
        assertTrue(html.contains("&lt;/script&gt;&lt;img src"), html);
        assertTrue(html.contains("\\u003C/script\\u003E\\u003Cimg src"), "the legend's name is in the data");
    }

    @Test
    void shouldShowPredictionsWhenThereAreAny() throws IOException {
        assertTrue(page.contains("id=\"simulation\""));
        assertTrue(page.contains("Predicted time of allreduce, 16 MiB against ranks. ring "), "label of the plot");
        SampleRun run = SampleRun.empty();
        run.rows.add(row("tcp", BenchOperation.BROADCAST, 8));
        assertFalse(pageOf(run).contains("simulation\""));
    }

    @Test
    void shouldSayWhatDrawsItsPlots() {
        assertTrue(page.contains("Apache ECharts " + Assets.chartsVersion() + ", Apache License 2.0"));
        assertTrue(page.contains("The Apache Software Foundation"));
    }

    @Test
    void shouldFindOutBeforeTheRunWhetherItCanBeWritten() throws IOException {
        Path file = folder.resolve("new.html");
        HtmlReport.checkWritable(file);
        assertFalse(Files.exists(file), "nothing is left by the check");
        Files.writeString(file, "old");
        HtmlReport.checkWritable(file);
        assertEquals("old", Files.readString(file));
        assertThrows(IOException.class, () -> HtmlReport.checkWritable(folder));
        assertThrows(IOException.class, () -> HtmlReport.checkWritable(folder.resolve("no/such/folder.html")));
    }

    private static Row row(String transport, BenchOperation operation, long bytes) {
        return new Row(operation, transport, "x", 2, bytes, 10, 20, 30, Double.NaN, true, Cost.UNKNOWN);
    }
}
