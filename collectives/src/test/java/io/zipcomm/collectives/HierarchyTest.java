package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.collectives.allreduce.HierarchicalAllReduce;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Plan;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Algorithms;
import io.zipcomm.testkit.Conditions;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import io.zipcomm.testkit.SimulatedNetwork;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Groups of which some ranks share hosts: results, and what goes from host to host. */
@Tag("once")
final class HierarchyTest {

    private static final int SEGMENT_BYTES = 8192;

    private static final List<CollectiveOperation> OPERATIONS = Arrays.stream(CollectiveOperation.values())
            .filter(operation -> Algorithms.of(operation).contains(AlgorithmName.HIERARCHICAL))
            .toList();

    @RegisterExtension
    final Seeds seeds = new Seeds();

    /** The host of each rank. */
    static Stream<String> layouts() {
        return Stream.of("0011", "00001111", "0001", "01111122", "0101", "012012", "00010", "0111", "0000");
    }

    private static int[] hostOf(String layout) {
        return layout.chars().map(c -> c - '0').toArray();
    }

    private static Hosts hosts(String layout) {
        return Hosts.of(
                Arrays.stream(hostOf(layout)).mapToObj(Integer::toString).toList());
    }

    private SimulatedGroup group(String layout) {
        int size = layout.length();
        return SimulatedGroup.of(
                new SimulatedNetwork(size, seeds.seed(), Conditions.usual(), hostOf(layout)), options -> options);
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void shouldMatchPlainLoopForEveryRootAndLength(String layout) {
        int size = layout.length();
        SplittableRandom random = new SplittableRandom(seeds.seed());
        List<CollectiveCase> cases = new ArrayList<>();
        for (CollectiveOperation operation : OPERATIONS) {
            for (int root = 0; root < (CollectiveCase.isRooted(operation) ? size : 1); root++) {
                // Both sides of each change of inner algorithms, divisible by the ranks of a host and not.
                for (int count : new int[] {0, 1, 1001, 8192, 8193, 16 << 10, 16385, 48_000, 70_001}) {
                    cases.add(CollectiveMatrix.floats(operation, size, root, count, random));
                }
                cases.add(CollectiveMatrix.anyCase(operation, size, root, random.nextInt(9000), random));
                cases.add(CollectiveMatrix.anyCase(operation, size, root, random.nextInt(9000), random));
            }
        }
        try (SimulatedGroup group = group(layout)) {
            group.run(world -> {
                Collectives collectives = Collectives.of(world).withAlgorithm("hierarchical");
                for (CollectiveCase one : cases) {
                    CollectiveMatrix.run(collectives, one);
                }
            });
            assertEquals(List.of(), group.leaks());
        }
    }

    /** Even hosts, uneven ones, ranks of one host that are not neighbours, and one host only. */
    @ParameterizedTest
    @ValueSource(strings = {"0011", "0001", "0101", "00010", "0000"})
    void shouldMatchPlainLoopByItsOwnChoice(String layout) {
        matchPlainLoopByItsOwnChoice(layout);
    }

    @ParameterizedTest
    @ValueSource(strings = {"00001111", "01111122", "012012", "0111"})
    @Tag("long")
    void shouldMatchPlainLoopByItsOwnChoiceInLargerGroups(String layout) {
        matchPlainLoopByItsOwnChoice(layout);
    }

    private void matchPlainLoopByItsOwnChoice(String layout) {
        Hosts.Spread spread = hosts(layout).spread();
        List<CollectiveCase> cases = CollectiveMatrix.cases(layout.length(), spread, seeds.seed());
        try (SimulatedGroup group = group(layout)) {
            group.run(world -> {
                Collectives collectives = Collectives.of(world);
                String chosen = collectives.algorithmFor(CollectiveOperation.ALL_REDUCE, 1000);
                assertEquals(spread == Hosts.Spread.SHARED, chosen.equals("hierarchical"));
                for (CollectiveCase one : cases) {
                    CollectiveMatrix.run(collectives, one);
                }
            });
            assertEquals(List.of(), group.leaks());
        }
    }

    @Test
    void shouldKnowTheHostsOfPartOfAGroup() {
        try (SimulatedGroup group = group("001122")) {
            group.run(world -> {
                var part = world.split(world.rank() % 2, 0);
                assertNotEquals(
                        "hierarchical",
                        Collectives.of(part).algorithmFor(CollectiveOperation.BARRIER, 0),
                        "each of the three is on a host of its own");
                Collectives.of(part).barrier();
                part.close();
            });
        }
    }

    // ---- between hosts

    /** Bytes that a host sends to others and receives from them. */
    private record Traffic(long sent, long received) {}

    private static List<Traffic> traffic(Hosts hosts, CollectiveOperation operation, int root, long bytes) {
        Algorithm algorithm = Algorithms.of(operation, AlgorithmName.HIERARCHICAL, hosts);
        long[] sent = new long[hosts.count()];
        long[] received = new long[hosts.count()];
        for (int rank = 0; rank < hosts.size(); rank++) {
            Shape usual = Shape.usual(operation, rank, hosts.size(), bytes, SEGMENT_BYTES);
            Shape shape = new Shape(
                    operation,
                    rank,
                    hosts.size(),
                    root,
                    usual.type(),
                    usual.bytes(),
                    usual.blocks(),
                    usual.arriving(),
                    usual.inPlace(),
                    usual.segmentBytes());
            Plan plan = PlanBuilder.build(algorithm, shape);
            for (int step = 0; step < plan.steps(); step++) {
                boolean crosses =
                        plan.kind(step) != Plan.Kind.COPY && hosts.hostOf(plan.peer(step)) != hosts.hostOf(rank);
                if (crosses && plan.kind(step) == Plan.Kind.SEND) {
                    sent[hosts.hostOf(rank)] += plan.bytes(step);
                } else if (crosses) {
                    received[hosts.hostOf(rank)] += plan.bytes(step);
                }
            }
        }
        return IntStream.range(0, sent.length)
                .mapToObj(host -> new Traffic(sent[host], received[host]))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void shouldSendLongMessagesToEachHostOnce(String layout) {
        Hosts hosts = hosts(layout);
        long m = 1 << 20;
        for (int root = 0; root < hosts.size(); root++) {
            List<Traffic> broadcast = traffic(hosts, CollectiveOperation.BROADCAST, root, m);
            List<Traffic> reduce = traffic(hosts, CollectiveOperation.REDUCE, root, m);
            for (int host = 0; host < hosts.count(); host++) {
                long others = host == hosts.hostOf(root) ? 0 : m;
                assertEquals(others, broadcast.get(host).received(), "broadcast, root " + root);
                assertEquals(others, reduce.get(host).sent(), "reduce, root " + root);
                assertTrue(broadcast.get(host).sent() <= m, "broadcast, root " + root);
                assertTrue(reduce.get(host).received() <= m, "reduce, root " + root);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void shouldExchangeNoMoreBetweenHostsThanOneRankOfEachWould(String layout) {
        Hosts hosts = hosts(layout);
        long h = hosts.count();
        long m = 1 << 20;
        // Chunks are whole numbers of floats, so that a slice's may be one longer than its part of the message.
        long rounding = 2 * h * hosts.size() * Float.BYTES;
        for (Traffic one : traffic(hosts, CollectiveOperation.ALL_REDUCE, 0, m)) {
            long bound = 2 * (h - 1) * m / h;
            assertTrue(one.sent() <= bound + rounding && one.received() <= bound + rounding, one + ", " + bound);
            assertTrue(one.sent() >= bound - rounding, one + ", " + bound);
        }
        for (Traffic one : traffic(hosts, CollectiveOperation.ALL_REDUCE, 0, HierarchicalAllReduce.LEADER_BYTES_MAX)) {
            int rounds = Integer.SIZE - Integer.numberOfLeadingZeros((int) h - 1);
            assertTrue(one.sent() <= (rounds + 1L) * HierarchicalAllReduce.LEADER_BYTES_MAX, one.toString());
        }
        for (long bytes : new long[] {8L << 10, m}) {
            long block = bytes / hosts.size() / Long.BYTES * Long.BYTES;
            List<Traffic> gathered = traffic(hosts, CollectiveOperation.ALL_GATHER, 0, bytes);
            for (int host = 0; host < h; host++) {
                int foreign = hosts.size() - hosts.ranks(host).length;
                assertEquals(foreign * block, gathered.get(host).received(), "each foreign block once");
            }
        }
    }

    @Test
    void shouldNumberHostsByTheirFirstRanks() {
        Hosts hosts = Hosts.of(List.of("b", "a", "b", "c", "a"));
        assertEquals(3, hosts.count());
        assertEquals(
                List.of(0, 1, 0, 2, 1),
                IntStream.range(0, 5).mapToObj(hosts::hostOf).toList());
        assertEquals(
                List.of(0, 2, 1, 4, 3), Arrays.stream(hosts.byHost()).boxed().toList());
        assertEquals(List.of(0, 4, 3), Arrays.stream(hosts.leaders(4)).boxed().toList());
        assertEquals(1, hosts.indexOf(4));
        assertEquals(Hosts.Spread.SHARED, hosts.spread());
        assertEquals(Hosts.Spread.APART, hosts("012").spread());
        assertEquals(Hosts.Spread.ONE, hosts("000").spread());
        assertTrue(hosts("0101").isEven() && !hosts.isEven());
        assertEquals(
                List.of(1, 3), Arrays.stream(hosts("0011").across(1)).boxed().toList());
    }
}
