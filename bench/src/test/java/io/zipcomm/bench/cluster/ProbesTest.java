package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Selection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The measurements that are no table of operations. */
@Tag("once")
final class ProbesTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

    private static Selection allReduce(int ranks, long bytes, List<String> transports) {
        return new Selection(List.of(BenchOperation.ALLREDUCE), List.of(ranks), List.of(bytes), transports, null, 0);
    }

    private List<String> lines() {
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void shouldShowThatSurvivorsNameTheKilledRank() throws InterruptedException {
        boolean good = new KillRun(allReduce(4, 4 << 20, List.of("tcp", "relay")), out, out).run();
        assertTrue(good, lines().toString());
        assertEquals(
                6,
                lines().stream().filter(line -> line.contains(" ended after ")).count());
        assertTrue(lines().stream()
                .filter(line -> line.contains(" ended after "))
                .allMatch(line -> line.contains("rank 2")));
    }

    @Test
    void shouldTimeAColdStart() throws InterruptedException {
        boolean good = new ColdStartRun(allReduce(2, 8, List.of("tcp")), 1, out, out).run();
        assertTrue(good, lines().toString());
        assertTrue(lines().stream().anyMatch(line -> line.matches("tcp +2 +without archive .*")), lines().toString());
    }

    @Test
    void shouldMeasureWhatARankTakes() throws InterruptedException, IOException {
        boolean good = new FootprintRun(allReduce(2, 8, List.of("tcp")), 1, out, out).run();
        assertTrue(good, lines().toString());
        assertTrue(
                lines().stream().anyMatch(line -> line.matches("tcp +2( +\\d+){3} +-( +\\d+\\.\\d){5}")),
                lines().toString());
    }
}
