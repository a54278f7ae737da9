package io.zipcomm.bench.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A harness that finds everything right is worth nothing if it cannot find anything wrong. */
final class WorkloadTest {

    private final ByteBuffer from = ByteBuffer.allocate(1000);
    private final ByteBuffer to = ByteBuffer.allocate(1000);
    private final List<Stretch> input = List.of(new Stretch(from, 0, 1000, 1, 2));
    private final List<Stretch> output = List.of(new Stretch(to, 0, 1000, 1, 2));

    private void copy() {
        to.put(0, from, 0, 1000);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldAcceptRightData(boolean all) {
        ByteWorkload workload = new ByteWorkload(input, output, this::copy);
        workload.prepare(1, true);
        workload.run();
        assertNull(workload.mismatch(1, true));
        workload.prepare(2, all);
        workload.run();
        assertNull(workload.mismatch(2, all));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldMissDataThatDidNotCome(boolean all) {
        ByteWorkload workload = new ByteWorkload(input, output, () -> {});
        workload.prepare(1, all);
        workload.run();
        assertNotNull(workload.mismatch(1, all));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldRefuseDataOfTheIterationBefore(boolean all) {
        ByteWorkload workload = new ByteWorkload(input, output, this::copy);
        workload.prepare(1, true);
        workload.run();
        assertNotNull(workload.mismatch(2, all));
    }

    @Test
    void shouldFindOneWrongByte() {
        ByteWorkload workload = new ByteWorkload(input, output, () -> {
            copy();
            to.put(617, (byte) (to.get(617) + 1));
        });
        workload.prepare(5, true);
        workload.run();
        assertTrue(workload.mismatch(5, true).startsWith("iteration 5: byte 617 of 1000 from rank 1 is "));
    }

    @Test
    void shouldTellDataOfOneRankFromThatOfAnother() {
        int equal = 0;
        for (int i = 0; i < 1000; i++) {
            if (TestPattern.byteAt(TestPattern.seed(1, 2, 3), i) == TestPattern.byteAt(TestPattern.seed(1, 3, 2), i)) {
                equal++;
            }
        }
        assertTrue(equal < 30, equal + " of 1000 bytes are equal by chance; about 4 were expected");
    }

    @ParameterizedTest
    @CsvSource({"1000,1", "1000,7", "8,3", "2,4", "0,3"})
    void shouldCutEverythingIntoBlocks(int count, int ranks) {
        Blocks blocks = new Blocks(count, ranks);
        int sum = 0;
        for (int rank = 0; rank < ranks; rank++) {
            assertEquals(sum, blocks.start(rank));
            sum += blocks.length(rank);
        }
        assertEquals(count, sum);
        assertEquals(count % ranks == 0, blocks.isEven());
    }

    /** Three ranks in turn on one thread; the sums are computed by a plain loop. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldCheckSums(boolean all) {
        int ranks = 3;
        Numbers[] inputs = new Numbers[ranks];
        Numbers sums = Numbers.allocate(30, all);
        Blocks shares = new Blocks(90, ranks);
        SumWorkload[] workloads = new SumWorkload[ranks];
        for (int rank = 0; rank < ranks; rank++) {
            inputs[rank] = Numbers.allocate(90, all);
            workloads[rank] = new SumWorkload(rank, ranks, inputs[rank], shares, 1, sums, () -> {});
            workloads[rank].prepare(4, true);
            workloads[rank].prepare(5, all);
        }
        for (int i = 0; i < sums.count(); i++) {
            sums.put(i, inputs[0].get(30 + i) + inputs[1].get(30 + i) + inputs[2].get(30 + i));
        }
        assertNull(workloads[1].mismatch(5, all));
        assertNotNull(workloads[1].mismatch(4, all));
        sums.put(0, sums.get(0) + 1);
        assertTrue(workloads[1].mismatch(5, all).startsWith("iteration 5: sum 0 of 30 is "));
    }
}
