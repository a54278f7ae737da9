package io.zipcomm.bench.cluster;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.internal.Engine;
import io.zipcomm.internal.GroupCommunicator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A rank that says by which path it reaches its peer in the end, and which native code for RDMA its process has loaded by then. */
public final class NativeLook {

    private static final long PATIENCE_NS = 20_000_000_000L;

    private NativeLook() {}

    /**
     * Joins a group of two as the environment has it.
     *
     * @param args the path that is expected
     */
    public static void main(String[] args) throws IOException {
        try (Communicator world = Zip.join()) {
            Collectives collectives = Collectives.of(world);
            Engine engine = GroupCommunicator.of(world).progress();
            int peer = 1 - world.rank();
            long lateNs = System.nanoTime() + PATIENCE_NS;
            float[] waiting = {1};
            while (waiting[0] > 0) {
                boolean isOver = args[0].equals(engine.pathTo(peer)) || System.nanoTime() - lateNs > 0;
                waiting[0] = isOver ? 0 : 1;
                collectives.allReduce(waiting, ReduceOp.SUM);
            }
            System.out.println(engine.pathTo(peer) + "; loaded:" + loaded());
        }
    }

    private static String loaded() throws IOException {
        StringBuilder loaded = new StringBuilder();
        String maps = Files.readString(Path.of("/proc/self/maps"));
        for (String name : new String[] {"jffi", "zip_fabric", "libfabric"}) {
            loaded.append(maps.contains(name) ? " " + name : "");
        }
        return loaded.toString();
    }
}
