package io.zipcomm.testkit.lab;

import java.net.InetAddress;

/**
 * A gateway with a public side, {@code wan}, and a private side with hosts or further gateways.
 *
 * <p>Thread: any.
 */
public final class LabNat {

    /** The device on the public side. */
    static final String DEVICE = "wan";

    private static final int HOSTS_MAX = 250;

    private final NetworkLab lab;
    private final String name;
    private final NatFlavour flavour;
    private final Namespace namespace;
    private final LabSubnet inside;
    private final InetAddress address;
    private final LabLink link;
    private final NatRules rules;
    private int hosts;

    LabNat(
            NetworkLab lab,
            String name,
            NatFlavour flavour,
            Namespace namespace,
            LabSubnet inside,
            InetAddress address,
            LabLink link) {
        this.lab = lab;
        this.name = name;
        this.flavour = flavour;
        this.namespace = namespace;
        this.inside = inside;
        this.address = address;
        this.link = link;
        rules = new NatRules(flavour, address.getHostAddress(), inside.network());
        namespace.setUp("""
                ip -batch - <<'END'
                link set wan up multicast off
                addr add %s/32 dev wan
                route add default dev wan
                END
                echo 1 > ipv4/ip_forward
                %s
                """.formatted(address.getHostAddress(), routerV6()) + rules.script());
    }

    private String routerV6() {
        if (!inside.hasV6()) {
            return "";
        }
        return """
                ip -6 addr add %s/128 dev wan
                ip -6 route add default dev wan
                echo 1 > ipv6/conf/all/forwarding
                echo 0 > ipv6/conf/default/forwarding
                """.formatted(inside.addressV6(1).getHostAddress());
    }

    /** Its name in the lab. */
    public String name() {
        return name;
    }

    /** What it does. */
    public NatFlavour flavour() {
        return flavour;
    }

    /** Its address on the public side: where its hosts are seen to come from if it translates. */
    public InetAddress publicAddress() {
        return address;
    }

    /** The wire on its public side. */
    public LabLink link() {
        return link;
    }

    int depth() {
        return inside.depth();
    }

    /** Adds a host. */
    public LabHost host(String hostName) {
        return lab.hostBehind(this, hostName);
    }

    /**
     * Adds a gateway behind this one.
     *
     * @param natFlavour one that translates: there are no public addresses to give away
     */
    public LabNat nat(String natName, NatFlavour natFlavour) {
        return lab.natBehind(this, natName, natFlavour);
    }

    /**
     * Forgets all flows and all that it has learned, as a gateway that was restarted or whose table is full. Nobody is told.
     * Outside packets are then filtered as those of strangers; what becomes of those of the inside depends on the flavour:
     * a cone that tracks loosely takes the flow up again, a symmetric one gives it a new port, a strict one drops them.
     */
    public void forget() {
        namespace.run(rules.forgetScript());
        namespace.forgetFlows();
    }

    /**
     * Forgets its flows from and to one public IPv4 address, as if its table had been full of others; flows to elsewhere, for
     * example to a relay, go on. What becomes of packets of the forgotten ones depends on the flavour, as in {@link #forget()}.
     */
    public void forget(InetAddress outside) {
        namespace.forgetFlows(outside);
    }

    /** Loses all datagrams between the public side and its hosts, and tells nobody; anything else goes on. */
    public void cutUdp() {
        namespace.run("""
                nft -f - <<'END'
                table inet lost {
                    chain forward {
                        type filter hook forward priority filter; policy accept
                        meta l4proto udp drop
                    }
                }
                END
                """);
    }

    /** Ends a {@link #cutUdp}. */
    public void healUdp() {
        namespace.run("nft delete table inet lost\n");
    }

    /** Loses all packets to and from the public side, also those under way. */
    public void cut() {
        link.cut();
    }

    /** Ends a {@link #cut}. */
    public void heal() {
        link.heal();
    }

    /** Makes the near end's wire, and the route to it. */
    Port newPort(Namespace near, String nearDevice) {
        hosts++;
        if (hosts > HOSTS_MAX) {
            throw new IllegalStateException(name + " has " + HOSTS_MAX + " hosts already");
        }
        int index = hosts + 1;
        String device = "lan" + hosts;
        LabLink made = lab.link(near, nearDevice, namespace, device);
        String script = "ip link set " + device + " up\n"
                + "ip addr add " + inside.address(1).getHostAddress() + " peer "
                + inside.address(index).getHostAddress() + " dev " + device + "\n";
        if (inside.hasV6()) {
            script += "ip -6 route add " + inside.addressV6(index).getHostAddress() + " dev " + device + "\n";
        }
        namespace.run(script);
        return new Port(made, inside.address(index), inside.hasV6() ? inside.addressV6(index) : null);
    }

    /**
     * Where something is plugged in.
     *
     * @param link      the wire
     * @param address   of what is plugged in
     * @param addressV6 the same; may be null
     */
    record Port(LabLink link, InetAddress address, InetAddress addressV6) {}

    @Override
    public String toString() {
        return name + " (" + flavour + ", " + address.getHostAddress() + ")";
    }
}
