package io.zipcomm.transport.aeron;

import io.zipcomm.transport.NameLookup;
import io.zipcomm.transport.OwnAddresses;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;

/**
 * The UDP port of a rank, which it tells others long before its media driver runs: kept by a socket until the driver binds
 * it. Another process may take it in the moment between; then there are no paths over UDP.
 */
final class UdpPort implements AutoCloseable {

    private final DatagramSocket socket;
    private final int receiveBytes;

    private UdpPort(DatagramSocket socket) throws SocketException {
        this.socket = socket;
        socket.setReceiveBufferSize(UdpBudget.RECEIVE_BYTES);
        receiveBytes = Math.min(UdpBudget.RECEIVE_BYTES, socket.getReceiveBufferSize());
    }

    /**
     * Takes a free port.
     *
     * @param bind      as {@code ZIP_BIND} has it
     * @param timeoutNs for the look-up of a name
     * @throws IOException if the address cannot be used
     * @throws InterruptedException if the thread was interrupted
     */
    static UdpPort take(String bind, long timeoutNs) throws IOException, InterruptedException {
        boolean all = bind.equals(OwnAddresses.ALL);
        InetAddress address = NameLookup.of(all ? OwnAddresses.ANY_V6 : bind, timeoutNs)[0];
        try {
            return new UdpPort(new DatagramSocket(new InetSocketAddress(address, 0)));
        } catch (SocketException e) {
            if (!all) {
                throw e;
            }
            // This system, or this JVM, has IPv4 alone.
            return new UdpPort(new DatagramSocket(new InetSocketAddress(OwnAddresses.ANY_V4, 0)));
        }
    }

    /** One address, or the one that stands for all. */
    InetAddress address() {
        return socket.getLocalAddress();
    }

    int number() {
        return socket.getLocalPort();
    }

    /** Buffer that the system gives a socket that asks for a large one. */
    int receiveBytes() {
        return receiveBytes;
    }

    /** The port is free for the driver. */
    @Override
    public void close() {
        socket.close();
    }
}
