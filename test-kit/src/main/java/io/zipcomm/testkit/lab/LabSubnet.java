package io.zipcomm.testkit.lab;

import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * The addresses of a network in the lab: /24 by IPv4, /64 by IPv6. Public ones are from ranges that are set aside for
 * benchmarks and for documentation, so that nothing takes them for private.
 *
 * @param prefix   first three bytes of the IPv4 addresses, as text
 * @param prefixV6 first eight bytes of the IPv6 addresses, as text; empty if there are none
 * @param depth    number of translating gateways between it and the internet
 */
record LabSubnet(String prefix, String prefixV6, int depth) {

    private static final int PUBLIC_HOSTS = 0;

    /** The network of the public hosts. */
    static LabSubnet ofPublicHosts() {
        return ofGateway(PUBLIC_HOSTS);
    }

    /**
     * A public network behind a gateway.
     *
     * @param gateway number of the gateway, from 1
     */
    static LabSubnet ofGateway(int gateway) {
        return new LabSubnet("198.18." + gateway, "2001:db8:0:" + Integer.toHexString(gateway), 0);
    }

    /**
     * A private network. There is one for each depth: those behind different gateways have the same addresses, as they have
     * outside of labs.
     *
     * @param depth 1 or more
     */
    static LabSubnet behind(int depth) {
        return new LabSubnet("10." + depth + ".0", "", depth);
    }

    boolean hasV6() {
        return !prefixV6.isEmpty();
    }

    String network() {
        return prefix + ".0/24";
    }

    String networkV6() {
        return prefixV6 + "::/64";
    }

    InetAddress address(int index) {
        return literal(prefix + "." + index);
    }

    InetAddress addressV6(int index) {
        return literal(prefixV6 + "::" + Integer.toHexString(index));
    }

    private static InetAddress literal(String address) {
        try {
            return InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(address, e);
        }
    }
}
