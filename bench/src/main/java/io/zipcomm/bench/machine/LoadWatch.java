package io.zipcomm.bench.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Who else wants the processors: how much at the start, and how much the hypervisor takes until it is asked. */
public final class LoadWatch {

    private static final Path PROC = Path.of("/proc");
    private static final String ALL_PROCESSORS = "cpu ";

    /** user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of the first two. */
    private static final int STATES = 8;

    private static final int STEAL = 7;

    private final double loadPerCore;
    private final double[] ticksAtStart;

    private LoadWatch(double loadPerCore, double[] ticksAtStart) {
        this.loadPerCore = loadPerCore;
        this.ticksAtStart = ticksAtStart;
    }

    /** Begins to watch. To be called before this process adds to the load. */
    public static LoadWatch start() {
        double load = load(read("loadavg"));
        return new LoadWatch(load / Runtime.getRuntime().availableProcessors(), ticks(read("stat")));
    }

    /** Load average over the minute before the start, over the number of cores; NaN if it is not known. */
    public double loadPerCore() {
        return loadPerCore;
    }

    /** Share of the processors' time since the start that went to other virtual machines; NaN if it is not known. */
    public double stealShare() {
        return stealShare(ticksAtStart, ticks(read("stat")));
    }

    static double load(List<String> loadavg) {
        return loadavg.isEmpty()
                ? Double.NaN
                : Double.parseDouble(loadavg.get(0).split(" ", 2)[0]);
    }

    /** Ticks of all processors in each state; empty if the text has none. */
    static double[] ticks(List<String> stat) {
        return stat.stream()
                .filter(line -> line.startsWith(ALL_PROCESSORS))
                .map(line -> line.substring(ALL_PROCESSORS.length()).trim().split(" +"))
                .filter(words -> words.length >= STATES)
                .map(words -> Arrays.stream(words)
                        .limit(STATES)
                        .mapToDouble(Double::parseDouble)
                        .toArray())
                .findFirst()
                .orElse(new double[0]);
    }

    static double stealShare(double[] before, double[] after) {
        if (before.length == 0 || after.length == 0) {
            return Double.NaN;
        }
        return (after[STEAL] - before[STEAL])
                / (Arrays.stream(after).sum() - Arrays.stream(before).sum());
    }

    private static List<String> read(String name) {
        try {
            return Files.readAllLines(PROC.resolve(name));
        } catch (IOException e) {
            return List.of();
        }
    }
}
