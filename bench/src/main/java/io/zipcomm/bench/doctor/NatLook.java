package io.zipcomm.bench.doctor;

import io.zipcomm.bench.doctor.Nat.Mapping;
import io.zipcomm.bench.doctor.Nat.Seen;
import io.zipcomm.bench.doctor.Rendezvous.Reply;
import io.zipcomm.error.ZipException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Finds out what a NAT makes of a port from which this process connects to several relays at once and on which it listens, as
 * a rank does.
 */
final class NatLook {

    /** For what may never be answered; a lost packet is sent again after a second. */
    private static final Duration KNOCK = Duration.ofMillis(1500);

    private static final int AGAIN_TRIES = 5;
    private static final long AGAIN_PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int HIGH_PORT = 61_000;
    private static final int HIGH_PORTS = 4_000;

    private final Report report;
    private final RelayLook relays;
    private final Rendezvous rendezvous;

    NatLook(Report report, RelayLook relays, Rendezvous rendezvous) {
        this.report = report;
        this.relays = relays;
        this.rendezvous = rendezvous;
    }

    /**
     * Looks. The first of the visits is ended, and begun again.
     *
     * @param visits all open, from the rendezvous port where that was free
     */
    Nat look(List<Visit> visits) {
        Seen reach = visits.isEmpty() ? (relays.anyAnswers() ? Seen.UNKNOWN : Seen.NO) : Seen.YES;
        if (visits.isEmpty()) {
            report.say(
                    "NAT", "cannot be told: no relay has admitted this process, and said where it sees it come from");
            return new Nat(Mapping.UNSEEN, Seen.UNKNOWN, reach);
        }
        if (visits.stream().allMatch(Visit::proxied)) {
            report.say(
                    "NAT",
                    "not seen: the relay is reached through a proxy, and sees the proxy. Where nothing else gets out, all"
                            + " goes through the relay");
            return new Nat(Mapping.PROXY, Seen.UNKNOWN, reach);
        }
        List<Visit> direct = visits.stream()
                .filter(visit -> !visit.proxied() && visit.local().getPort() == rendezvous.port())
                .toList();
        if (direct.isEmpty()) {
            report.say("NAT", "cannot be told: port " + rendezvous.port() + " could not be connected from");
            return new Nat(Mapping.UNSEEN, Seen.UNKNOWN, reach);
        }
        if (direct.stream()
                .allMatch(visit ->
                        visit.remote().getAddress().equals(visit.local().getAddress()))) {
            report.say("NAT", "cannot be told: the relay is on this machine");
            return new Nat(Mapping.UNSEEN, Seen.UNKNOWN, reach);
        }
        String family = direct.get(0).family();
        List<Visit> others =
                direct.stream().filter(visit -> !visit.family().equals(family)).toList();
        if (!others.isEmpty()) {
            report.say("NAT over " + others.get(0).family(), seen(others.get(0), isOwn(others)));
        }
        return look(
                direct.stream().filter(visit -> visit.family().equals(family)).toList(), reach);
    }

    private static boolean isOwn(List<Visit> visits) {
        return visits.stream().allMatch(visit -> visit.observed().equals(visit.local()));
    }

    private static String seen(Visit visit, boolean none) {
        InetSocketAddress own = visit.local();
        InetSocketAddress seen = visit.observed();
        String nat = none
                ? "no NAT: "
                : seen.getPort() == own.getPort() ? "NAT, keeps the port: " : "NAT, changes the port: ";
        return nat + text(own) + " is seen as " + text(seen) + " by " + visit.relay();
    }

    /** Of one family of addresses. */
    private Nat look(List<Visit> visits, Seen reach) {
        Visit first = visits.get(0);
        boolean none = isOwn(visits);
        report.say("NAT", seen(first, none));
        if (!none && first.relay().scheme().isWebSocket()) {
            report.say("balancer", "one in front of the relay that ends connections would be seen in place of a NAT");
        }
        Mapping mapping = mapping(visits, none);
        if (isPrivate(first.observed().getAddress())) {
            report.say(
                    "private network",
                    "the relay sees a private address, so it is in a network with this process: what a NAT between that and"
                            + " other networks does, only a relay outside can see");
            mapping = Mapping.UNSEEN;
        }
        Seen otherPorts = otherPorts(first);
        report.say(
                "unsolicited",
                "cannot be told alone whether connections come in that nobody here asked for: --peer tries");
        return new Nat(mapping, otherPorts, reach);
    }

    /** As Java has it, and those of providers (RFC 6598) and of IPv6 (RFC 4193). */
    static boolean isPrivate(InetAddress address) {
        byte[] bytes = address.getAddress();
        boolean provider = bytes.length == 4 && bytes[0] == 100 && (bytes[1] & 0xc0) == 0x40;
        boolean unique = bytes.length == 16 && (bytes[0] & 0xfe) == 0xfc;
        return address.isSiteLocalAddress() || address.isLinkLocalAddress() || provider || unique;
    }

