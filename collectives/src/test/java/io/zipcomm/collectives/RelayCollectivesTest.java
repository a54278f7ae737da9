package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.CollectiveCase.Form;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.Seeds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Collectives of which the relay does a part, over a real relay and real sockets. */
@Tag("once")
final class RelayCollectivesTest {

    private static final String MULTICAST = "relay-multicast";
    private static final String REDUCE = "relay-reduce";

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private RelayedGroup group;

    @BeforeEach
    void startRelay() {
        group = new RelayedGroup();
    }

    /** Every test ends with nothing kept in the relay. */
    @AfterEach
    void stopRelay() {
        group.close();
    }

    static IntStream sizes() {
        return IntStream.rangeClosed(1, 8);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void shouldMatchPlainLoopForEveryOperationRootTypeAndLength(int size) {
        List<CollectiveCase> cases = cases(size);
        group.run(size, RelayCollectives.REDUCE, world -> {
            for (CollectiveCase one : cases) {
                for (String name : Collectives.relayAlgorithms(one.operation())) {
                    if (one.op() == null || one.op().kind() != ReduceOp.Kind.USER || name.equals(MULTICAST)) {
                        CollectiveMatrix.run(Collectives.of(world).withAlgorithm(name), one);
                    }
                }
            }
        });
        assertEquals(size > 1, group.relay().stats().hubOperations() > 0);
    }

    private List<CollectiveCase> cases(int size) {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        List<CollectiveCase> cases = new ArrayList<>();
        for (CollectiveOperation operation : CollectiveOperation.values()) {
            if (Collectives.relayAlgorithms(operation).isEmpty()) {
                continue;
            }
            for (int root = 0; root < (CollectiveCase.isRooted(operation) ? size : 1); root++) {
                for (int count : new int[] {0, 1, 3 + 2 * random.nextInt(50)}) {
                    cases.add(CollectiveMatrix.anyCase(operation, size, root, count, random));
                }
            }
            // Around a part, around the window, and several windows.
            for (int count : new int[] {(64 << 10) / 4 - 1, (64 << 10) / 4 + 1, (512 << 10) / 4 + 1, 400_000}) {
                int root = CollectiveCase.isRooted(operation) ? random.nextInt(size) : 0;
                cases.add(CollectiveMatrix.floats(operation, size, root, count / size, random));
                cases.add(CollectiveMatrix.floats(operation, size, root, count, random));
            }
            if (CollectiveCase.isReduction(operation)) {
                for (DataType type : DataType.values()) {
                    for (ReduceOp op : CollectiveCase.reductions(type)) {
                        int root = CollectiveCase.isRooted(operation) ? random.nextInt(size) : 0;
                        Form form = CollectiveMatrix.anyForm(operation, random);
                        Vector.Kind kind = CollectiveMatrix.any(Vector.Kind.values(), random);
                        cases.add(new CollectiveCase(
                                operation, size, root, type, op, random.nextInt(40_000), form, kind));
                    }
                }
            }
        }
        return cases;
    }

    /** Numbers whose sum depends on the order, and ranks that come in any order. */
    @Test
    void shouldAddInRankOrderWhoeverComesFirst() {
        int size = 6;
        int count = 150_001;
        float[][] all = new float[size][count];
        SplittableRandom random = new SplittableRandom(seeds.seed());
        float[] expected = new float[count];
        for (int rank = 0; rank < size; rank++) {
            for (int i = 0; i < count; i++) {
                all[rank][i] = (float) (random.nextDouble(-1, 1) * Math.pow(10, random.nextInt(-6, 7)));
                expected[i] = rank == 0 ? all[0][i] : expected[i] + all[rank][i];
            }
        }
        group.run(size, RelayCollectives.REDUCE, world -> {
            for (int round = 0; round < 6; round++) {
                // Each round another rank is the last by a margin; the others have sent a window by then.
                if (world.rank() == (round * 5) % size) {
                    awaitContributions(size - 1);
                }
                float[] sum = all[world.rank()].clone();
                Collectives.of(world).withAlgorithm(REDUCE).allReduce(sum, ReduceOp.SUM);
                assertArrayEquals(expected, sum, "round " + round);
                Collectives.of(world).withAlgorithm("dissemination").barrier();
            }
        });
    }

    private void awaitContributions(int ranks) {
        long bytes = (long) ranks * (64 << 10);
        group.awaitThat(() -> group.relay().stats().bytesWaiting() >= bytes, bytes + " bytes wait in the relay");
    }

    @Test
    void shouldChooseTheRelayWhereAllMessagesGoThroughIt() {
        group.run(4, RelayCollectives.MULTICAST, world -> {
            Collectives collectives = Collectives.of(world);
            assertEquals(MULTICAST, collectives.algorithmFor(CollectiveOperation.BROADCAST, 1 << 20));
            assertTrue(Collectives.algorithms(CollectiveOperation.REDUCE)
                    .contains(collectives.algorithmFor(CollectiveOperation.REDUCE, 1 << 20)));
            assertTrue(
                    collectives.explain(CollectiveOperation.BROADCAST, 1 << 20).contains(MULTICAST));
            float[] values = {world.rank() + 1};
            collectives.broadcast(values, 2);
            assertEquals(3, values[0]);
        });
        assertEquals(1, group.relay().stats().hubOperations());
        group.run(4, RelayCollectives.OFF, world -> {
            Collectives collectives = Collectives.of(world);
            assertTrue(Collectives.algorithms(CollectiveOperation.BROADCAST)
                    .contains(collectives.algorithmFor(CollectiveOperation.BROADCAST, 1 << 20)));
            ZipException refused = assertThrows(
                    ZipException.class,
                    () -> collectives.withAlgorithm(MULTICAST).broadcast(new float[1], 0));
            assertEquals(ErrorCode.BAD_ARGUMENT, refused.code());
        });
        group.run(4, TransportChoice.AUTO, RelayCollectives.REDUCE, world -> {
            String chosen = Collectives.of(world).algorithmFor(CollectiveOperation.ALL_REDUCE, 8);
            assertTrue(Collectives.algorithms(CollectiveOperation.ALL_REDUCE).contains(chosen), chosen);
        });
    }

    /** All are here. By messages, since a collective that fails here ends those that others are still in. */
    private static void awaitAll(Communicator world) {
        List<ZipFuture<Void>> said = new ArrayList<>();
        for (int peer = 0; peer < world.size(); peer++) {
            if (peer != world.rank()) {
                said.add(world.sendAsync(peer, 1, Payload.of(new byte[1])));
            }
        }
        for (int peer = 0; peer < world.size(); peer++) {
            if (peer != world.rank()) {
                world.receive(peer, 1, Payload.of(new byte[1]));
            }
        }
        said.forEach(ZipFuture::await);
    }

    @Test
    void shouldNotCombineByFunctionsOfTheUsersInTheRelay() {
        ReduceOp own = ReduceOp.ofFloats((a, b) -> a + 2 * b);
        group.run(3, RelayCollectives.REDUCE, world -> {
            float[] values = {1, 2};
            ReduceOp sum = ReduceOp.ofFloats(Float::sum);
            Collectives.of(world).allReduce(values, sum);
            assertArrayEquals(new float[] {3, 6}, values);
            awaitAll(world);
            ZipException refused = assertThrows(
                    ZipException.class,
                    () -> Collectives.of(world).withAlgorithm(REDUCE).allReduce(values, own));
            assertEquals(ErrorCode.BAD_ARGUMENT, refused.code());
        });
    }

    @Test
    void shouldRunManyAtOnceOnSeveralCommunicatorsInDifferentOrders() {
        int size = 4;
        int rounds = 12;
        group.run(size, RelayCollectives.REDUCE, world -> {
            List<Communicator> communicators = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                communicators.add(world.duplicate());
            }
            communicators.add(world.split(world.rank() % 2, -world.rank()));
            // Every rank begins with another communicator.
            List<ZipFuture<Void>> all = new ArrayList<>();
            List<float[]> sums = new ArrayList<>();
            for (int i = 0; i < communicators.size(); i++) {
                Communicator one = communicators.get((i + world.rank()) % communicators.size());
                for (int round = 0; round < rounds; round++) {
                    float[] sum = new float[20_000 * (round % 3)];
                    Arrays.fill(sum, one.size() + round);
                    sums.add(sum);
                    Collectives collectives = Collectives.of(one).withAlgorithm(round % 4 == 3 ? MULTICAST : REDUCE);
                    all.add(collectives.allReduceAsync(sum, ReduceOp.SUM));
                }
            }
            all.forEach(ZipFuture::await);
            for (int i = 0; i < all.size(); i++) {
                Communicator one = communicators.get((i / rounds + world.rank()) % communicators.size());
                float[] expected = new float[sums.get(i).length];
                Arrays.fill(expected, one.size() * (one.size() + i % rounds));
                assertArrayEquals(expected, sums.get(i));
            }
        });
    }

