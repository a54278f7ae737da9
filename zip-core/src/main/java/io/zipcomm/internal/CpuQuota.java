package io.zipcomm.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * How much processor time the control groups of Linux allow this process. What the Java platform says of it is rounded up
 * to whole processors: half a one reads as one.
 *
 * @param processors number of processors; infinite if there is no quota or none is known
 * @param problem    why it is not known; null if it is, or if there is none
 */
public record CpuQuota(double processors, String problem) {

    private static final String V1_CONTROLLER = "cpu";

    /** The quota of this process. */
    public static CpuQuota ofThisProcess() {
        return below(Path.of("/"));
    }

    /** Whether the quota is known to be below a number of processors. */
    boolean isBelow(int number) {
        return processors < number;
    }

    /** As a phrase: a number of processors, {@code none}, or why it is not known. */
    @Override
    public String toString() {
        if (problem != null) {
            return "unknown (" + problem + ")";
        }
        return Double.isInfinite(processors) ? "none" : String.format(Locale.ROOT, "%.2f processors", processors);
    }

    private static CpuQuota unknown(String problem) {
        return new CpuQuota(Double.POSITIVE_INFINITY, problem);
    }

    /**
     * The quota, found below another root.
     *
     * @param root where {@code proc} and {@code sys} are
     */
    static CpuQuota below(Path root) {
        try {
            double smallest = Double.POSITIVE_INFINITY;
            boolean any = false;
            for (String line : Files.readAllLines(root.resolve("proc/self/cgroup"))) {
                String[] fields = line.split(":", 3);
                boolean v2 = fields[0].equals("0") && fields[1].isEmpty();
                if (v2 || List.of(fields[1].split(",", -1)).contains(V1_CONTROLLER)) {
                    any = true;
                    Path mount = root.resolve(v2 ? "sys/fs/cgroup" : "sys/fs/cgroup/cpu");
                    smallest = Math.min(smallest, smallestOnTheWayUp(mount, fields[2], v2));
                }
            }
            return any ? new CpuQuota(smallest, null) : unknown("no cpu control group");
        } catch (IOException | RuntimeException e) {
            return unknown(e.toString());
        }
    }

    /** A limit holds for all groups below it. */
    private static double smallestOnTheWayUp(Path mount, String group, boolean v2) throws IOException {
        double smallest = Double.POSITIVE_INFINITY;
        Path relative = Path.of("/").relativize(Path.of(group));
        for (Path path = mount.resolve(relative); path.startsWith(mount); path = path.getParent()) {
            smallest = Math.min(smallest, v2 ? v2Limit(path) : v1Limit(path));
        }
        return smallest;
    }

    private static double v2Limit(Path group) throws IOException {
        Path file = group.resolve("cpu.max");
        if (!Files.exists(file)) {
            return Double.POSITIVE_INFINITY;
        }
        String[] quotaAndPeriod = Files.readString(file).trim().split(" ", -1);
        return quotaAndPeriod[0].equals("max")
                ? Double.POSITIVE_INFINITY
                : Double.parseDouble(quotaAndPeriod[0]) / Double.parseDouble(quotaAndPeriod[1]);
    }

    private static double v1Limit(Path group) throws IOException {
        Path file = group.resolve("cpu.cfs_quota_us");
        if (!Files.exists(file)) {
            return Double.POSITIVE_INFINITY;
        }
        double quota = Double.parseDouble(Files.readString(file).trim());
        double period = Double.parseDouble(
                Files.readString(group.resolve("cpu.cfs_period_us")).trim());
        return quota < 0 ? Double.POSITIVE_INFINITY : quota / period;
    }
}
