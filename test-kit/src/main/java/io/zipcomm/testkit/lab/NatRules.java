package io.zipcomm.testkit.lab;

/** The rules of nftables, and the settings of the kernel, that make a gateway of a flavour. */
final class NatRules {

    /** Of what was learned from packets of the hosts. */
    private static final String MAPS_LIFE = "5m";

    private final NatFlavour flavour;
    private final String publicAddress;
    private final String privateNetwork;

    /**
     * Rules of a gateway with the devices {@code wan}, and {@code lan1}, {@code lan2} and so on.
     *
     * @param publicAddress  its IPv4 address
     * @param privateNetwork that of its hosts, as address/bits
     */
    NatRules(NatFlavour flavour, String publicAddress, String privateNetwork) {
        this.flavour = flavour;
        this.publicAddress = publicAddress;
        this.privateNetwork = privateNetwork;
    }

    /** Commands of {@code sh}. */
    String script() {
        if (flavour == NatFlavour.PUBLIC) {
            return "";
        }
        String rules = flavour.translates() ? translation() : firewall();
        return "nft -f - <<'END'\n" + rules + "END\n" + tracking();
    }

    /** Commands of {@code sh} that empty what was learned from packets of the hosts. */
    String forgetScript() {
        return flavour.translates()
                ? "nft 'flush map ip lab ports; flush map ip lab peers; flush map ip lab mapped'\n"
                : "";
    }

    private String tracking() {
        String strict = "echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose\n";
        return switch (flavour) {
            case CONE_RESET -> strict;
            case SHORT_IDLE -> strict + """
                    for of in tcp_timeout_established udp_timeout udp_timeout_stream; do
                        echo %d > /proc/sys/net/netfilter/nf_conntrack_$of
                    done
                    """.formatted(NatFlavour.SHORT_IDLE_S);
            default -> "";
        };
    }

    private String firewall() {
        return """
                table inet lab {
                    chain forward {
                        type filter hook forward priority filter; policy drop
                        ct state established,related accept
                        ct state invalid drop
                        iifname "wan" drop
                        %s
                    }
                }
                """.formatted(outbound());
    }

    /** What leaves. */
    private String outbound() {
        return switch (flavour) {
            case OUTBOUND_TCP_ONLY -> "meta l4proto tcp accept";
            case UDP_BLOCKED -> "meta l4proto != udp accept";
            case HTTPS_ONLY -> "tcp dport " + NatFlavour.HTTPS_PORT + " accept";
            default -> "accept";
        };
    }

    private String translation() {
        return """
                table ip lab {
                    map ports {
                        type inet_proto . inet_service : ipv4_addr; flags dynamic,timeout; timeout %1$s
                    }
                    map peers {
                        type ipv4_addr . inet_proto . inet_service : ipv4_addr; flags dynamic,timeout; timeout %1$s
                    }
                    map mapped {
                        type ipv4_addr . inet_proto . inet_service : inet_service; flags dynamic,timeout; timeout %1$s
                    }
                    chain learn {
                        type filter hook prerouting priority mangle
                        iifname "lan*" meta l4proto { tcp, udp } ct state new jump learn_new
                    }
                    chain learn_new {
                        %2$s
                    }
                    chain prerouting {
                        type nat hook prerouting priority dstnat
                        %3$s
                    }
                    chain postrouting {
                        type nat hook postrouting priority srcnat
                        %4$s
                    }
                    chain input {
                        type filter hook input priority filter
                        ip daddr %5$s ct state new,invalid %6$s
                    }
                    chain forward {
                        type filter hook forward priority filter; policy drop
                        ct state established,related accept
                        ct state invalid %7$s
                        ct status dnat accept
                        iifname "wan" drop
                        %8$s
                    }
                }
                """.formatted(
                MAPS_LIFE, learning(), inbound(), mapping(), publicAddress, unsolicited(), unknownFlow(), leaving());
    }

    private String learning() {
        String ports = "update @ports { meta l4proto . th sport : ip saddr }";
        return switch (flavour) {
            case ENDPOINT_INDEPENDENT ->
                "add @mapped { ip saddr . meta l4proto . th sport : numgen random mod 20000 offset 40000 }";
            case ADDRESS_RESTRICTED -> ports + "\nupdate @peers { ip daddr . meta l4proto . th sport : ip saddr }";
            default -> ports;
        };
    }

    /** Where packets for the public address go that belong to no known flow. */
    private String inbound() {
        String byPort = "meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @ports\n";
        String hairpin = flavour.hairpins() ? "iifname \"lan*\" ip daddr " + publicAddress + " " + byPort : "";
        return hairpin
                + switch (flavour) {
                    case FULL_CONE -> "iifname \"wan\" " + byPort;
                    case ADDRESS_RESTRICTED ->
                        "iifname \"wan\" meta l4proto { tcp, udp } dnat ip to ip saddr . meta l4proto . th dport map @peers";
                    default -> "";
                };
    }

    private String mapping() {
        String hairpin =
                "ip saddr " + privateNetwork + " oifname \"lan*\" ct status dnat snat to " + publicAddress + "\n";
        String mapped = "oifname \"wan\" snat to " + publicAddress;
        return hairpin
                + switch (flavour) {
                    case SYMMETRIC -> mapped + " fully-random";
                    case ENDPOINT_INDEPENDENT ->
                        "oifname \"wan\" meta l4proto { tcp, udp } snat to " + publicAddress
                                + " : ip saddr . meta l4proto . th sport map @mapped\n" + mapped;
                    default -> mapped;
                };
    }

    private String unsolicited() {
        return flavour == NatFlavour.CONE_RESET ? "meta l4proto tcp reject with tcp reset" : "drop";
    }

    private String unknownFlow() {
        return flavour == NatFlavour.CONE_RESET
                ? "meta l4proto tcp reject with tcp reset\nct state invalid drop"
                : "drop";
    }

    private String leaving() {
        String between = "oifname \"lan*\" " + (flavour == NatFlavour.ISOLATED ? "drop" : "accept") + "\n";
        return between + outbound();
    }
}
