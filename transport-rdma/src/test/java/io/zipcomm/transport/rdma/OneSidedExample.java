package io.zipcomm.transport.rdma;

import io.zipcomm.Communicator;
import io.zipcomm.Region;
import java.nio.ByteBuffer;

/** The example of {@code docs/one-sided.md}, word by word. */
final class OneSidedExample {

    private OneSidedExample() {}

    /** Returns what this rank has in its memory, and what it has got of the next. */
    static long[] run(Communicator world) {
        // tag::example
        ByteBuffer memory = ByteBuffer.allocateDirect(world.size() * Long.BYTES);
        ByteBuffer mine = ByteBuffer.allocateDirect(Long.BYTES).putLong(0, 100 + world.rank());
        try (Region region = world.expose(memory)) {
            for (int target = 0; target < world.size(); target++) {
                region.put(target, (long) world.rank() * Long.BYTES, mine);
            }
            region.fence();
            // Every rank's number is in memory: the fence of all has come after the puts of all.
            int next = (world.rank() + 1) % world.size();
            ByteBuffer theirs = ByteBuffer.allocateDirect(Long.BYTES);
            region.get(next, 0, theirs);
            region.flush(next);
            // What the next rank has of rank 0 is in theirs.
            // end::example
            long[] found = new long[world.size() + 1];
            for (int rank = 0; rank < world.size(); rank++) {
                found[rank] = memory.getLong(rank * Long.BYTES);
            }
            found[world.size()] = theirs.getLong(0);
            return found;
        }
    }
}
