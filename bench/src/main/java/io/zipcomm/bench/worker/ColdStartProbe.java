package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.error.ZipException;

/**
 * What a short-lived function does: joins, adds up two numbers with the others, leaves. Reports the instants, on the clock
 * of {@link System#nanoTime()}, which is the same for all processes of a machine.
 */
public final class ColdStartProbe {

    /** Message with the instants. */
    public static final String KIND = "started";

    private ColdStartProbe() {}

    /**
     * Runs once and ends.
     *
     * @param args none
     */
    public static void main(String[] args) {
        long mainNs = System.nanoTime();
        int exitCode = 0;
        try (Communicator world = Zip.join()) {
            long joinedNs = System.nanoTime();
            float[] numbers = {world.rank(), 1};
            Collectives.of(world).allReduce(numbers, ReduceOp.SUM);
            long reducedNs = System.nanoTime();
            int sumOfRanks = world.size() * (world.size() - 1) / 2;
            System.out.println(Message.of(KIND)
                    .with("rank", world.rank())
                    .with("mainNs", mainNs)
                    .with("joinedNs", joinedNs)
                    .with("reducedNs", reducedNs)
                    .with("right", numbers[0] == sumOfRanks && numbers[1] == world.size()));
        } catch (ZipException e) {
            System.out.println(Worker.failure(e));
            exitCode = 1;
        }
        System.exit(exitCode);
    }
}
