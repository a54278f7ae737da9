package io.zipcomm.simulation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Runs some programs in a process of its own, and writes down what came of them. */
final class OneProcess {

    private OneProcess() {}

    /**
     * Runs it.
     *
     * @param args the first seed, the last, and the file to write
     */
    public static void main(String[] args) throws IOException {
        Files.writeString(Path.of(args[2]), tell(Long.parseLong(args[0]), Long.parseLong(args[1])));
    }

    /** What comes of the programs of a range of seeds. */
    static String tell(long from, long to) {
        Runs runs = new Runs(Fault.all(), () -> Plant.NONE, "SimulationTest");
        StringBuilder text = new StringBuilder();
        for (long seed = from; seed <= to; seed++) {
            text.append(runs.one(seed, Runs.newAllocator())).append('\n');
        }
        return text.toString();
    }
}
