package io.zipcomm.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SummaryTest {

    private static final CongestionControl CUBIC = new CongestionControl("cubic", false);
    private static final CongestionControl BBR = new CongestionControl("bbr", false);

    private static Row pingPong(String transport, long bytes, double p50Us) {
        return pingPong(transport, "x", bytes, p50Us);
    }

    private static Row pingPong(String transport, String algorithm, long bytes, double p50Us) {
        return new Row(
                BenchOperation.PINGPONG, transport, algorithm, 2, bytes, 10, p50Us, p50Us, 1, true, Cost.UNKNOWN);
    }

    private static Row floor(Means means, long bytes, double p50Us) {
        return pingPong(Row.FLOOR, means.floor(), bytes, p50Us);
    }

    @Test
    void shouldCompareWithTheFloorOfTheSameSize() {
        Summary summary = new Summary(CUBIC);
        summary.add(pingPong("tcp", 8, 12));
        summary.add(pingPong("tcp", 1024, 999));
        summary.add(pingPong("relay", 8, 50));
        summary.add(floor(Means.SOCKETS, 8, 10));
        String line = summary.lines().get(0);
        assertTrue(line.startsWith("pingpong 8 B over tcp: 12.0 us, 1.20 times the floor of 10.0 us"), line);
        assertEquals(2, summary.lines().size());
    }

    @Test
    void shouldSayWhenTheFloorHasAnotherCongestionControl() {
        Summary summary = new Summary(BBR);
        summary.add(pingPong("tcp", 8, 12));
        assertEquals(1, summary.lines().size(), "there is no floor yet");
        summary.add(floor(Means.SOCKETS, 8, 10));
        assertTrue(
                summary.lines().get(1).contains("system's default, bbr"),
                summary.lines().get(1));
    }

    @Test
    void shouldSayWhenTheFloorIsFar() {
        Summary summary = new Summary(CUBIC);
        summary.add(floor(Means.SOCKETS, 8, 10));
        summary.add(pingPong("tcp", 8, 16));
        assertTrue(
                summary.lines().get(0).endsWith("ABOVE THE GOAL"),
                summary.lines().get(0));
    }

    @Test
    void shouldCompareEachTransportWithItsOwnFloor() {
        Summary summary = new Summary(CUBIC);
        summary.add(pingPong("tcp", 8, 12));
        summary.add(pingPong("aeron-ipc", 8, 1.5));
        summary.add(pingPong("aeron-udp", 8, 15));
        summary.add(pingPong("aeron-ipc", 1024, 3));
        summary.add(floor(Means.SHARED_MEMORY, 1024, 1));
        summary.add(floor(Means.SHARED_MEMORY, 8, 0.25));
        summary.add(floor(Means.SOCKETS, 8, 10));
        assertEquals(
                List.of(
                        "pingpong 8 B over tcp: 12.0 us, 1.20 times the floor of 10.0 us (plain spinning SocketChannel; goal:"
                                + " at most 1.3)",
                        "pingpong 8 B over aeron-ipc: 1.50 us, 6.00 times the floor of 0.25 us (one mapped cache line each,"
                                + " spinning); goal: at most 2.0 us with two cores to spin on: met",
                        "pingpong 1KiB over aeron-ipc: 3.00 us, 3.00 times the floor of 1.00 us (one mapped cache line each,"
                                + " spinning)"),
                summary.lines().subList(0, 3));
        assertEquals(4, summary.lines().size());
    }

    @Test
    void shouldSayWhenSharedMemoryIsSlow() {
        Summary summary = new Summary(CUBIC);
        summary.add(pingPong("aeron-ipc", 8, 2.1));
        summary.add(floor(Means.SHARED_MEMORY, 8, 0.25));
        assertTrue(
                summary.lines().get(0).endsWith("on:  ABOVE THE GOAL"),
                summary.lines().get(0));
    }

    @Test
    void shouldNameRowsThatAreNotVerified() {
        Summary summary = new Summary(CUBIC);
        summary.add(pingPong("tcp", 8, 12));
        summary.add(new Row(BenchOperation.GATHER, "tcp", "linear", 3, 65536, 10, 1, 1, 1, false, Cost.UNKNOWN));
        summary.add(Row.failed(BenchOperation.ALLREDUCE, "relay", "auto", 4, 8));
        String text = String.join("\n", summary.lines());
        assertTrue(text.contains("3 rows, 2 NOT verified"), text);
        assertTrue(text.contains("gather 64KiB, tcp, 3 ranks: wrong data"), text);
        assertTrue(text.contains("allreduce 8 B, relay, 4 ranks: failed"), text);
    }

    @Test
    void shouldBeGoodOnlyIfAllIsVerifiedAndNothingElseWentWrong() {
        Row right = pingPong("tcp", 8, 12);
        Row wrong = Row.failed(BenchOperation.ALLREDUCE, "relay", "auto", 4, 8);
        assertTrue(new RunResult(null, null, List.of(), List.of(right), List.of()).isGood());
        assertFalse(new RunResult(null, null, List.of(), List.of(right, wrong), List.of()).isGood());
        assertFalse(new RunResult(null, null, List.of(), List.of(right), List.of("x")).isGood());
    }

    @Test
    void shouldAuditLargeAllReducesOnly() {
        Row large = new Row(BenchOperation.ALLREDUCE, "tcp", "ring", 4, 16 << 20, 5, 1, 1, 1, true, Cost.UNKNOWN);
        assertTrue(AllReduceAudit.covers(large));
        assertFalse(AllReduceAudit.covers(
                new Row(BenchOperation.ALLREDUCE, "tcp", "ring", 4, 8, 5, 1, 1, 1, true, Cost.UNKNOWN)));
        assertFalse(AllReduceAudit.covers(pingPong("tcp", 16 << 20, 1)));
        double bound = 1.5 * (16 << 20);
        String good = audit(bound * 1.01, 200);
        assertTrue(good.contains("+1.00 % of 2(P-1)/P M"), good);
        assertFalse(good.contains("ABOVE"), good);
        assertTrue(audit(bound * 1.03, 200).contains("ABOVE THE GOAL"));
        assertTrue(audit(bound, 1e6).contains("ABOVE THE GOAL"));
    }

    private static String audit(double sentBytes, double allocatedBytes) {
        Cost cost = Cost.ofBytes(sentBytes, allocatedBytes);
        return AllReduceAudit.line(
                new Row(BenchOperation.ALLREDUCE, "tcp", "ring", 4, 16 << 20, 5, 1, 1, 1, true, cost));
    }
}
