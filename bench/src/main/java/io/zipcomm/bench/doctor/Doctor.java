package io.zipcomm.bench.doctor;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.CpuQuota;
import io.zipcomm.internal.Waiter;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.TransportProvider;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.BiConsumer;

/** Looks at the machine, the transports and a relay, and says what it finds, one topic after the other. */
public final class Doctor {

    private static final Path TCP = Path.of("/proc/sys/net/ipv4");
    private static final int CONNECTS = 5;
    private static final int CONNECT_TIMEOUT_MS = 3000;
    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(5);
    private static final double NS_PER_MS = 1e6;

    private final BiConsumer<String, String> findings;
    private boolean healthy = true;

    /**
     * A doctor.
     *
     * @param findings takes a topic and what is to be said about it
     */
    public Doctor(BiConsumer<String, String> findings) {
        this.findings = findings;
    }

    /**
     * Looks at everything.
     *
     * @param relay to be looked at too; may be null
     * @param token for the relay; may be empty
     * @return whether nothing is wrong
     */
    public boolean examine(RelayAddress relay, String token) {
        findings.accept("java", System.getProperty("java.vendor") + " " + Runtime.version());
        findings.accept(
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch"));
        findings.accept(
                "processors",
                Runtime.getRuntime().availableProcessors() + " for Java; quota of the control group: "
                        + CpuQuota.ofThisProcess());
        findings.accept(
                "congestion control",
                kernelSetting("tcp_congestion_control") + " (the kernel has "
                        + kernelSetting("tcp_available_congestion_control") + ")");
        examineTransports();
        examineWaiting();
        examineRelay(relay, token);
        findings.accept("NAT", "not looked at: that comes with hole punching, in a later version");
        return healthy;
    }

    /** A setting of the kernel's TCP over IPv4, such as {@code tcp_congestion_control}; {@code unknown} if it cannot be read. */
    public static String kernelSetting(String name) {
        try {
            return Files.readString(TCP.resolve(name)).trim();
        } catch (IOException e) {
            return "unknown";
        }
    }

    private void examineTransports() {
        boolean any = false;
        for (TransportProvider provider : ServiceLoader.load(TransportProvider.class)) {
            Optional<String> reason = provider.unavailabilityReason();
            any |= reason.isEmpty();
            for (Capabilities one : provider.capabilities()) {
                findings.accept(
                        "transport " + one.path(),
                        reason.map(why -> "NOT available: " + why)
                                .orElse("available, by " + provider.details() + "; " + one));
            }
        }
        if (!any) {
            sick("transport", "none can be used: nothing can be joined here");
        }
    }

    /** A group that leaves a core to each rank spins; look at the one with most ranks that does, and the next. */
    private void examineWaiting() {
        int cores = Runtime.getRuntime().availableProcessors();
        ZipSettings settings = ZipSettings.builderFromEnvironment()
                .session("doctor")
                .size(1)
                .rank(0)
                .build();
        for (int ranks : new int[] {cores, cores + 1}) {
            findings.accept(
                    "waiting",
                    Waiter.choose(settings, ranks, cores, CpuQuota.ofThisProcess())
                            .toString());
        }
    }

    private void sick(String topic, String text) {
        healthy = false;
        findings.accept(topic, text);
    }

    private void examineRelay(RelayAddress relay, String token) {
        if (relay == null) {
            findings.accept("relay", "not asked for: --relay HOST:PORT looks at one");
            return;
        }
        try {
            double[] ms = connectMs(relay);
            findings.accept(
                    "relay " + relay,
                    String.format(
                            Locale.ROOT,
                            "reachable; round trip %.2f ms (median of %d connects, least %.2f)",
                            ms[ms.length / 2],
                            ms.length,
                            ms[0]));
        } catch (IOException e) {
            sick("relay " + relay, "NOT reachable: " + e.getMessage());
            return;
        }
        admission(relay, token);
    }

    /** A connection is there after one round trip: the time of its handshake, in ascending order. */
    private static double[] connectMs(RelayAddress relay) throws IOException {
        double[] ms = new double[CONNECTS];
        InetSocketAddress address = new InetSocketAddress(relay.host(), relay.port());
        for (int i = 0; i < CONNECTS; i++) {
            long began = System.nanoTime();
            try (Socket socket = new Socket()) {
                socket.connect(address, CONNECT_TIMEOUT_MS);
                ms[i] = (System.nanoTime() - began) / NS_PER_MS;
            }
        }
        Arrays.sort(ms);
        return ms;
    }

    /** Joins a group of one. */
    private void admission(RelayAddress relay, String token) {
        long began = System.nanoTime();
        // From the environment: authorities, certificate and proxy.
        ZipSettings settings = ZipSettings.builderFromEnvironment()
                .relay(relay.toString())
                .session(GroupEnvironment.randomSession("doctor"))
                .size(1)
                .rank(0)
                .token(token)
                .joinTimeout(JOIN_TIMEOUT)
                .build();
        try (Communicator world = Zip.join(settings)) {
            double ms = (System.nanoTime() - began) / NS_PER_MS;
            findings.accept(
                    "admission",
                    String.format(
                            Locale.ROOT, "a group of %d joined in %.0f ms, classes loaded cold", world.size(), ms));
        } catch (ZipException e) {
            if (e.code() == ErrorCode.UNAUTHORIZED && token.isEmpty()) {
                findings.accept(
                        "admission", "the relay wants a token; none in ZIP_TOKEN to try (" + e.getMessage() + ")");
            } else {
                sick("admission", "REFUSED: " + e.getMessage());
            }
        }
    }
}
