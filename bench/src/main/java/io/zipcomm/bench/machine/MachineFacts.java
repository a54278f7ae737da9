package io.zipcomm.bench.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a reader of times must know of the machine that they come from. */
public final class MachineFacts {

    private static final Path ROOT = Path.of("/");
    private static final String UNKNOWN = "unknown";
    private static final double BYTES_PER_GIB = 1L << 30;
    private static final int BYTES_PER_KB = 1024;

    private MachineFacts() {}

    /** By name, in the order in which they are to be read. */
    public static Map<String, String> read() {
        return read(ROOT);
    }

    static Map<String, String> read(Path root) {
        List<String> processors = lines(root.resolve("proc/cpuinfo"));
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("processor", field(processors, "model name"));
        facts.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
        facts.put("processor quota", CpuQuota.describe(root));
        facts.put("memory", memory(lines(root.resolve("proc/meminfo"))));
        facts.put("kernel", String.join(" ", lines(root.resolve("proc/sys/kernel/osrelease"))));
        facts.put("virtual machine", virtual(processors));
        facts.replaceAll((name, value) -> value.isEmpty() ? UNKNOWN : value);
        return facts;
    }

    private static String memory(List<String> meminfo) {
        double bytes = BYTES_PER_KB * ProcessStatus.field(meminfo, "MemTotal:");
        return Double.isNaN(bytes) ? UNKNOWN : String.format(Locale.ROOT, "%.1f GiB", bytes / BYTES_PER_GIB);
    }

    /** A processor that knows of a hypervisor above it says so. */
    private static String virtual(List<String> processors) {
        String flags = field(processors, "flags");
        if (flags.isEmpty()) {
            return UNKNOWN;
        }
        return Arrays.asList(flags.split(" ", -1)).contains("hypervisor") ? "yes" : "no";
    }

    /** What follows the colon behind a name, in the first line that has it; empty if none has. */
    private static String field(List<String> lines, String name) {
        return lines.stream()
                .filter(line -> line.startsWith(name) && line.indexOf(':') >= 0)
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst()
                .orElse("");
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }
}
