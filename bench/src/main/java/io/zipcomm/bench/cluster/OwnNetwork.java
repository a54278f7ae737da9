package io.zipcomm.bench.cluster;

import io.zipcomm.bench.report.CongestionControl;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A network namespace with nothing but loopback, in which this program runs again, so that all contestants have the same
 * congestion control: the one of the routes to 127.0.0.0/8 there, locked, which goes before what a program asks for and
 * before the system's default. The default itself would not do: in a namespace, Linux refuses those that the administrator
 * has not allowed for everybody, and a program may still choose. Nothing of the system's own network changes.
 *
 * <p>There is no IPv6 in it, whose routes would need the same.
 */
public final class OwnNetwork {

    /** System property of a process inside: the congestion control. */
    private static final String PROPERTY = "zip.bench.congestion";

    private static final Path DEFAULT_CONTROL = Path.of("/proc/sys/net/ipv4/tcp_congestion_control");

    private static final String SETUP = """
            set -e
            control=$1
            shift
            ip link set lo up
            ip -6 address flush dev lo 2>/dev/null || true
            for to in 127.0.0.0/8 127.0.0.1; do
                ip route replace local $to dev lo table local proto kernel scope host src 127.0.0.1 congctl lock "$control"
            done
            exec "$@"
            """;

    /** With the rights of this process, or as root of a user namespace of its own. */
    private static final List<List<String>> WAYS =
            List.of(List.of("unshare", "--net"), List.of("unshare", "--net", "--map-root-user"));

    private static final long PROBE_LIMIT_S = 10;

    /** A run gives a sign of life every few seconds: one without any for two minutes is given up. */
    private static final Duration LOOK = Duration.ofSeconds(1);

    private static final int LOOKS = 120;

    private final List<String> way;
    private final String control;
    private final String unavailabilityReason;

    private OwnNetwork(List<String> way, String control, String unavailabilityReason) {
        this.way = way;
        this.control = control;
        this.unavailabilityReason = unavailabilityReason;
    }

    /** Under which congestion control the contestants of this process are. */
    public static CongestionControl congestionControl() {
        String enforced = System.getProperty(PROPERTY);
        if (enforced != null) {
            return new CongestionControl(enforced, true);
        }
        try {
            return new CongestionControl(Files.readString(DEFAULT_CONTROL).trim(), false);
        } catch (IOException e) {
            return new CongestionControl("unknown", false);
        }
    }

    /** Whether this process is in such a network already. */
    public static boolean isInside() {
        return System.getProperty(PROPERTY) != null;
    }

    /** To be called inside: this process ends when the one outside does, and tells it now and then that it works. */
    public static void holdLifeline() {
        Lifeline.hold();
    }

    /**
     * Finds out whether this process may have such a network. Leaves nothing behind.
     *
     * @param control name of the congestion control
     */
    public static OwnNetwork find(String control) throws InterruptedException {
        String reason = "";
        for (List<String> way : WAYS) {
            OwnNetwork network = new OwnNetwork(way, control, null);
            reason = network.probe();
            if (reason.isEmpty()) {
                return network;
            }
        }
        return new OwnNetwork(List.of(), control, reason);
    }

    /** Why there is none; null if there is one. */
    public String unavailabilityReason() {
        return unavailabilityReason;
    }

    /** Empty if it works, otherwise what went wrong. */
    private String probe() throws InterruptedException {
        try {
            Process process = new ProcessBuilder(inside(List.of("true")))
                    .redirectErrorStream(true)
                    .start();
            try {
                process.getOutputStream().close();
                if (!process.waitFor(PROBE_LIMIT_S, TimeUnit.SECONDS)) {
                    return way.get(0) + " does not end";
                }
                String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                return process.exitValue() == 0
                        ? ""
                        : said.lines().findFirst().orElse(way.get(0) + " failed without a word");
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            return e.getMessage();
        }
    }

    private List<String> inside(List<String> program) {
        List<String> command = new ArrayList<>(way);
        command.addAll(List.of("sh", "-c", SETUP, "sh", control));
        command.addAll(program);
        return command;
    }

    /**
     * Runs a program of the distribution inside, until it ends or shows no sign of life: it is to call
     * {@link #holdLifeline}. Its standard error is this process's; its standard output goes to that of this process.
     *
     * @param main class to run
     * @param args its arguments
     * @return its exit code, or 1 if it had to be killed
     */
    public int run(Class<?> main, List<String> args) throws IOException, InterruptedException {
        List<String> flags = new ArrayList<>(ChildJvm.flags());
        flags.addAll(ChildJvm.properties());
        flags.add("-D" + PROPERTY + "=" + control);
        Process process = new ProcessBuilder(inside(ChildJvm.command(flags, main, args.toArray(String[]::new))))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        // Asked to end, it ends its own children; this process must not end without it.
        Thread atExit = new Thread(process::destroy, "zip-own-network-end");
        Runtime.getRuntime().addShutdownHook(atExit);
        try {
            return new Lifeline(process, System.out).await(LOOK, LOOKS);
        } finally {
            Runtime.getRuntime().removeShutdownHook(atExit);
        }
    }
}
