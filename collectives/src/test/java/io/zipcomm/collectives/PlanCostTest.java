package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.collectives.gather.LinearGather;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.PlanCost;
import io.zipcomm.collectives.plan.Shape;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Algorithms;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What algorithms say that they cost, against what their plans do. Rounds are messages in the longest chain in which each
 * waits for the one before; bytes are those of the rank that sends most.
 */
final class PlanCostTest {

    private static final int SIZE_MAX = 17;
    private static final int PACE_OF_PAIRWISE = 4;
    private static final int NO_SEGMENTS = 1 << 30;

    /** What the formulas are about. */
    private record Case(int size, long m) {

        /** The power of two that is not above the number of ranks, and its logarithm: ranks in, when some are too many. */
        int power() {
            return Integer.highestOneBit(size);
        }

        int floorLog() {
            return Integer.numberOfTrailingZeros(power());
        }

        int ceilLog() {
            return Integer.SIZE - Integer.numberOfLeadingZeros(size - 1);
        }

        /** 1 if some ranks are too many for a power of two. */
        int surplus() {
            return size > power() ? 1 : 0;
        }

        /** m is the message, or the sum of all blocks. */
        long block() {
            return m / size;
        }

        long allButOne() {
            return (size - 1) * block();
        }

        int groupsOf(int ranks) {
            return (size - 1 + ranks - 1) / ranks;
        }
    }

    private static int rounds(CollectiveOperation operation, AlgorithmName name, Case c) {
        return switch (name) {
            case DISSEMINATION -> c.ceilLog();
            case BRUCK -> bruckRounds(c);
            case BINOMIAL ->
                // At a reduce's root, one child's data comes after the other's; elsewhere children do not wait.
                operation == CollectiveOperation.REDUCE ? c.ceilLog() : c.floorLog();
            case CHAIN -> c.size() - 1;
            case SCATTER_ALLGATHER -> c.floorLog() + c.size() - 1;
            case DOUBLING ->
                operation == CollectiveOperation.ALL_REDUCE ? c.floorLog() + 2 * c.surplus() : bruckRounds(c);
            case HALVING -> c.floorLog() + 2 * c.surplus();
            case RABENSEIFNER -> 2 * c.floorLog() + (operation == CollectiveOperation.ALL_REDUCE ? 2 : 1) * c.surplus();
            case RING -> (operation == CollectiveOperation.ALL_REDUCE ? 2 : 1) * (c.size() - 1);
            case LINEAR -> linearRounds(operation, c);
            case PAIRWISE -> isAllGather(operation) ? 1 : c.groupsOf(PACE_OF_PAIRWISE);
            // A rank combines what comes from one peer after the other.
            case EXCHANGE -> c.size();
            case HIERARCHICAL -> throw new AssertionError("depends on hosts");
            case RELAY_MULTICAST, RELAY_REDUCE -> throw new AssertionError("below");
        };
    }

    private static boolean isAllGather(CollectiveOperation operation) {
        return operation == CollectiveOperation.ALL_GATHER || operation == CollectiveOperation.ALL_GATHER_V;
    }

    /** The last round moves only what is left, and waits for no more of the others than that comes from. */
    private static int bruckRounds(Case c) {
        int left = c.size() - (1 << (c.ceilLog() - 1));
        return Math.max(c.ceilLog() - 1, 1 + new Case(left, 0).ceilLog());
    }

    private static int linearRounds(CollectiveOperation operation, Case c) {
        boolean isFromRoot = operation == CollectiveOperation.SCATTER
                || operation == CollectiveOperation.SCATTER_V
                || operation == CollectiveOperation.BROADCAST;
        if (isFromRoot) {
            return 1;
        }
        int turns = c.groupsOf(LinearGather.CONCURRENT);
        return c.block() > LinearGather.UNINVITED_BYTES_MAX ? 1 + 2 * (turns - 1) : turns;
    }

