package io.zipcomm.bench.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** How much processor time the control groups of Linux allow this process. */
public final class CpuQuota {

    private static final String V1_CONTROLLER = "cpu";

    private CpuQuota() {}

    /** The quota as a phrase: a number of processors, {@code none}, or why it is not known. */
    public static String describe() {
        return describe(Path.of("/"));
    }

    /**
     * The quota, found below another root.
     *
     * @param root where {@code proc} and {@code sys} are
     */
    static String describe(Path root) {
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
            if (!any) {
                return "unknown (no cpu control group)";
            }
            return Double.isInfinite(smallest) ? "none" : String.format(Locale.ROOT, "%.2f processors", smallest);
        } catch (IOException | RuntimeException e) {
            return "unknown (" + e + ")";
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
