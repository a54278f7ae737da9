package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.bench.machine.ProcessStatus;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.Engine;
import io.zipcomm.internal.GroupCommunicator;

/**
 * Joins, uses the link to each other rank, tells when it was how far and what memory it has then, and stays until it is told to
 * end. Instants are on the clock of {@link System#nanoTime()}, which is the same for all processes of a machine.
 */
public final class FootprintProbe {

    /** Message with the instants and the memory. */
    public static final String KIND = "footprint";

    private static final String SHARED = "aeron-ipc";

    /** Bytes to each rank: more than travels behind a header. */
    private static final int BLOCK_BYTES = 64 << 10;

    private static final int EXCHANGES = 3;

    /** How long all ranks together wait for paths that open beside the relay. */
    private static final long PATHS_NS_MAX = 10_000_000_000L;

    private final Communicator world;
    private final Collectives collectives;
    private long pathNs = -1;

    private FootprintProbe(Communicator world) {
        this.world = world;
        collectives = Collectives.of(world);
    }

    /**
     * Serves the harness on standard input and output.
     *
     * @param args whether paths in shared memory are expected
     */
    public static void main(String[] args) throws InterruptedException {
        long mainNs = System.nanoTime();
        HarnessLink harness = HarnessLink.open();
        int exitCode = 1;
        try (Communicator world = Zip.join()) {
            long joinedNs = System.nanoTime();
            FootprintProbe probe = new FootprintProbe(world);
            probe.sum(0);
            long reducedNs = System.nanoTime();
            probe.use(Boolean.parseBoolean(args[1]));
            harness.tell(Message.of(KIND)
                    .with("rank", world.rank())
                    .with("mainNs", mainNs)
                    .with("joinedNs", joinedNs)
                    .with("reducedNs", reducedNs)
                    .with("pathNs", probe.pathNs)
                    .with("residentBytes", ProcessStatus.residentBytes())
                    .with("sharedBytes", ProcessStatus.residentSharedBytes()));
            harness.next();
            exitCode = 0;
        } catch (ZipException e) {
            harness.tell(Worker.failure(e));
        }
        System.exit(exitCode);
    }

    /** Adds up a number over all ranks. */
    private float sum(float number) {
        float[] numbers = {number, 1};
        collectives.allReduce(numbers, ReduceOp.SUM);
        lookAtPaths();
        return numbers[0];
    }

    /** Sends to each rank and receives from it, first of all until paths have opened where the relay goes before. */
    private void use(boolean expectsShared) {
        Payload blocks = Payload.of(new float[world.size() * BLOCK_BYTES / Float.BYTES]);
        Payload received = Payload.of(new float[world.size() * BLOCK_BYTES / Float.BYTES]);
        long endNs = System.nanoTime() + PATHS_NS_MAX;
        int exchanges = 0;
        boolean waits = true;
        while (waits || exchanges < EXCHANGES) {
            collectives.allToAll(blocks, received);
            lookAtPaths();
            exchanges++;
            boolean isReady = !expectsShared || areAllShared() || System.nanoTime() - endNs > 0;
            waits = sum(isReady ? 1 : 0) < world.size();
        }
    }

    private void lookAtPaths() {
        Engine engine = GroupCommunicator.of(world).progress();
        for (int peer = 0; peer < world.size() && pathNs < 0; peer++) {
            if (peer != world.rank() && SHARED.equals(engine.pathTo(peer))) {
                pathNs = System.nanoTime();
            }
        }
    }

    private boolean areAllShared() {
        Engine engine = GroupCommunicator.of(world).progress();
        for (int peer = 0; peer < world.size(); peer++) {
            if (peer != world.rank() && !SHARED.equals(engine.pathTo(peer))) {
                return false;
            }
        }
        return true;
    }
}
