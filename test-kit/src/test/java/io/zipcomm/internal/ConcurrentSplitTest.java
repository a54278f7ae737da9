package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two threads may split two communicators at the same time, one on each rank first. */
final class ConcurrentSplitTest {

    private static final long TIMEOUT_NS = 10_000_000_000L;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @Test
    void shouldNumberCommunicatorsDifferently() {
        seeds.each(60, seed -> {
            try (SimulatedGroup group = SimulatedGroup.of(4, seed)) {
                List<List<GroupCommunicator>> parents = new ArrayList<>();
                for (int rank = 0; rank < 4; rank++) {
                    parents.add(new ArrayList<>());
                    parents.get(rank).add(GroupCommunicator.of(group.communicator(rank)));
                }
                group.run(world -> {
                    List<GroupCommunicator> mine = parents.get(world.rank());
                    mine.add(GroupCommunicator.of(world.duplicate()));
                    mine.add(GroupCommunicator.of(world.split(0, -world.rank())));
                    Communicator pair = world.split(world.rank() / 2, 0);
                    mine.add(GroupCommunicator.of(pair));
                });
                List<List<SplitOperation>> splits = new ArrayList<>();
                List<ZipFuture<?>> open = new ArrayList<>();
                for (int rank = 0; rank < 4; rank++) {
                    List<SplitOperation> mine = new ArrayList<>();
                    for (GroupCommunicator parent : parents.get(rank)) {
                        mine.add(new SplitOperation(parent, Signature.SPLIT, 0, parent.rank()));
                    }
                    splits.add(mine);
                }
                // Each rank begins them in an order of its own.
                for (int rank = 0; rank < 4; rank++) {
                    List<Integer> order = new ArrayList<>(List.of(0, 1, 2, 3));
                    for (int left = 4; left > 0; left--) {
                        int next = order.remove(group.random().nextInt(left));
                        open.add(parents.get(rank)
                                .get(next)
                                .start(splits.get(rank).get(next), TIMEOUT_NS));
                        group.turns(group.random().nextInt(10));
                    }
                }
                group.await(open);
                for (int rank = 0; rank < 4; rank++) {
                    Set<Integer> contexts = new HashSet<>();
                    for (GroupCommunicator parent : parents.get(rank)) {
                        contexts.add(parent.context());
                    }
                    for (int i = 0; i < 4; i++) {
                        int context = splits.get(rank).get(i).context();
                        contexts.add(context);
                        int first = parents.get(rank).get(i).worldRanks()[0];
                        int sibling = parents.get(rank)
                                .get(i)
                                .worldRanks()[parents.get(rank).get(i).size() - 1];
                        assertEquals(splits.get(first).get(i).context(), context);
                        assertEquals(splits.get(sibling).get(i).context(), context);
                    }
                    assertEquals(8, contexts.size(), "numbers on rank " + rank + ": " + contexts);
                }
                open.forEach(one -> assertEquals(null, one.join()));
            }
        });
    }
}
