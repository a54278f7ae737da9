package io.zipcomm.internal;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs to find what belongs together: receives by tag and by number, and memory for what nobody asked for. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class MatchingBenchmark {

    private static final int CONTEXT = 3;
    private static final int UNEXPECTED_BYTES = 1000;

    /** Receives that are waiting. */
    @Param({"1", "8", "64"})
    private int waiting;

    private final TransferQueue queue = new TransferQueue();
    private final ReceiveTable table = new ReceiveTable();
    private final UnexpectedPool pool = new UnexpectedPool();
    private Transfer[] transfers;
    private int turn;

    /** As many receives as there are to be. */
    @Setup
    public void prepare() {
        turn = waiting - 1;
        transfers = new Transfer[waiting];
        for (int i = 0; i < waiting; i++) {
            transfers[i] = new Transfer();
            transfers[i].context = CONTEXT;
            transfers[i].tag = i;
            queue.add(transfers[i]);
            table.add(transfers[i]);
        }
    }

    /** The oldest receive meets its message, and is posted again. */
    @Benchmark
    public int tagInOrder() {
        Transfer met = queue.take(CONTEXT, next());
        queue.add(met);
        return queue.size();
    }

    /** The receive that was posted last meets its message, and is posted again. */
    @Benchmark
    public int tagOfLast() {
        Transfer met = queue.take(CONTEXT, transfers[waiting - 1].tag);
        queue.add(met);
        return queue.size();
    }

    /** A cleared receive is found by its number, ends, and another one gets a number. */
    @Benchmark
    public int number() {
        Transfer receive = table.get(transfers[next()].number);
        table.remove(receive);
        table.add(receive);
        return table.size();
    }

    /** A message that nobody asked for gets memory, and gives it back. */
    @Benchmark
    public int unexpected() {
        Unexpected one = pool.take(UNEXPECTED_BYTES, false);
        pool.give(one);
        return pool.inUse();
    }

    private int next() {
        turn = turn + 1 == waiting ? 0 : turn + 1;
        return turn;
    }
}