    @Test
    void shouldRunPreparedAndFusedOperations() {
        group.run(4, RelayCollectives.REDUCE, world -> {
            Collectives collectives = Collectives.of(world);
            float[] values = new float[100_000];
            try (Prepared sum = collectives.prepare().allReduce(values, ReduceOp.AVG)) {
                for (int run = 0; run < 20; run++) {
                    Arrays.fill(values, world.rank() + run);
                    sum.run();
                    float[] expected = new float[values.length];
                    Arrays.fill(expected, (6 + 4 * run) / 4f);
                    assertArrayEquals(expected, values);
                }
            }
            float[][] tensors = {{1, 2}, {3}, new float[70_000]};
            Fusion fusion = collectives.prepare().fusedAllReduce(tensors, ReduceOp.SUM);
            for (int i = 0; i < tensors.length; i++) {
                fusion.ready(i);
            }
            fusion.await();
            fusion.close();
            assertArrayEquals(new float[] {4, 8}, tensors[0]);
        });
    }

    /** A root that does not wait for anybody runs a few broadcasts ahead, and no more. */
    @Test
    void shouldNotLetARootFillTheRelay() throws Exception {
        CyclicBarrier over = new CyclicBarrier(3);
        int broadcasts = 40;
        int count = 15_000;
        group.run(3, RelayCollectives.MULTICAST, world -> {
            Collectives collectives = Collectives.of(world).withAlgorithm(MULTICAST);
            if (world.rank() == 0) {
                List<ZipFuture<Void>> all = new ArrayList<>();
                for (int i = 0; i < broadcasts; i++) {
                    float[] message = new float[count];
                    Arrays.fill(message, i);
                    all.add(collectives.broadcastAsync(message, 0));
                }
                all.get(3).await();
                group.awaitThat(() -> group.relay().stats().bytesWaiting() == 4L * count * 4, "four wait in the relay");
                RelayedGroup.meet(over);
                all.forEach(ZipFuture::await);
            } else {
                RelayedGroup.meet(over);
                for (int i = 0; i < broadcasts; i++) {
                    float[] message = new float[count];
                    collectives.broadcast(message, 0);
                    assertEquals(i, message[count - 1]);
                }
            }
        });
        assertEquals(broadcasts, group.relay().stats().hubOperations());
    }

