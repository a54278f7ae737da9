package io.zipcomm.bench.doctor;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.DirectTransportProvider;
import io.zipcomm.transport.PathProvider;
import io.zipcomm.transport.TransportProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/** Looks at the machine, the transports, relays and the way to them, and says what it finds, one topic after the other. */
public final class Doctor {

    private static final Path TCP = Path.of("/proc/sys/net/ipv4");
    private static final LongSupplier CLOCK = System::nanoTime;
    private static final double NS_PER_MS = 1e6;
    private static final List<String> NETWORK = List.of("tcp", "relay");

    private final Report report;
    private final List<TransportProvider> providers = ServiceLoader.load(TransportProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .toList();
    private final List<DirectTransportProvider> direct = ServiceLoader.load(DirectTransportProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .toList();

    /**
     * A doctor for one examination.
     *
     * @param findings takes what is found
     */
    public Doctor(Consumer<Finding> findings) {
        report = new Report(findings);
    }

    /**
     * Looks at everything that is asked for. Blocks; every wait has a deadline.
     *
     * @return whether nothing is wrong
     * @throws ZipException with code BAD_SETTING if the environment's settings are wrong
     */
    public boolean examine(Examination examination) {
        new MachineLook(report, providers, direct).look();
        TransportProvider network = network();
        if (examination.relays().isEmpty()) {
            report.say("relay", "not asked for: --relay HOST:PORT looks at one");
            report.say(
                    "NAT", "not looked at: it is a relay that sees what a NAT does; --relay HOST:PORT, or better two");
        } else if (network != null) {
            examine(examination, network);
        }
        return report.isHealthy();
    }

    private void examine(Examination examination, TransportProvider network) {
        RelayLook relays = new RelayLook(report, network, examination, session(examination), CLOCK);
        Nat nat;
        try (Rendezvous rendezvous = Rendezvous.open()) {
            List<Visit> visits = relays.look(rendezvous.port());
            try {
                nat = new NatLook(report, relays, rendezvous).look(visits);
            } finally {
                visits.forEach(Visit::close);
            }
        }
        boolean admitted = relays.anyAnswers() && isAdmitted(examination, session(examination));
        LadderWords.of(nat).forEach((topic, text) -> report.say("ladder, " + topic, text));
        sayOtherTransports(examination.settings(session(examination), 1, 0).build());
        if (admitted && !examination.idle().isZero()) {
            new IdleLook(report, network, examination, CLOCK).look(session(examination));
        }
        if (!examination.peer().isEmpty()) {
            if (relays.anyAnswers()) {
                new PairTest(report, network, examination, CLOCK).meet();
            } else {
                report.wrong("pair", "not tried: no relay is reached to meet at");
            }
        }
    }

    /** Where nobody else is. */
    private static String session(Examination examination) {
        String prefix = examination.peer().isEmpty() ? "doctor" : examination.peer();
        return examination.session().isEmpty() ? GroupEnvironment.randomSession(prefix) : examination.session();
    }

    /** The one that knows relays; null if there is none, of which has been told. */
    private TransportProvider network() {
        return providers.stream()
                .filter(one -> one.unavailabilityReason().isEmpty())
                .filter(one -> one.capabilities().stream().anyMatch(Capabilities::relayed))
                .findFirst()
                .orElse(null);
    }

    /** A setting of the kernel's TCP over IPv4, such as {@code tcp_congestion_control}; {@code unknown} if it cannot be read. */
    public static String kernelSetting(String name) {
        try {
            return Files.readString(TCP.resolve(name)).trim();
        } catch (IOException e) {
            return "unknown";
        }
    }

    /** Joins a group of one. */
    private boolean isAdmitted(Examination examination, String session) {
        long beganNs = CLOCK.getAsLong();
        try (Communicator world = Zip.join(examination.settings(session, 1, 0).build())) {
            report.say(
                    "admission",
                    String.format(
                            Locale.ROOT,
                            "a group of %d joined in %.0f ms",
                            world.size(),
                            (CLOCK.getAsLong() - beganNs) / NS_PER_MS));
            return true;
        } catch (ZipException e) {
            if (e.code() == ErrorCode.UNAUTHORIZED && examination.token().isEmpty()) {
                report.say("admission", "the relay wants a token; none in ZIP_TOKEN to try (" + e.getMessage() + ")");
            } else {
                report.wrong(
                        "admission",
                        "REFUSED: " + e.getMessage()
                                + (e.code() == ErrorCode.UNAUTHORIZED
                                        ? " (session " + session + "; --session names one that the token admits to)"
                                        : ""));
            }
            return false;
        }
    }

    /** Shared memory, RDMA and the like, as far as they are installed. */
    private void sayOtherTransports(ZipSettings settings) {
        boolean any = false;
        for (PathProvider provider :
                Stream.concat(providers.stream(), direct.stream()).toList()) {
            Optional<String> reason = provider.failureWhenTried();
            boolean mustBeNamed = provider instanceof DirectTransportProvider one && !one.isWanted(settings);
            for (Capabilities one : provider.capabilities()) {
                if (!NETWORK.contains(one.path())) {
                    any = true;
                    report.say(
                            "ladder, " + one.path(),
                            reason.map(why -> "would not work: " + why)
                                    .orElse("would work "
                                            + (one.crossesHosts()
                                                    ? "with peers that have it too"
                                                    : "with peers on this machine")
                                            + (mustBeNamed
                                                    ? ", if the settings ask for it: "
                                                            + settings.transport()
                                                                    .text() + " does not"
                                                    : "")));
                }
            }
        }
        if (!any) {
            report.say("ladder, others", "would not work: no transport for shared memory or RDMA is installed here");
        }
    }
}
