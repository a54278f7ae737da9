package io.zipcomm.transport;

import io.zipcomm.membership.Candidate;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slf4j.LoggerFactory;

/** The addresses of this machine at which peers reach what accepts at {@code ZIP_BIND}. */
public final class OwnAddresses {

    /** {@code ZIP_BIND} for all addresses of this machine, of IPv4 and IPv6. */
    public static final String ALL = "*";

    /** All of this machine, of IPv4 and IPv6. */
    public static final String ANY_V6 = "::";

    /** All of this machine, of IPv4: where the system, or the JVM, has no other. */
    public static final String ANY_V4 = "0.0.0.0";

    private OwnAddresses() {}

    /**
     * Where ranks of this host reach what accepts at an address.
     *
     * @param bind one address, or the one that stands for all
     */
    public static InetAddress local(InetAddress bind) {
        return bind.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : bind;
    }

    /**
     * Candidates for all who may reach this process: ranks of its host, and others.
     *
     * @param transport name of the path they lead to
     * @param bind      where it accepts: one address, or the one that stands for all
     * @param localPort port for ranks of this host
     * @param port      port for ranks of other hosts; 0 if none of them can reach it
     */
    public static List<Candidate> candidates(String transport, InetAddress bind, int localPort, int port) {
        List<Candidate> candidates = new ArrayList<>();
        candidates.add(new Candidate(Candidate.Kind.LOOPBACK, transport, literal(local(bind)), localPort));
        if (port != 0) {
            for (InetAddress one : bind.isAnyLocalAddress() ? interfaces(bind) : List.of(bind)) {
                candidates.add(new Candidate(Candidate.Kind.PRIVATE, transport, literal(one), port));
            }
        }
        return candidates;
    }

    /** Without a scope, which means something on this machine only. */
    private static String literal(InetAddress address) {
        return address.getHostAddress().replaceFirst("%.*", "");
    }

    private static List<InetAddress> interfaces(InetAddress bind) {
        List<InetAddress> found = new ArrayList<>();
        try {
            for (NetworkInterface one : Collections.list(NetworkInterface.getNetworkInterfaces())) {
                if (one.isUp() && !one.isLoopback()) {
                    Collections.list(one.getInetAddresses()).stream()
                            .filter(address -> isReachable(bind, address))
                            .forEach(found::add);
                }
            }
        } catch (SocketException e) {
            LoggerFactory.getLogger(OwnAddresses.class).info("no list of network interfaces", e);
        }
        return found;
    }

    private static boolean isReachable(InetAddress bind, InetAddress address) {
        boolean any = bind instanceof Inet6Address || !(address instanceof Inet6Address);
        return any && !address.isLinkLocalAddress() && !address.isMulticastAddress();
    }
}
