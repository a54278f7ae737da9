package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What everybody gets of a collective that one rank cancels: those in it, those that have done their part, and those yet to come. */
@Tag("once")
final class CancelTest {

    private static final int COUNT = 20_000;

    /** By then the word of a rank has come to all others. */
    private static final Duration TOLD = Duration.ofSeconds(1);

    private static final String REASON = "rank 0 failed: ";

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static ZipException failure(ZipFuture<?> future) {
        return assertThrows(ZipException.class, future::await);
    }

    private static void assertCancelled(ZipFuture<?> future) {
        assertTrue(future.isCancelled());
        ZipException failure = failure(future);
        assertEquals(ErrorCode.CANCELLED, failure.code(), failure.toString());
        assertThrows(CancellationException.class, future::join);
        assertFalse(future.cancel(true));
    }

    /** The cancelled one, at a rank that was in it. */
    private static void assertToldInIt(ZipFuture<?> future) {
        assertFalse(future.isCancelled());
        ZipException failure = failure(future);
        assertEquals(ErrorCode.PEER_FAILED, failure.code(), failure.toString());
        assertEquals(0, failure.peer(), failure.toString());
        assertTrue(failure.getMessage().contains(REASON + "CANCELLED"), failure.getMessage());
    }

    /** The next one, at any rank that has been told. */
    private static void assertRefusesMore(Communicator of) {
        ZipException failure =
                assertThrows(ZipException.class, () -> Collectives.of(of).barrierAsync());
        assertEquals(ErrorCode.COMMUNICATOR_FAILED, failure.code(), failure.toString());
        assertTrue(failure.getMessage().contains("an earlier collective failed: "), failure.getMessage());
        assertTrue(failure.getMessage().contains("CANCELLED"), failure.getMessage());
        assertEquals(of.rank() == 0 ? ZipException.NONE : 0, failure.peer(), failure.toString());
    }

    /** The last rank does not come, so nobody can have the result before the first one cancels. */
    @Test
    void shouldFailItForThoseThatAreInItAndRefuseMoreToAll() {
        seeds.each(30, seed -> {
            int size = 3 + Math.floorMod(seed, 4);
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                List<ZipFuture<Void>> sums = new ArrayList<>();
                List<ZipFuture<Void>> others = new ArrayList<>();
                for (int rank = 0; rank < size - 1; rank++) {
                    Collectives collectives = Collectives.of(group.communicator(rank));
                    sums.add(collectives.allReduceAsync(new float[COUNT], ReduceOp.SUM));
                    others.add(collectives.barrierAsync());
                }
                group.turns(group.random().nextInt(200));
                assertTrue(sums.get(0).cancel(true));
                assertCancelled(sums.get(0));
                assertEquals(
                        ErrorCode.COMMUNICATOR_FAILED, failure(others.get(0)).code());
                group.await(sums);
                group.await(others);
                for (int rank = 1; rank < size - 1; rank++) {
                    assertToldInIt(sums.get(rank));
                    assertToldInIt(others.get(rank));
                }
                group.runFor(TOLD);
                for (int rank = 0; rank < size; rank++) {
                    assertRefusesMore(group.communicator(rank));
                }
            }
        });
    }

    @Test
    void shouldLeaveTheResultOfThoseThatHaveIt() {
        seeds.each(30, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
                ZipFuture<Void> root =
                        Collectives.of(group.communicator(0)).reduceAsync(Payload.of(new int[] {1}), ReduceOp.SUM, 0);
                ZipFuture<Void> leaf =
                        Collectives.of(group.communicator(1)).reduceAsync(Payload.of(new int[] {2}), ReduceOp.SUM, 0);
                group.await(leaf);
                assertTrue(root.cancel(true));
                assertCancelled(root);
                group.runFor(TOLD);
                leaf.await();
                for (int rank = 0; rank < 3; rank++) {
                    assertRefusesMore(group.communicator(rank));
                }
            }
        });
    }

    @Test
    void shouldLeaveMessagesAndOtherCommunicatorsAlone() {
        seeds.each(30, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(3, seed)) {
                Communicator[] copies = new Communicator[3];
                group.run(world -> copies[world.rank()] = world.duplicate());
                ZipFuture<Void> first = Collectives.of(copies[0]).barrierAsync();
                ZipFuture<Void> second = Collectives.of(copies[1]).barrierAsync();
                group.turns(group.random().nextInt(50));
                assertTrue(first.cancel(true));
                group.await(second);
                assertToldInIt(second);
                group.runFor(TOLD);
                group.run(world -> {
                    Communicator copy = copies[world.rank()];
                    assertRefusesMore(copy);
                    int next = (world.rank() + 1) % 3;
                    int previous = (world.rank() + 2) % 3;
                    byte[] theirs = new byte[1];
                    copy.send(next, 3, new byte[] {(byte) world.rank()});
                    copy.receive(previous, 3, theirs);
                    assertEquals(previous, theirs[0]);
                    int[] sum = {world.rank() + 1};
                    Collectives.of(world).allReduce(sum, ReduceOp.SUM);
                    assertEquals(6, sum[0]);
                    copy.close();
                });
            }
        });
    }
}
