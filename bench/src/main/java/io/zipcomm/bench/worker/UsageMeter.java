package io.zipcomm.bench.worker;

import com.sun.management.OperatingSystemMXBean;
import io.zipcomm.bench.machine.ProcessStatus;
import java.lang.management.ManagementFactory;
import java.util.Map;

/** Measures what this process uses up from now on, until it is read. */
final class UsageMeter {

    private static final OperatingSystemMXBean SYSTEM =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private final Map<String, Double> switches;
    private final long cpuNs;

    private UsageMeter(Map<String, Double> switches, long cpuNs) {
        this.switches = switches;
        this.cpuNs = cpuNs;
    }

    /** Begins. Looking takes a while: ranks that begin together do so behind a barrier after this. */
    static UsageMeter start() {
        Map<String, Double> switches = ProcessStatus.contextSwitches();
        return new UsageMeter(switches, SYSTEM.getProcessCpuTime());
    }

    /**
     * What was used since the start.
     *
     * @param allocatedBytes as the caller counted
     * @param sentBytes      as the caller counted
     */
    Usage read(double allocatedBytes, double sentBytes) {
        long now = SYSTEM.getProcessCpuTime();
        return new Usage(
                cpuNs < 0 || now < 0 ? Double.NaN : now - cpuNs,
                ProcessStatus.switchesBetween(switches, ProcessStatus.contextSwitches()),
                allocatedBytes,
                sentBytes,
                ProcessStatus.peakMemoryBytes());
    }
}
