package io.zipcomm.bench.doctor;

import io.zipcomm.internal.CpuQuota;
import io.zipcomm.internal.Waiter;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.DirectTransportProvider;
import io.zipcomm.transport.PathProvider;
import io.zipcomm.transport.TransportProvider;
import java.util.List;
import java.util.Optional;

/** Java, the system, the transports, and how threads wait here. */
final class MachineLook {

    private final Report report;
    private final List<TransportProvider> providers;
    private final List<DirectTransportProvider> direct;

    /**
     * A look at this machine.
     *
     * @param providers transports, with the relay
     * @param direct    what may stand beside one of them
     */
    MachineLook(Report report, List<TransportProvider> providers, List<DirectTransportProvider> direct) {
        this.report = report;
        this.providers = providers;
        this.direct = direct;
    }

    void look() {
        report.say("java", System.getProperty("java.vendor") + " " + Runtime.version());
        report.say(
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch"));
        report.say(
                "processors",
                Runtime.getRuntime().availableProcessors() + " for Java; quota of the control group: "
                        + CpuQuota.ofThisProcess());
        report.say(
                "congestion control",
                Doctor.kernelSetting("tcp_congestion_control") + " (the kernel has "
                        + Doctor.kernelSetting("tcp_available_congestion_control") + ")");
        lookAtTransports();
        lookAtWaiting();
    }

    private void lookAtTransports() {
        boolean any = false;
        for (TransportProvider provider : providers) {
            any |= lookAt(provider);
        }
        // They cannot do without one of the others.
        direct.forEach(this::lookAt);
        if (!any) {
            report.wrong("transport", "none can be used: nothing can be joined here");
        }
    }

    /** Answers whether it can be used. */
    private boolean lookAt(PathProvider provider) {
        Optional<String> reason = provider.failureWhenTried();
        for (Capabilities one : provider.capabilities()) {
            report.say(
                    "transport " + one.path(),
                    reason.map(why -> "NOT available: " + why)
                            .orElseGet(() -> "available, by " + provider.details() + "; " + one));
        }
        return reason.isEmpty();
    }

    /** A group that leaves a core to each rank spins; look at the one with most ranks that does, and the next. */
    private void lookAtWaiting() {
        int cores = Runtime.getRuntime().availableProcessors();
        ZipSettings settings = ZipSettings.builderFromEnvironment()
                .session("doctor")
                .size(1)
                .rank(0)
                .build();
        CpuQuota quota = CpuQuota.ofThisProcess();
        report.say(
                "waiting",
                Waiter.choose(settings, cores, cores, quota) + "; " + Waiter.choose(settings, cores + 1, cores, quota));
    }
}
