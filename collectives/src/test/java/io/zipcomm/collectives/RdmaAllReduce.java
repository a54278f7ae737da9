package io.zipcomm.collectives;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.internal.Engine;
import io.zipcomm.internal.GroupCommunicator;
import java.util.List;

/**
 * A rank, as a process of its own, that all-reduces over RDMA: every reduction of every type, and lengths around those at which the
 * algorithm changes, against a plain loop. Its group is in ZIP_* variables.
 */
public final class RdmaAllReduce {

    /** The same on all ranks, each of which makes the cases for itself. */
    private static final long SEED = 11;

    private RdmaAllReduce() {}

    /** Ends with an exception if a result is wrong, or if anything took another path. */
    public static void main(String... args) {
        try (Communicator world = Zip.join()) {
            List<CollectiveCase> cases = CollectiveMatrix.cases(world.size(), Hosts.Spread.ONE, SEED).stream()
                    .filter(one -> one.operation() == CollectiveOperation.ALL_REDUCE)
                    .toList();
            Collectives collectives = Collectives.of(world);
            long beginNs = System.nanoTime();
            for (CollectiveCase one : cases) {
                CollectiveMatrix.run(collectives, one);
            }
            long tookMs = (System.nanoTime() - beginNs) / 1_000_000;
            checkPaths(world);
            System.out.println(
                    "rank " + world.rank() + " of " + world.size() + ": " + cases.size() + " all-reduces right, "
                            + world.counters().directBytesSent + " bytes sent over RDMA, " + tookMs + " ms");
        }
    }

    private static void checkPaths(Communicator world) {
        Engine engine = GroupCommunicator.of(world).progress();
        for (int peer = 0; peer < world.size(); peer++) {
            if (peer != world.rank() && !"rdma".equals(engine.pathTo(peer))) {
                throw new AssertionError("the path to rank " + peer + " is " + engine.pathTo(peer));
            }
        }
        if (world.counters().relayBytesSent > 0) {
            throw new AssertionError(world.counters().relayBytesSent + " bytes went by the relay");
        }
    }
}
