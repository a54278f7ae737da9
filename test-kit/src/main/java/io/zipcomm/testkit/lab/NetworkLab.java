package io.zipcomm.testkit.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A network of its own on this machine: public hosts, gateways that translate addresses or filter, hosts behind them, and wires
 * with delay between them all. Processes that run in it have real sockets and the kernel's real NAT.
 *
 * <pre>{@code
 * assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
 * try (NetworkLab lab = NetworkLab.open()) {
 *     LabHost relay = lab.publicHost("relay");
 *     LabHost a = lab.nat("home", NatFlavour.CONE).host("a");
 *     Process process = a.start(List.of("ping", "-c", "1", relay.address().getHostAddress()), Map.of());
 * }
 * }</pre>
 *
 * <p>Nothing of it is seen outside, so that many may exist at once, and nothing survives it: {@link #close}, and also the end of
 * this process in whatever way, ends all processes in it and with them the network. It needs Linux, root, {@code ip},
 * {@code nft}, {@code nsenter} and {@code gcc}.
 *
 * <p>A host takes some ten milliseconds to make. {@link LabHost} says how to enter one by hand.
 *
 * <p>Thread: any; what changes the network is done one at a time.
 */
public final class NetworkLab implements AutoCloseable {

    /** Delay of a new link, one way. A network without delay hides races that real ones have. */
    public static final Duration DELAY = Duration.ofMillis(5);

    private static final String HOST_DEVICE = "eth0";
    private static final int PUBLIC_MAX = 250;

    private final WireProcess wire;
    private final Namespace internet;
    private final Set<String> names = new HashSet<>();
    private int publicHosts;
    private int gateways;
    private int plugged;

    /** Why there can be no lab here; computed once. */
    private static final class Availability {

        private static final String REASON = find();

        private Availability() {}

        private static String find() {
            if (!Files.exists(Path.of("/dev/net/tun"))) {
                return "no network lab: there is no /dev/net/tun";
            }
            String missing = Stream.of("ip", "nft", "nsenter", "gcc")
                    .filter(tool -> !isThere(tool))
                    .collect(Collectors.joining(", "));
            if (!missing.isEmpty()) {
                return "no network lab: not installed: " + missing;
            }
            try (NetworkLab trial = open()) {
                // The flavours between them use every kind of rule and setting.
                for (NatFlavour flavour : List.of(
                        NatFlavour.FIREWALL,
                        NatFlavour.SYMMETRIC,
                        NatFlavour.CONE_RESET,
                        NatFlavour.ADDRESS_RESTRICTED,
                        NatFlavour.SHORT_IDLE)) {
                    trial.nat(flavour.name(), flavour).forget();
                }
                return null;
            } catch (IllegalStateException | UncheckedIOException e) {
                return "no network lab: " + e.getMessage();
            }
        }

        private static boolean isThere(String tool) {
            return Stream.of(System.getenv("PATH").split(":"))
                    .anyMatch(folder -> Files.isExecutable(Path.of(folder, tool)));
        }
    }

    private NetworkLab(WireProcess wire) {
        this.wire = wire;
        internet = new Namespace(wire);
        // What has no route is lost silently, as most of it is on the internet. The default of forwarding is of no
        // matter to what
        // is forwarded: devices with it join a multicast group, and say so.
        internet.setUp("""
                ip addr add 198.18.255.254/32 dev lo
                ip route add blackhole default
                ip -6 route add blackhole default
                echo 1 > ipv4/ip_forward
                echo 1 > ipv6/conf/all/forwarding
                echo 0 > ipv6/conf/default/forwarding
                """);
    }

    /** Why there can be no lab here; null if there can. The first call tries, which takes a fraction of a second. */
    public static String unavailabilityReason() {
        return Availability.REASON;
    }

    /**
     * Makes a lab with nobody in it.
     *
     * @throws IllegalStateException if there can be none here
     */
    public static NetworkLab open() {
        WireProcess wire;
        try {
            wire = WireProcess.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
        try {
            return new NetworkLab(wire);
        } catch (RuntimeException e) {
            wire.close();
            throw e;
        }
    }

    /** Adds a host with public addresses, IPv4 and IPv6, and no gateway. */
    public synchronized LabHost publicHost(String name) {
        register(name);
        publicHosts = next(publicHosts);
        LabSubnet subnet = LabSubnet.ofPublicHosts();
        InetAddress address = subnet.address(publicHosts);
        InetAddress addressV6 = subnet.addressV6(publicHosts);
        Namespace namespace = new Namespace(wire);
        LabLink link = plug(namespace, HOST_DEVICE, address.getHostAddress(), addressV6.getHostAddress());
        return host(name, namespace, new LabNat.Port(link, address, addressV6));
    }

    /** Adds a gateway at the internet. */
    public synchronized LabNat nat(String name, NatFlavour flavour) {
        register(name);
        gateways = next(gateways);
        LabSubnet outside = LabSubnet.ofGateway(gateways);
        Namespace namespace = new Namespace(wire);
        LabLink link = plug(namespace, LabNat.DEVICE, outside.network(), outside.networkV6());
        LabSubnet inside = flavour.translates() ? LabSubnet.behind(1) : outside;
        return new LabNat(this, name, flavour, namespace, inside, outside.address(1), link);
    }

    synchronized LabHost hostBehind(LabNat nat, String name) {
        register(name);
        Namespace namespace = new Namespace(wire);
        return host(name, namespace, nat.newPort(namespace, HOST_DEVICE));
    }

    synchronized LabNat natBehind(LabNat outer, String name, NatFlavour flavour) {
        if (!flavour.translates()) {
            throw new IllegalArgumentException(flavour + " needs public addresses: it cannot be behind " + outer);
        }
        register(name);
        Namespace namespace = new Namespace(wire);
        LabNat.Port port = outer.newPort(namespace, LabNat.DEVICE);
        LabSubnet inside = LabSubnet.behind(outer.depth() + 1);
        return new LabNat(this, name, flavour, namespace, inside, port.address(), port.link());
    }

    /** Makes a link; the hosts and gateways put it into service. */
    LabLink link(Namespace near, String nearDevice, Namespace far, String farDevice) {
        return new LabLink(wire, near, nearDevice, far, farDevice);
    }

    private LabLink plug(Namespace near, String nearDevice, String network, String networkV6) {
        plugged++;
        String device = "port" + plugged;
        LabLink link = link(near, nearDevice, internet, device);
        internet.run("""
                ip link set %1$s up
                ip route add %2$s dev %1$s
                ip -6 route add %3$s dev %1$s
                """.formatted(device, network, networkV6));
        return link;
    }

    private static LabHost host(String name, Namespace namespace, LabNat.Port port) {
        String v6 = "echo 1 > ipv6/conf/eth0/disable_ipv6\n";
        if (port.addressV6() != null) {
            v6 = "ip -6 addr add " + port.addressV6().getHostAddress()
                    + "/64 dev eth0\nip -6 route add default dev eth0\n";
        }
        namespace.setUp("""
                ip link set eth0 up
                ip addr add %s/24 dev eth0
                ip route add default dev eth0
                """.formatted(port.address().getHostAddress()) + v6);
        return new LabHost(name, namespace, port.address(), port.addressV6(), port.link());
    }

    private void register(String name) {
        if (!names.add(name)) {
            throw new IllegalArgumentException("there is a " + name + " already");
        }
    }

    private static int next(int count) {
        if (count == PUBLIC_MAX) {
            throw new IllegalStateException("more than " + PUBLIC_MAX + " of a kind");
        }
        return count + 1;
    }

    /** Ends every process in the lab, then removes it. */
    @Override
    public void close() {
        wire.close();
    }
}
