package io.zipcomm.bench.worker;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;

/** A plain non-blocking {@link SocketChannel} on loopback that spins. */
final class FloorSocket extends FloorPath {

    private final SocketChannel channel;

    private FloorSocket(SocketChannel channel) throws IOException {
        this.channel = channel;
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.configureBlocking(false);
    }

    /** Waits for the other process, which is to be told the port. */
    static FloorSocket accept(Consumer<String> port) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            port.accept(Integer.toString(((InetSocketAddress) server.getLocalAddress()).getPort()));
            return new FloorSocket(server.accept());
        }
    }

    static FloorSocket connect(String port) throws IOException {
        InetSocketAddress there = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(port));
        return new FloorSocket(SocketChannel.open(there));
    }

    @Override
    void write(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.write(buffer) == 0) {
                pause();
            }
        }
    }

    @Override
    void read(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer);
            if (count < 0) {
                throw new EOFException("the other process is gone");
            }
            if (count == 0) {
                pause();
            }
        }
    }
}
