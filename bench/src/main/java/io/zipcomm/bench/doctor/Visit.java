package io.zipcomm.bench.doctor;

import io.zipcomm.internal.MembershipClient;
import io.zipcomm.transport.RelayAddress;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/**
 * A control connection to a relay that has admitted this process.
 *
 * @param relay   where it listens
 * @param client  of the connection
 * @param proxied whether the connection goes through a proxy
 */
record Visit(RelayAddress relay, MembershipClient client, boolean proxied) implements AutoCloseable {

    /** Where it comes from on this machine. */
    InetSocketAddress local() {
        return client.local();
    }

    /** What it is connected to: the relay, or the proxy. */
    InetSocketAddress remote() {
        return client.remote();
    }

    /** Where the relay sees it come from. */
    InetSocketAddress observed() {
        String text = client.observed();
        int colon = text.lastIndexOf(':');
        String host = text.substring(0, colon).replaceAll("[\\[\\]]", "");
        return new InetSocketAddress(host, Integer.parseInt(text.substring(colon + 1)));
    }

    String family() {
        return remote().getAddress() instanceof Inet6Address ? "IPv6" : "IPv4";
    }

    /** Takes leave, so that the relay is the first to end the connection, and its port is free again here. */
    @Override
    public void close() {
        client.leave(TimeUnit.SECONDS.toNanos(1));
        client.close();
    }
}