    /** What is too long to be kept by the root may be wanted of its caller's memory once more, as long as not all have it. */
    @Test
    void shouldNotBeThroughWithALongContributionBeforeAllHaveIt() throws Exception {
        CyclicBarrier allGiven = new CyclicBarrier(2);
        int count = 30_000;
        group.run(2, RelayCollectives.MULTICAST, world -> {
            Collectives collectives = Collectives.of(world).withAlgorithm(MULTICAST);
            float[] message = new float[count];
            if (world.rank() == 0) {
                Arrays.fill(message, 1);
                ZipFuture<Void> broadcast = collectives.broadcastAsync(message, 0);
                group.awaitThat(() -> group.relay().stats().bytesWaiting() == 4L * count, "all of it is in the relay");
                assertFalse(broadcast.isDone());
                RelayedGroup.meet(allGiven);
                broadcast.await();
            } else {
                RelayedGroup.meet(allGiven);
                collectives.broadcast(message, 0);
                assertEquals(1, message[count - 1]);
            }
        });
    }

    @Test
    void shouldNameWhatRanksDisagreeAbout() {
        List<ZipException> failures = group.fail(
                3,
                world -> Collectives.of(world)
                        .withAlgorithm(REDUCE)
                        .allReduce(new float[10], world.rank() == 1 ? ReduceOp.MAX : ReduceOp.SUM));
        assertAll(failures, ErrorCode.OPERATION_MISMATCH, "all-reduce");
        failures = group.fail(3, world -> {
            // Who takes itself for the root is through when its data is with the relay, and hears of it at the next
            // call.
            Collectives.of(world).withAlgorithm(MULTICAST).broadcast(new float[10], world.rank() == 1 ? 1 : 0);
            meetTwice(world);
        });
        assertAll(failures, ErrorCode.OPERATION_MISMATCH, "broadcast");
        failures = group.fail(3, world -> {
            Collectives.of(world).withAlgorithm(MULTICAST).broadcast(new float[world.rank() == 2 ? 11 : 10], 0);
            meetTwice(world);
        });
        assertAll(failures, ErrorCode.OPERATION_MISMATCH, "broadcast");
    }

