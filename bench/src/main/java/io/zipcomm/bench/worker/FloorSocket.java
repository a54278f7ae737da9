package io.zipcomm.bench.worker;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.function.IntConsumer;

/** A plain non-blocking {@link SocketChannel} on loopback that spins, and the words by which its two ends keep in step. */
final class FloorSocket {

    /** There is another round. */
    static final byte MORE = 1;

    /** From now on it is timed. */
    static final byte TIMED = 2;

    /** There are no more rounds. */
    static final byte LAST = 0;

    private static final boolean YIELD = Runtime.getRuntime().availableProcessors() < 2;

    private final SocketChannel channel;
    private final ByteBuffer word = ByteBuffer.allocateDirect(1);

    private FloorSocket(SocketChannel channel) throws IOException {
        this.channel = channel;
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.configureBlocking(false);
    }

    /** Waits for the other process. */
    static FloorSocket accept(IntConsumer port) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            port.accept(((InetSocketAddress) server.getLocalAddress()).getPort());
            return new FloorSocket(server.accept());
        }
    }

    static FloorSocket connect(int port) throws IOException {
        return new FloorSocket(SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)));
    }

    /** Tells the other process a word, outside of what is timed, and waits until it has it. */
    void say(byte what) throws IOException {
        word.clear();
        word.put(0, what);
        write(word);
        word.clear();
        read(word);
    }

    /** Waits for a word of the other process. */
    byte hear() throws IOException {
        word.clear();
        read(word);
        word.flip();
        write(word);
        return word.get(0);
    }

    /** Writes all that remains. */
    void write(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.write(buffer) == 0) {
                pause();
            }
        }
    }

    /** Reads until the buffer is full. */
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

    /** On a single processor the other process runs only if this one lets it. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static void pause() {
        if (YIELD) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }
}
