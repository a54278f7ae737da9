package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.error.ZipException;

/** Adds up large arrays with the others, one time after the other, until that fails; then reports how. */
public final class KillProbe {

    /** Order to begin, with the bytes of the arrays. */
    public static final String BEGIN = "begin";

    /** Message of a rank that has done some rounds and goes on. */
    public static final String RUNNING = "running";

    private static final int ROUNDS_BEFORE = 3;

    private KillProbe() {}

    /**
     * Serves the harness on standard input and output.
     *
     * @param args none
     */
    public static void main(String[] args) throws InterruptedException {
        HarnessLink harness = HarnessLink.open();
        try (Communicator world = Zip.join()) {
            harness.tell(Message.of(Worker.JOINED).with("rank", world.rank()));
            float[] numbers = new float[(int) (harness.next().number("bytes") / Float.BYTES)];
            harness.tell(addUntilFailure(world, numbers, harness));
        } catch (ZipException e) {
            harness.tell(Worker.failure(e));
        }
        System.exit(1);
    }

    private static Message addUntilFailure(Communicator world, float[] numbers, HarnessLink harness) {
        Collectives collectives = Collectives.of(world);
        try {
            for (long round = 1; ; round++) {
                collectives.allReduce(numbers, ReduceOp.SUM);
                if (round == ROUNDS_BEFORE) {
                    harness.tell(Message.of(RUNNING).with("rank", world.rank()));
                }
            }
        } catch (ZipException e) {
            return Worker.failure(e);
        }
    }
}
