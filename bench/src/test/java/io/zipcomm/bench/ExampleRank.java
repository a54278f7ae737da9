package io.zipcomm.bench;

import io.zipcomm.Communicator;
import io.zipcomm.Snapshots;
import io.zipcomm.Zip;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.error.ZipException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/**
 * A rank in a process of its own, which does what it is told on its standard input, a line each: {@code sum} adds up ones,
 * {@code snapshot} does what a process does that is frozen into an image and restored, but does not join again, and anything else is the
 * name of a snippet to run. At the end of the input it closes its world.
 */
final class ExampleRank {

    static final String SUM = "sum";
    static final String SNAPSHOT = "snapshot";
    static final String WORLD = "world of ";
    static final String FAILED = "this rank says: ";
    static final String SUMMED = "summed ";

    private ExampleRank() {}

    public static void main(String[] args) throws IOException, ReflectiveOperationException {
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Communicator world = Zip.join();
        ZipException failure = null;
        System.out.println(WORLD + world.size());
        for (String order = orders.readLine(); order != null; order = orders.readLine()) {
            try {
                if (order.equals(SUM)) {
                    float[] ones = {1};
                    Collectives.of(world).allReduce(ones, ReduceOp.SUM);
                    System.out.println(SUMMED + (int) ones[0]);
                } else if (order.equals(SNAPSHOT)) {
                    Snapshots.beforeCheckpoint();
                    Snapshots.afterRestore();
                } else {
                    ClassLoader loader = ExampleRank.class.getClassLoader();
                    world = FailuresDocument.run(loader, order, world, new float[] {1}, failure, Instant.MAX);
                    System.out.println(WORLD + world.size());
                }
            } catch (ZipException e) {
                failure = e;
                System.out.println(FAILED + e.getMessage());
            }
        }
        world.close();
    }
}
