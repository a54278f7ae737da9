package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CpuQuotaTest {

    @TempDir
    private Path root;

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    @Test
    void shouldTakeTheSmallestLimitOnTheWayUp() throws IOException {
        write("proc/self/cgroup", "0::/user/job\n");
        write("sys/fs/cgroup/user/job/cpu.max", "max 100000\n");
        write("sys/fs/cgroup/user/cpu.max", "150000 100000\n");
        assertEquals("1.50 processors", CpuQuota.below(root).toString());
    }

    @Test
    void shouldReadTheFirstVersionToo() throws IOException {
        write("proc/self/cgroup", "4:cpu,cpuacct:/job\n3:memory:/job\n");
        write("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "50000\n");
        write("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
        write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
        write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
        assertEquals("0.50 processors", CpuQuota.below(root).toString());
    }

    @Test
    void shouldSayThatThereIsNone() throws IOException {
        write("proc/self/cgroup", "0::/\n");
        assertEquals("none", CpuQuota.below(root).toString());
    }

    @Test
    void shouldSayThatItIsNotKnown() {
        assertTrue(CpuQuota.below(root).toString().startsWith("unknown ("));
    }
}
