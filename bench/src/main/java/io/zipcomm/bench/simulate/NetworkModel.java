package io.zipcomm.bench.simulate;

import io.zipcomm.settings.Setting;

/**
 * What messages cost. A rank has a port out and a port in, each of which serves one message at a time; the last of b
 * bytes is there alpha + b beta after the first one left, if no port was busy.
 *
 * @param alphaUs        latency of a message, microseconds
 * @param betaNsPerByte  nanoseconds a byte keeps a port
 * @param gammaNsPerByte nanoseconds a byte keeps the processor that adds it, copies it, or takes it out of the memory for
 *                       messages that came before their receive
 * @param overheadUs     part of alpha during which a message of any length keeps each port: without it, a rank could send
 *                       any number of short messages at once
 * @param eagerBytesMax  longer messages start when the word that their receive is posted has come, alpha after it was
 * @param relay          what all messages between hosts pass; null if they go directly
 * @param hosts          which ranks share a host; null if none do
 */
public record NetworkModel(
        double alphaUs,
        double betaNsPerByte,
        double gammaNsPerByte,
        double overheadUs,
        long eagerBytesMax,
        Relay relay,
        Hosts hosts) {

    /**
     * A relay with one queue.
     *
     * @param bytesPerNs capacity, all messages together; 10^9 bytes a second
     * @param latencyUs  what it adds to alpha
     */
    public record Relay(double bytesPerNs, double latencyUs) {

        /** Checks the numbers. */
        public Relay {
            require(bytesPerNs > 0 && latencyUs >= 0, "relay");
        }
    }

    /**
     * Consecutive ranks on each host. They share the host's two ports to the network; inside, each has its own.
     *
     * @param ranksPerHost  how many, but for the last host
     * @param alphaUs       latency inside a host
     * @param betaNsPerByte nanoseconds a byte inside a host
     */
    public record Hosts(int ranksPerHost, double alphaUs, double betaNsPerByte) {

        /** Checks the numbers. */
        public Hosts {
            require(ranksPerHost > 0 && alphaUs >= 0 && betaNsPerByte >= 0, "hosts");
        }
    }

    private static final double PS_PER_US = 1e6;
    private static final double PS_PER_NS = 1e3;

    /** Checks the numbers. */
    public NetworkModel {
        require(alphaUs >= 0 && betaNsPerByte >= 0 && gammaNsPerByte >= 0, "alpha, beta and gamma");
        require(overheadUs >= 0 && overheadUs <= alphaUs, "overhead, which is part of alpha,");
        require(hosts == null || overheadUs <= hosts.alphaUs, "overhead, which is part of alpha inside a host,");
        require(eagerBytesMax >= 0, "eager limit");
    }

    private static void require(boolean condition, String name) {
        if (!condition) {
            throw new IllegalArgumentException("the " + name + " of the model cannot be so");
        }
    }

    /** What functions in one region see of each other, roughly: 100 us, 1 GB/s, and the library's protocol. */
    public static NetworkModel functions() {
        return of(100, 1).withProcessor(0.2, 2).withProtocol();
    }

    /** Nothing but alpha and beta: no processor time, no overhead, all messages at once, no relay, no hosts. */
    public static NetworkModel of(double alphaUs, double betaNsPerByte) {
        return new NetworkModel(alphaUs, betaNsPerByte, 0, 0, Long.MAX_VALUE, null, null);
    }

    /** The same with the library's protocol, as it is if nothing is set. */
    public NetworkModel withProtocol() {
        return withEager(Long.parseLong(Setting.EAGER_BYTES.defaultText()));
    }

    /** The same with another eager limit. */
    public NetworkModel withEager(long bytesMax) {
        return new NetworkModel(alphaUs, betaNsPerByte, gammaNsPerByte, overheadUs, bytesMax, relay, hosts);
    }

    /** The same with a processor that takes time. */
    public NetworkModel withProcessor(double gammaNs, double overhead) {
        return new NetworkModel(alphaUs, betaNsPerByte, gammaNs, overhead, eagerBytesMax, relay, hosts);
    }

    /** The same through a relay; null for none. */
    public NetworkModel withRelay(Relay between) {
        return new NetworkModel(alphaUs, betaNsPerByte, gammaNsPerByte, overheadUs, eagerBytesMax, between, hosts);
    }

    /** The same with several ranks on a host; null for one. */
    public NetworkModel withHosts(Hosts shared) {
        return new NetworkModel(alphaUs, betaNsPerByte, gammaNsPerByte, overheadUs, eagerBytesMax, relay, shared);
    }

    /** Microseconds a message between hosts takes at least. */
    public double latencyUs() {
        return alphaUs + (relay == null ? 0 : relay.latencyUs);
    }

    // Virtual time is counted in whole picoseconds: sums do not depend on their order, so ties are ties.

    long latencyPs(boolean isLocal) {
        return Math.round((isLocal ? hosts.alphaUs : alphaUs) * PS_PER_US);
    }

    long overheadPs() {
        return Math.round(overheadUs * PS_PER_US);
    }

    long bytesPs(long bytes, boolean isLocal) {
        return Math.round(bytes * (isLocal ? hosts.betaNsPerByte : betaNsPerByte) * PS_PER_NS);
    }

    long processorPs(long bytes) {
        return Math.round(bytes * gammaNsPerByte * PS_PER_NS);
    }

    long relayLatencyPs() {
        return Math.round(relay.latencyUs * PS_PER_US);
    }

    long relayPs(long bytes) {
        return Math.round(bytes / relay.bytesPerNs * PS_PER_NS);
    }

    int host(int rank) {
        return hosts == null ? rank : rank / hosts.ranksPerHost;
    }
}
