package io.zipcomm.bench.machine;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What {@code /proc} says of a process. */
public final class ProcessStatus {

    private static final Path PROC = Path.of("/proc");
    private static final String PEAK_MEMORY = "VmHWM:";
    private static final String MEMORY = "VmRSS:";
    private static final String SHARED_MEMORY = "RssShmem:";
    private static final List<String> SWITCHES = List.of("voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:");
    private static final int BYTES_PER_KB = 1024;

    private ProcessStatus() {}

    /** Resident memory of this process at its peak, in bytes; NaN if it cannot be read. */
    public static double peakMemoryBytes() {
        return peakMemoryBytes(PROC.resolve("self"));
    }

    /** Resident memory of a process at its peak, in bytes; NaN if it cannot be read. */
    public static double peakMemoryBytes(long pid) {
        return peakMemoryBytes(PROC.resolve(Long.toString(pid)));
    }

    static double peakMemoryBytes(Path process) {
        return bytes(process, PEAK_MEMORY);
    }

    /** Resident memory of this process, in bytes, with what it shares; NaN if it cannot be read. */
    public static double residentBytes() {
        return bytes(PROC.resolve("self"), MEMORY);
    }

    /** Resident memory of this process that is in files of a file system in memory, in bytes; NaN if it cannot be read. */
    public static double residentSharedBytes() {
        return bytes(PROC.resolve("self"), SHARED_MEMORY);
    }

    private static double bytes(Path process, String name) {
        try {
            return BYTES_PER_KB * field(Files.readAllLines(process.resolve("status")), name);
        } catch (IOException e) {
            return Double.NaN;
        }
    }

    /** Context switches of each thread of this process so far, by its id; empty if they cannot be read. */
    public static Map<String, Double> contextSwitches() {
        return contextSwitches(PROC.resolve("self"));
    }

    static Map<String, Double> contextSwitches(Path process) {
        Map<String, Double> switches = new HashMap<>();
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(process.resolve("task"))) {
            for (Path thread : threads) {
                noteSwitches(thread, switches);
            }
        } catch (IOException | DirectoryIteratorException e) {
            return Map.of();
        }
        return switches;
    }

    private static void noteSwitches(Path thread, Map<String, Double> switches) {
        try {
            List<String> lines = Files.readAllLines(thread.resolve("status"));
            double sum =
                    SWITCHES.stream().mapToDouble(name -> field(lines, name)).sum();
            switches.put(thread.getFileName().toString(), sum);
        } catch (IOException e) {
            // A thread that ended since the folder was listed.
        }
    }

    /**
     * How many switches lie between two looks: of the threads that still live, since the others took their count along.
     *
     * @return NaN if the second look saw nothing
     */
    public static double switchesBetween(Map<String, Double> before, Map<String, Double> after) {
        return after.isEmpty()
                ? Double.NaN
                : after.entrySet().stream()
                        .mapToDouble(thread -> thread.getValue() - before.getOrDefault(thread.getKey(), 0.0))
                        .sum();
    }

    /** The first number behind a name at the beginning of a line; NaN if there is none. */
    static double field(List<String> lines, String name) {
        return lines.stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(name.length()).trim().split("\\s+", 2)[0])
                .mapToDouble(Double::parseDouble)
                .findFirst()
                .orElse(Double.NaN);
    }
}
