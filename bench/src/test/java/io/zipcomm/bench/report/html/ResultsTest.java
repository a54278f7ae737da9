package io.zipcomm.bench.report.html;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.report.Cost;
import io.zipcomm.bench.report.Row;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ResultsTest {

    private static Row row(String transport, String algorithm, long bytes, double p50Us) {
        return new Row(
                BenchOperation.ALLREDUCE,
                transport,
                algorithm,
                2,
                bytes,
                10,
                p50Us,
                p50Us,
                Double.NaN,
                true,
                Cost.UNKNOWN);
    }

    @Test
    void shouldDrawOneLineWhateverTheLibraryChose() {
        Results results = new Results(List.of(row("tcp", "doubling", 8, 10), row("tcp", "ring", 1024, 20)));
        assertEquals(List.of("tcp"), labels(results));
    }

    @Test
    void shouldDrawALineForEachAlgorithmThatWasMeasuredAtTheSamePlace() {
        Results results = new Results(List.of(
                row("redis", "gather", 8, 10), row("redis", "scatter-reduce", 8, 20), row("tcp", "ring", 8, 5)));
        assertEquals(List.of("tcp", "redis gather", "redis scatter-reduce"), labels(results));
    }

    @Test
    void shouldGiveEveryContestantAStyleThatItsDashOrMarkerTells() {
        List<Row> rows = new ArrayList<>();
        for (String contestant : List.of(
                "auto", "mpi-shm", "mpi-tcp", "redis-tuned", "redis", "relay", "aeron-udp", "aeron-ipc", "tcp")) {
            rows.add(row(contestant, "gather", 8, 10));
            if (contestant.startsWith("redis")) {
                rows.add(row(contestant, "scatter-reduce", 8, 20));
            }
        }
        rows.add(row(Row.FLOOR, Means.SOCKETS.floor(), 8, 10));
        rows.add(row(Row.FLOOR, Means.SHARED_MEMORY.floor(), 8, 10));
        Results results = new Results(rows);
        assertEquals(
                List.of(
                        "tcp",
                        "aeron-ipc",
                        "aeron-udp",
                        "relay",
                        "redis",
                        "redis-tuned",
                        "mpi-tcp",
                        "mpi-shm",
                        "floor",
                        "auto"),
                results.contestants());
        List<Series> series = results.series(BenchOperation.ALLREDUCE);
        assertEquals(13, series.size());
        assertEquals(13, series.stream().map(ResultsTest::shape).distinct().count(), series.toString());
    }

    private static String shape(Series series) {
        return series.style().dash() + series.style().marker() + series.style().hollow();
    }

    private static List<String> labels(Results results) {
        return results.series(BenchOperation.ALLREDUCE).stream()
                .map(Series::label)
                .toList();
    }

    @Test
    void shouldCompareWithTheFastestRowOfTheLibrary() {
        Row redis = row("redis", "gather", 8, 30);
        Results results = new Results(List.of(row("tcp", "ring", 8, 10), row("tcp", "doubling", 8, 5), redis));
        assertEquals(6, results.ratio(redis), 1e-9);
    }

    @Test
    void shouldCompareByTheSameMeansWhereItCan() {
        List<Row> rows = List.of(
                row("tcp", "ring", 8, 10),
                row("aeron-ipc", "ring", 8, 2),
                row("mpi-tcp", "default", 8, 20),
                row("mpi-shm", "default", 8, 3),
                row(Row.FLOOR, Means.SOCKETS.floor(), 8, 5),
                row(Row.FLOOR, Means.SHARED_MEMORY.floor(), 8, 1));
        Results results = new Results(rows);
        assertEquals(
                List.of(2.0, 1.5, 0.5, 0.5),
                rows.stream().skip(2).map(results::ratio).toList());
        assertEquals(
                "tcp, aeron-ipc for mpi-shm and floor shm-spin",
                results.references(rows).orElseThrow());
        assertEquals(
                "tcp",
                new Results(rows.subList(0, 3)).references(rows.subList(2, 3)).orElseThrow());
        List<Overview.Headline> headlines = new Overview(results, new Gaps(results, List.of(), List.of())).headlines();
        assertEquals(
                List.of(
                        "rows: 6 all verified",
                        "mpi-tcp ÷ tcp: 2.00× geometric mean of the times, 1 place; least 2.00× at allreduce 8 B, 2 ranks",
                        "mpi-shm ÷ aeron-ipc: 1.50× geometric mean of the times, 1 place; least 1.50× at allreduce 8 B, 2 ranks",
                        "ping-pong, 8 B: 2.00× time of tcp over the floor of plain sockets, 5.00 µs",
                        "ping-pong, 8 B: 2.00× time of aeron-ipc over the floor of shared memory, 1.00 µs"),
                headlines.stream()
                        .map(one -> one.title() + ": " + one.value() + " " + one.detail())
                        .toList());
    }

    @Test
    void shouldNotCompareWithWrongData() {
        Row wrong = new Row(BenchOperation.ALLREDUCE, "tcp", "ring", 2, 8, 10, 1, 1, Double.NaN, false, Cost.UNKNOWN);
        Row redis = row("redis", "gather", 8, 30);
        assertTrue(Double.isNaN(new Results(List.of(wrong, redis)).ratio(redis)));
    }

    @Test
    void shouldSumUpTheEfficiencyOfTheLibraryOnly() {
        List<Row> rows = List.of(rated("tcp", 0.5), rated("redis", 0.1), rated("redis-tuned", 0.2));
        Results results = new Results(rows);
        Table table = new Overview(results, new Gaps(results, List.of(), List.of()))
                .efficiencies()
                .orElseThrow();
        assertEquals(List.of("tcp, 2 ranks"), table.heads());
    }

    private static Row rated(String transport, double efficiency) {
        return new Row(BenchOperation.ALLREDUCE, transport, "x", 2, 8, 10, 1, 1, efficiency, true, Cost.UNKNOWN);
    }

    @Test
    void shouldSumUpByTheGeometricMean() {
        Results results = new Results(List.of(
                row("tcp", "ring", 8, 10),
                row("tcp", "ring", 16, 10),
                row("mpi-tcp", "default", 8, 20),
                row("mpi-tcp", "default", 16, 5),
                row("redis", "slow", 8, 500),
                row("redis", "fast", 8, 20)));
        Table ratios = new Overview(results, new Gaps(results, List.of(), List.of()))
                .ratios()
                .orElseThrow();
        assertEquals(List.of("redis", "mpi-tcp"), ratios.heads());
        List<Cell> cells = ratios.lines().get(0).cells();
        assertEquals("2.00×", cells.get(0).ratio());
        assertEquals("least 2.00× at 8 B, 2 ranks", cells.get(0).text());
        assertEquals("1.00×", cells.get(1).ratio());
        assertEquals("least 0.500× at 16 B, 2 ranks", cells.get(1).text());
    }
}
