package io.zipcomm.collectives.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.zipcomm.buffer.DataType;
import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What waits for what. */
final class PlanBuilderTest {

    private static final Extent TARGET = Extent.target(100);

    private static PlanBuilder builder(long inPlace) {
        return new PlanBuilder(
                new Shape(CollectiveOperation.ALL_REDUCE, 1, 4, 0, DataType.FLOAT32, 100, null, null, inPlace, 64));
    }

    /** The steps that wait for a step. */
    private static List<Integer> after(Plan plan, int step) {
        List<Integer> dependents = new ArrayList<>();
        for (int i = plan.dependentsFrom(step); i < plan.dependentsFrom(step + 1); i++) {
            dependents.add(plan.dependent(i));
        }
        return dependents;
    }

    @Test
    void shouldStartAtOnceWhatSharesNoBytes() {
        PlanBuilder plan = builder(Shape.TWO_BUFFERS);
        plan.send(0, Extent.source(100));
        plan.receive(2, TARGET.part(0, 40));
        plan.receive(2, TARGET.part(40, 60));
        plan.send(3, Extent.source(100));
        assertArrayEquals(new int[] {0, 1, 2, 3}, plan.build().first());
    }

    @Test
    void shouldSendWhatWasReceivedAfterIt() {
        PlanBuilder builder = builder(Shape.TWO_BUFFERS);
        builder.receive(0, TARGET.part(0, 50));
        builder.receive(0, TARGET.part(50, 50));
        builder.send(2, TARGET.part(40, 20));
        builder.send(2, TARGET.part(60, 20));
        Plan plan = builder.build();
        assertEquals(List.of(2), after(plan, 0));
        assertEquals(List.of(2, 3), after(plan, 1));
    }

    @Test
    void shouldOverwriteWhatWasSentAfterIt() {
        PlanBuilder builder = builder(Shape.TWO_BUFFERS);
        builder.send(2, TARGET.part(0, 50));
        builder.send(3, TARGET.part(0, 50));
        builder.receive(0, TARGET.part(10, 5));
        builder.receive(0, TARGET.part(10, 5));
        Plan plan = builder.build();
        assertEquals(List.of(2), after(plan, 0));
        assertEquals(List.of(2), after(plan, 1));
        assertEquals(List.of(3), after(plan, 2));
    }

    @Test
    void shouldKeepTheOrderOfCombinations() {
        PlanBuilder builder = builder(Shape.TWO_BUFFERS);
        builder.receiveReduce(0, Extent.source(100), TARGET, false);
        builder.receiveReduce(2, TARGET, TARGET, false);
        builder.receiveReduce(3, TARGET, TARGET, true);
        Plan plan = builder.build();
        assertEquals(List.of(1), after(plan, 0));
        assertEquals(List.of(2), after(plan, 1));
        assertEquals(true, plan.isLast(2));
    }

    @Test
    void shouldKnowThatInPlaceTheSourceIsTheTarget() {
        PlanBuilder builder = builder(20);
        builder.send(0, Extent.source(10));
        builder.receive(2, TARGET.part(25, 10));
        builder.receive(3, TARGET.part(30, 10));
        builder.copy(Extent.source(10), TARGET.part(20, 10));
        Plan plan = builder.build();
        assertEquals(3, plan.steps());
        assertEquals(List.of(1), after(plan, 0));
        assertEquals(Memory.TARGET, plan.memory(0));
        assertEquals(20, plan.offset(0));
    }

    @Test
    void shouldNumberMessagesForEachPeerAndDirection() {
        PlanBuilder builder = builder(Shape.TWO_BUFFERS);
        builder.send(0, Extent.source(1));
        builder.receive(0, TARGET.part(0, 1));
        builder.send(0, Extent.source(1));
        builder.send(2, Extent.source(1));
        Plan plan = builder.build();
        assertEquals(0, plan.ordinal(1));
        assertEquals(1, plan.ordinal(2));
        assertEquals(0, plan.ordinal(3));
        assertEquals(2, plan.messages(0, Plan.Kind.SEND));
        assertEquals(1, plan.messages(0, Plan.Kind.RECEIVE));
    }

    @Test
    void shouldLimitWhatIsPosted() {
        PlanBuilder builder = builder(Shape.TWO_BUFFERS);
        for (int i = 0; i < PlanBuilder.POSTED_PER_PEER_MAX + 2; i++) {
            builder.send(0, Extent.source(1));
        }
        Plan plan = builder.build();
        assertEquals(PlanBuilder.POSTED_PER_PEER_MAX, plan.first().length);
        assertEquals(List.of(PlanBuilder.POSTED_PER_PEER_MAX), after(plan, 0));
        assertEquals(List.of(PlanBuilder.POSTED_PER_PEER_MAX + 1), after(plan, 1));
    }

    @Test
    void shouldLimitWhatIsPostedToAllPeersTogether() {
        PlanBuilder builder = builder(Shape.TWO_BUFFERS);
        builder.pace(2);
        for (int peer : new int[] {0, 2, 3}) {
            builder.send(peer, Extent.source(1));
        }
        assertEquals(List.of(2), after(builder.build(), 0));
    }

    @Test
    void shouldWaitAtAFence() {
        PlanBuilder builder = builder(Shape.TWO_BUFFERS);
        builder.send(0, TARGET.part(0, 0));
        builder.receive(0, TARGET.part(0, 0));
        builder.fence();
        builder.fence();
        builder.send(2, TARGET.part(0, 0));
        builder.receive(2, TARGET.part(0, 0));
        builder.fence();
        builder.send(3, TARGET.part(0, 0));
        Plan plan = builder.build();
        assertEquals(List.of(2, 3), after(plan, 1));
        assertEquals(List.of(4), after(plan, 3));
        assertEquals(List.of(), after(plan, 0));
    }

    @Test
    void shouldCutExtentsIntoSegments() {
        assertEquals(1, TARGET.part(0, 0).segments(64).size());
        assertEquals(List.of(TARGET.part(0, 64), TARGET.part(64, 36)), TARGET.segments(64));
        assertEquals(1, TARGET.segments(100).size());
    }

    @Test
    void shouldRefuseBoundlessScratch() {
        PlanBuilder builder = builder(Shape.TWO_BUFFERS);
        builder.scratch(PlanBuilder.SCRATCH_BYTES_MAX);
        ZipException refusal = assertThrows(ZipException.class, () -> builder.scratch(1));
        assertEquals(ErrorCode.LIMIT, refusal.code());
    }

    @Test
    void shouldDivideEvenlyInWholeUnits() {
        assertBlocks(Blocks.divide(40, 4, 4), 12, 12, 8, 8);
        assertBlocks(Blocks.divide(41, 8, 4), 16, 16, 8, 1);
        assertBlocks(Blocks.divide(3, 8, 4), 3, 0, 0, 0);
        assertBlocks(Blocks.divide(0, 8, 3), 0, 0, 0);
        assertBlocks(Blocks.divide(96, 8, 3), 32, 32, 32);
    }

    private static void assertBlocks(Blocks blocks, long... lengths) {
        long end = 0;
        for (int i = 0; i < lengths.length; i++) {
            assertEquals(lengths[i], blocks.bytes(i));
            assertEquals(end, blocks.offset(i));
            end += lengths[i];
        }
        assertEquals(end, blocks.totalBytes());
        assertEquals(lengths.length, blocks.count());
    }
}