    private Mapping mapping(List<Visit> visits, boolean none) {
        if (none) {
            report.say("mapping", "none: peers see this process's own address");
            report.say("hairpin", "not looked at: there is no NAT");
            return Mapping.NONE;
        }
        hairpin(visits.get(0).observed());
        long places = visits.stream().map(Visit::remote).distinct().count();
        long addresses =
                visits.stream().map(one -> one.remote().getAddress()).distinct().count();
        long seen = visits.stream().map(Visit::observed).distinct().count();
        Seen again = again(visits.get(0));
        if (seen > 1) {
            report.say(
                    "mapping",
                    "differs by destination (symmetric NAT): hole punching works only with peers whose network lets in any"
                            + " port; the rest goes through the relay");
            return Mapping.CHANGING;
        }
        if (places == 1) {
            report.say(
                    "mapping",
                    "cannot be told from one relay address whether it is the same for every destination"
                            + (again == Seen.NO
                                    ? ": either not (symmetric NAT), or it is forgotten when a connection ends. Give two"
                                    : ". Give two")
                            + ", as --relay A,B; two ports of one machine will do");
            return Mapping.UNKNOWN;
        }
        if (again == Seen.NO) {
            // Those to the other relays are still open, and keep a mapping that is the same for all.
            report.say("mapping", "differs by connection, so peers cannot know it (as with a symmetric NAT)");
            return Mapping.CHANGING;
        }
        report.say(
                "mapping",
                "the same for " + places + " destinations (endpoint-independent): hole punching works"
                        + (addresses > 1 ? "" : "; they are ports of one address, others were not seen"));
        return Mapping.STEADY;
    }

    /** Whether a port is mapped to the same place when it is connected from again, as attempts to punch do. */
    private Seen again(Visit first) {
        InetSocketAddress before = first.observed();
        first.close();
        for (int i = 0; i < AGAIN_TRIES; i++) {
            // What is left of the connection may be in the way for a round trip.
            LockSupport.parkNanos(AGAIN_PAUSE_NS);
            try (Visit second = relays.again(first, rendezvous.port())) {
                if (second.local().getPort() == rendezvous.port()) {
                    boolean same = second.observed().equals(before);
                    report.say(
                            "opened again",
                            same
                                    ? "the same port is seen as " + text(before) + " again"
                                    : "the same port is seen as " + text(second.observed()) + " then, not as "
                                            + text(before));
                    return same ? Seen.YES : Seen.NO;
                }
            } catch (ZipException e) {
                report.say("opened again", "cannot be told: " + e.getMessage());
                return Seen.UNKNOWN;
            }
        }
        report.say("opened again", "cannot be told: this system does not let go of the port");
        return Seen.UNKNOWN;
    }

    private void hairpin(InetSocketAddress observed) {
        Reply reply = rendezvous.knock(observed, KNOCK);
        report.say(
                "hairpin",
                switch (reply) {
                    case OURS -> "works: hosts behind this NAT reach each other at the address that the relay sees";
                    case OPENED -> "does not work: somebody else answers at " + text(observed);
                    case REFUSED, SILENCE, UNSENT ->
                        "does not work (" + what(reply) + "): hosts behind this NAT reach each other by their private"
                                + " addresses only";
                });
    }

    /** Where nobody listens, a machine says no. If that comes back, the way there is open. */
    private Seen otherPorts(Visit visit) {
        int port = HIGH_PORT + new SecureRandom().nextInt(HIGH_PORTS);
        InetSocketAddress elsewhere = new InetSocketAddress(visit.remote().getAddress(), port);
        Reply reply = rendezvous.knock(elsewhere, KNOCK);
        boolean answered = reply == Reply.REFUSED || reply == Reply.OPENED;
        report.say(
                "other ports",
                answered
                        ? "let out: port " + port + " of the relay's machine answers (" + what(reply) + ")"
                        : what(reply) + " from port " + port
                                + " of the relay's machine: this network lets out only some"
                                + " ports, or that machine drops what it does not serve. If it is the network, there is no"
                                + " direct connection, and all goes through the relay");
        return answered ? Seen.YES : Seen.UNKNOWN;
    }

    private static String what(Reply reply) {
        return switch (reply) {
            case OURS, OPENED -> "connected";
            case REFUSED -> "refused";
            case SILENCE -> "no answer in " + KNOCK.toMillis() + " ms";
            case UNSENT -> "no way there";
        };
    }

    private static String text(InetSocketAddress address) {
        String host = address.getAddress().getHostAddress();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
    }
}