    /**
     * A rank that had what it wanted before the disagreement came to light may pass one barrier, but no second: those who
     * disagreed hear of it before the first is over.
     */
    private static void meetTwice(Communicator world) {
        Collectives collectives = Collectives.of(world).withAlgorithm(MULTICAST);
        collectives.barrier();
        collectives.barrier();
    }

    /** The relay sees a part of the calls only; those are found out by probes. */
    @Test
    void shouldFindOutThatAnotherCalledSomethingElse() {
        long startNs = System.nanoTime();
        List<ZipException> failures = group.fail(3, world -> {
            Collectives collectives = Collectives.of(world);
            if (world.rank() == 2) {
                collectives.withAlgorithm("dissemination").barrier();
            } else {
                collectives.withAlgorithm(REDUCE).allReduce(new float[10], ReduceOp.SUM);
            }
        });
        assertAll(failures, ErrorCode.OPERATION_MISMATCH, "all-reduce");
        assertTrue(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNs) < 10, "found out by a deadline");
    }

    @Test
    void shouldFailWhereARankHasLeft() {
        List<ZipException> failures = new ArrayList<>();
        group.run(4, RelayCollectives.REDUCE, world -> {
            Collectives collectives = Collectives.of(world).withAlgorithm(REDUCE);
            float[] values = new float[1_000_000];
            int calls = world.rank() == 2 ? 3 : 6;
            try {
                for (int i = 0; i < calls; i++) {
                    collectives.allReduce(values, ReduceOp.SUM);
                }
            } catch (ZipException e) {
                synchronized (failures) {
                    failures.add(e);
                }
            }
        });
        assertEquals(3, failures.size(), failures.toString());
        for (ZipException failure : failures) {
            assertEquals(ErrorCode.PEER_LEFT, failure.code(), failure.getMessage());
            assertEquals(2, failure.peer(), failure.getMessage());
        }
    }

    @Test
    void shouldLeaveNothingBehindWhenADeadlinePasses() {
        List<ZipException> failures = group.fail(3, world -> {
            Collectives collectives = Collectives.of(world).withTimeout(Duration.ofMillis(300));
            if (world.rank() > 0) {
                collectives.withAlgorithm(REDUCE).allReduce(new float[100_000], ReduceOp.SUM);
            }
            world.receive(world.rank() == 0 ? 1 : 0, 7, new float[1]);
        });
        assertTrue(
                failures.subList(1, 3).stream().anyMatch(one -> one.code() == ErrorCode.DEADLINE), failures.toString());
    }

    @Test
    void shouldNameTheRankThatHasNotComeAtADeadline() {
        List<ZipException> failures = group.fail(3, world -> {
            Collectives collectives = Collectives.of(world).withTimeout(Duration.ofSeconds(1));
            if (world.rank() != 2) {
                collectives.withAlgorithm(REDUCE).allReduce(new float[100_000], ReduceOp.SUM);
            }
            world.receive(0, 7, new float[1]);
        });
        ZipException expired = failures.get(0).code() == ErrorCode.DEADLINE ? failures.get(0) : failures.get(1);
        assertEquals(ErrorCode.DEADLINE, expired.code(), failures.toString());
        assertEquals(2, expired.peer(), expired.getMessage());
        assertTrue(expired.getMessage().contains("rank 2 in step 1 through the relay"), expired.getMessage());
        // Whether it expired itself, or heard of the other by way of the relay or of the rank.
        ZipException other = failures.get(0).code() == ErrorCode.DEADLINE ? failures.get(1) : failures.get(0);
        assertTrue(other.getMessage().contains("rank 2 "), other.getMessage());
    }

    private static void assertAll(List<ZipException> failures, ErrorCode code, String text) {
        for (ZipException failure : failures) {
            ErrorCode actual = failure.getCause() instanceof ZipException earlier ? earlier.code() : failure.code();
            assertEquals(code, actual, failure.getMessage());
            assertTrue(failure.getMessage().contains(text), failure.getMessage());
        }
    }
}
