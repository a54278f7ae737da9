package io.zipcomm.bench.cli;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import java.io.IOException;

/** A rank that reduces until rank 0 is sent a byte, and says after every hundred that it did. */
public final class SteadyRank {

    private SteadyRank() {}

    /** Takes no arguments: its group is in the environment. */
    public static void main(String[] args) throws IOException {
        try (Communicator world = Zip.join()) {
            Collectives collectives = Collectives.of(world);
            int size = world.size();
            long[] values = new long[2048];
            for (long round = 1; ; round++) {
                boolean last = world.rank() == 0 && System.in.available() > 0;
                values[0] = last ? 1 : 0;
                for (int i = 1; i < values.length; i++) {
                    values[i] = world.rank() + round * i;
                }
                collectives.allReduce(values, ReduceOp.SUM);
                for (int i = 1; i < values.length; i++) {
                    if (values[i] != (long) size * (size - 1) / 2 + size * round * i) {
                        throw new IllegalStateException("wrong sum at " + i + " in round " + round);
                    }
                }
                if (values[0] > 0) {
                    System.out.println("done");
                    return;
                }
                if (round % 100 == 0) {
                    System.out.println("round " + round);
                }
            }
        }
    }
}
