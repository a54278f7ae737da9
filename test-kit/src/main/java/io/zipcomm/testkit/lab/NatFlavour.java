package io.zipcomm.testkit.lab;

/**
 * What a gateway does to the packets of its hosts.
 *
 * <p>Words of RFC 4787 and 5382: the <em>mapping</em> is which public address and port a private one is given; the
 * <em>filter</em> is what it lets in from outside. In every flavour packets that belong to a flow which the connection tracking
 * knows pass both ways, and those it finds invalid are dropped unless something else is said. Flavours that translate give all
 * flows the one public IPv4 address of the gateway, have no IPv6, and accept nothing themselves. The port is
 * <em>kept</em> where that is possible: two hosts that send from the same port to the same destination get different ones.
 *
 * <p>The rules that are named are those of nftables; {@code NatRules} has them.
 */
public enum NatFlavour {

    /** No mapping, no filter: hosts have public addresses, IPv4 and IPv6. Rules: none. */
    PUBLIC,

    /**
     * No mapping; lets in nothing but answers, by IPv4 and IPv6, and drops the rest silently. Rules: {@code forward} accepts
     * {@code established} and what comes from inside.
     */
    FIREWALL,

    /** As {@link #FIREWALL}, and drops what is not TCP on its way out. */
    OUTBOUND_TCP_ONLY,

    /**
     * The common NAT. Mapping: independent of the endpoint, keeps the port. Filter: address and port; a packet from elsewhere is
     * dropped silently. Hairpins. Tracks loosely: a flow that it has forgotten goes on when the inside sends. Rules: {@code snat}
     * without a port; {@code input} drops. Hairpin: a map of ports, learned from new packets, for {@code dnat}.
     */
    CONE,

    /**
     * As {@link #CONE}, but answers TCP from elsewhere by RST, and what the inside sends on a flow that it does not know too.
     * Rules: {@code reject with tcp reset} in {@code input} and, for {@code invalid}, in {@code forward};
     * {@code nf_conntrack_tcp_loose} is 0.
     */
    CONE_RESET,

    /**
     * Mapping: independent of the endpoint, a random port for each private address and port. Filter: address
     * and port. No hairpin. Rules: {@code snat} with the port from a map that new packets fill by {@code numgen random}.
     */
    ENDPOINT_INDEPENDENT,

    /**
     * Mapping: as {@link #CONE}. Filter: address; whoever was sent something from a port may send to it from any port. Hairpins.
     * Rules: {@code dnat} by a map from (source address, port) to private address, learned from new packets.
     */
    ADDRESS_RESTRICTED,

    /**
     * Mapping: as {@link #CONE}. Filter: none for a port from which something was sent within five minutes. Hairpins. Rules:
     * {@code dnat} by a map from port to private address, learned from new packets.
     */
    FULL_CONE,

    /**
     * Mapping: depends on address and port of the destination, a random port for each flow. Filter: address and port. No
     * hairpin. What the inside sends on a forgotten flow goes out from a new port, and is reset by the peer. Rules:
     * {@code snat ... fully-random}.
     */
    SYMMETRIC,

    /** As {@link #CONE} without hairpin: hosts behind it reach each other by their private addresses only. */
    NO_HAIRPIN,

    /** As {@link #NO_HAIRPIN}, and hosts behind it do not reach each other by private addresses either. */
    ISOLATED,

    /** As {@link #CONE}, and drops UDP on its way out. */
    UDP_BLOCKED,

    /** As {@link #CONE}, and drops on its way out what is not TCP to port {@link #HTTPS_PORT}. */
    HTTPS_ONLY,

    /**
     * As {@link #CONE}, but forgets a flow after {@link #SHORT_IDLE_S} seconds without a packet, and tracks strictly: of a
     * forgotten flow nothing passes, either way, and nobody is told. Rules: {@code nf_conntrack_tcp_timeout_established},
     * {@code nf_conntrack_udp_timeout} and {@code nf_conntrack_udp_timeout_stream} are as short, {@code nf_conntrack_tcp_loose}
     * is 0.
     */
    SHORT_IDLE;

    /** The one port to which {@link #HTTPS_ONLY} lets connections out. */
    public static final int HTTPS_PORT = 443;

    /** Idle time after which {@link #SHORT_IDLE} forgets. */
    public static final int SHORT_IDLE_S = 3;

    /** Whether hosts behind it have private addresses. */
    public boolean translates() {
        return switch (this) {
            case PUBLIC, FIREWALL, OUTBOUND_TCP_ONLY -> false;
            default -> true;
        };
    }

    /** Whether two hosts behind the same gateway reach each other by its public address. */
    public boolean hairpins() {
        return switch (this) {
            case CONE, CONE_RESET, ADDRESS_RESTRICTED, FULL_CONE, UDP_BLOCKED, SHORT_IDLE -> true;
            default -> false;
        };
    }

    /**
     * Whether TCP hole punching can connect a host behind a gateway of this flavour with one behind another gateway of the given
     * flavour: when the sides open to each other at once, from the port that a third party has seen. Not if one side lets only
     * HTTPS out, nor if one side's ports cannot be foretold unless the other side does not filter by port.
     */
    public boolean isPunchableTo(NatFlavour other) {
        if (this == HTTPS_ONLY || other == HTTPS_ONLY) {
            return false;
        }
        return (this != SYMMETRIC || other.takesAnyPort()) && (other != SYMMETRIC || takesAnyPort());
    }

    private boolean takesAnyPort() {
        return switch (this) {
            case PUBLIC, FULL_CONE, ADDRESS_RESTRICTED -> true;
            default -> false;
        };
    }
}
