package io.zipcomm.bench.soak;

import com.sun.management.UnixOperatingSystemMXBean;
import io.netty.buffer.PooledByteBufAllocator;
import io.zipcomm.bench.machine.ProcessStatus;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.EnumMap;
import java.util.Map;

/** What this process has right now. */
final class ProcessLook {

    private static final double MIB = 1 << 20;

    private ProcessLook() {}

    /** Collects garbage first. */
    static Map<Quantity, Double> now() {
        System.gc();
        Map<Quantity, Double> values = new EnumMap<>(Quantity.class);
        put(values, Quantity.RSS, ProcessStatus.residentBytes() / MIB);
        put(
                values,
                Quantity.HEAP,
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / MIB);
        put(values, Quantity.DIRECT, directBytes() / MIB);
        put(values, Quantity.THREADS, ManagementFactory.getThreadMXBean().getThreadCount());
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
            put(values, Quantity.DESCRIPTORS, (double) system.getOpenFileDescriptorCount());
        }
        return values;
    }

    private static double directBytes() {
        double java = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .mapToDouble(BufferPoolMXBean::getMemoryUsed)
                .sum();
        return java + PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    }

    /** What a system does not tell is not judged. */
    private static void put(Map<Quantity, Double> values, Quantity quantity, double value) {
        if (!Double.isNaN(value) && value >= 0) {
            values.put(quantity, value);
        }
    }
}