    private static long bytesSent(CollectiveOperation operation, AlgorithmName name, Case c) {
        return switch (operation) {
            case BARRIER -> 0;
            case BROADCAST ->
                switch (name) {
                    case BINOMIAL -> c.ceilLog() * c.m();
                    case CHAIN -> c.m();
                    case LINEAR -> (c.size() - 1) * c.m();
                    default -> 2 * c.allButOne();
                };
            case REDUCE -> name == AlgorithmName.RABENSEIFNER ? c.m() - c.m() / c.power() + c.m() / 2 : c.m();
            case ALL_REDUCE ->
                switch (name) {
                    case DOUBLING -> (c.floorLog() + c.surplus()) * c.m();
                    case RABENSEIFNER -> 2 * (c.m() - c.m() / c.power()) + c.surplus() * c.m();
                    default -> 2 * c.allButOne();
                };
            case SCATTER, SCATTER_V -> c.allButOne();
            case GATHER, GATHER_V ->
                name == AlgorithmName.LINEAR ? c.block() : Math.max(c.power() / 2, c.size() - c.power()) * c.block();
            case ALL_GATHER, ALL_GATHER_V -> c.allButOne();
            case REDUCE_SCATTER -> name == AlgorithmName.HALVING && c.surplus() > 0 ? c.m() : c.allButOne();
            case ALL_TO_ALL, ALL_TO_ALL_V -> name == AlgorithmName.BRUCK ? bits(c.size()) * c.block() : c.allButOne();
        };
    }

    /** How many rounds blocks take together, in Bruck's pattern: the set bits of all distances. */
    private static long bits(int size) {
        long bits = 0;
        for (int distance = 1; distance < size; distance++) {
            bits += Integer.bitCount(distance);
        }
        return bits;
    }

    /** One message up and one down, through a relay that every other message goes through as well. */
    @ParameterizedTest
    @EnumSource(CollectiveOperation.class)
    void shouldCostOneRoundByTheRelay(CollectiveOperation operation) {
        int size = 8;
        long bytes = 1 << 20;
        for (AlgorithmName name : Algorithms.ofRelay(operation)) {
            Algorithm algorithm = Algorithms.of(operation, name, Hosts.one(size));
            PlanCost cost = PlanCost.of(algorithm, operation, size, bytes, 1 << 20);
            boolean isHalf = operation == CollectiveOperation.ALL_REDUCE && name == AlgorithmName.RELAY_MULTICAST;
            boolean isGather =
                    operation == CollectiveOperation.ALL_GATHER || operation == CollectiveOperation.ALL_GATHER_V;
            assertEquals(isHalf ? 1 + 3 : 1, cost.rounds(), operation + " " + name);
            long sent = operation == CollectiveOperation.BARRIER ? 0 : isGather ? bytes / size : bytes;
            assertEquals(sent, cost.bytesSentMax(), operation + " " + name);
        }
    }

    @ParameterizedTest
    @EnumSource(CollectiveOperation.class)
    void shouldCostWhatTheAlgorithmSays(CollectiveOperation operation) {
        for (AlgorithmName name : Algorithms.of(operation)) {
            for (int size = 1; size <= SIZE_MAX; size++) {
                Algorithm algorithm = Algorithms.of(operation, name, Hosts.one(size));
                if (name == AlgorithmName.HIERARCHICAL) {
                    continue;
                }
                for (int units : new int[] {1, 3, 200}) {
                    // Divides among all ranks and among the power of two, so that no formula has to round.
                    Case c = new Case(size, (long) Long.BYTES * size * Integer.highestOneBit(size) * units);
                    PlanCost cost = PlanCost.of(algorithm, operation, size, c.m(), NO_SEGMENTS);
                    String what = operation + " by " + name + ", " + c;
                    assertEquals(size == 1 ? 0 : rounds(operation, name, c), cost.rounds(), what);
                    assertEquals(size == 1 ? 0 : bytesSent(operation, name, c), cost.bytesSentMax(), what);
                }
            }
        }
    }

    /** Cutting costs no bytes, and no rounds while as many segments as there are may be posted at once. */
    @ParameterizedTest
    @EnumSource(CollectiveOperation.class)
    void shouldSendTheSameInSegments(CollectiveOperation operation) {
        int segmentBytes = 4096;
        for (AlgorithmName name : Algorithms.of(operation)) {
            for (int size : new int[] {2, 3, 8}) {
                Algorithm algorithm = Algorithms.of(operation, name, Hosts.one(size));
                long m = 8L * segmentBytes;
                PlanCost whole = PlanCost.of(algorithm, operation, size, m, NO_SEGMENTS);
                PlanCost cut = PlanCost.of(algorithm, operation, size, m, segmentBytes);
                assertEquals(whole.bytesSentMax(), cut.bytesSentMax(), operation + " by " + name);
                assertEquals(whole.bytesReceivedMax(), cut.bytesReceivedMax(), operation + " by " + name);
                assertTrue(cut.messagesMax() >= whole.messagesMax(), operation + " by " + name);
            }
        }
        assertEquals(segmentBytes, Shape.usual(operation, 0, 1, 0, segmentBytes).segmentBytes());
    }
}
