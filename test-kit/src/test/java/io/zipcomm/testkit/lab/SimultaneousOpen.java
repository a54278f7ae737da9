package io.zipcomm.testkit.lab;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

/**
 * TCP hole punching by plain sockets: listens on a port and connects from it to the peer's addresses, again and again, until a
 * connection proves to lead to the peer and is nominated by the leading side. Pauses are random: gateways that answer unsolicited
 * SYNs by RST need SYNs that cross, and equal pauses on both sides would keep their phase for ever.
 */
final class SimultaneousOpen {

    private static final long MEAN_PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(50);

    /**
     * Least time of an attempt, some round trips: one that ends between SYN and ACK is wasted, and the next SYN of the peer is met
     * by the listener, whose answer has another sequence number than the SYN before it, which gateways take for invalid.
     */
    private static final long ATTEMPT_NS = TimeUnit.MILLISECONDS.toNanos(300);

    /**
     * Time for a connection to prove itself, and for its nomination to be agreed to. One end of it may be gone, by a reset that a
     * gateway took for invalid: it would hold the pair of ports for ever. It is long, since ending one that works is worse on a
     * machine that is busy: the peer may have agreed already, or its next SYN comes while no attempt is under way, and the
     * listener's half of a connection, whose answers gateways drop, keeps the pair of ports for a minute.
     */
    private static final long TALK_NS = TimeUnit.SECONDS.toNanos(2);

    private static final int TOKEN_BYTES = 8;
    private static final byte NOMINATED = 'N';
    private static final byte AGREED = 'Y';

    private final Selector selector = Selector.open();
    private final ServerSocketChannel listener = ServerSocketChannel.open();
    private final Random random = new Random();
    private final List<Attempt> attempts = new ArrayList<>();
    private final List<Talk> talks = new ArrayList<>();
    private boolean leads;
    private byte[] token;
    private String winner;
    private SocketChannel won;

    /** Takes a free port and listens on it. */
    SimultaneousOpen() throws IOException {
        listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        listener.setOption(StandardSocketOptions.SO_REUSEPORT, true);
        listener.bind(new InetSocketAddress("0.0.0.0", 0));
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
    }

    int port() throws IOException {
        return ((InetSocketAddress) listener.getLocalAddress()).getPort();
    }

    /** One of the peer's addresses, and the connection that is being tried. */
    private static final class Attempt {
        private final InetSocketAddress to;
        private SocketChannel channel;
        private long changeNs;

        private Attempt(InetSocketAddress to) {
            this.to = to;
        }
    }

    /** A connection to somebody. */
    private static final class Talk {
        private final ByteBuffer in = ByteBuffer.allocate(TOKEN_BYTES + 2);
        private final SocketChannel channel;
        private final String name;
        private long endNs = System.nanoTime() + TALK_NS;
        private boolean known;

        private Talk(SocketChannel channel, String name) {
            this.channel = channel;
            this.name = name;
        }
    }

    /**
     * Tries until it works or time is up.
     *
     * @param leading   whether this side nominates
     * @param pair      token of the pair, the same on both sides, {@link #TOKEN_BYTES} minus one characters
     * @param limitMs   longest time
     * @param addresses of the peer, with {@code ;} between
     * @return {@code direct ADDRESS MILLISECONDS}, or {@code none}
     */
    String run(boolean leading, String pair, String limitMs, String addresses) throws IOException {
        leads = leading;
        token = pair.getBytes(StandardCharsets.US_ASCII);
        for (String address : addresses.split(";", -1)) {
            int comma = address.lastIndexOf(',');
            attempts.add(new Attempt(new InetSocketAddress(
                    address.substring(0, comma), Integer.parseInt(address.substring(comma + 1)))));
        }
        long beganNs = System.nanoTime();
        long endNs = beganNs + TimeUnit.MILLISECONDS.toNanos(Integer.parseInt(limitMs));
        while (winner == null && System.nanoTime() < endNs) {
            endOldTalks();
            for (Attempt attempt : attempts) {
                if (System.nanoTime() >= attempt.changeNs) {
                    retry(attempt);
                }
            }
            selector.select(Math.max(1, TimeUnit.NANOSECONDS.toMillis(nextChangeNs(endNs) - System.nanoTime())));
            for (SelectionKey key : selector.selectedKeys()) {
                if (key.isValid()) {
                    ready(key);
                }
            }
            selector.selectedKeys().clear();
        }
        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs);
        for (SelectionKey key : selector.keys()) {
            if (key.channel() != won) {
                key.channel().close();
            }
        }
        selector.close();
        return winner == null ? "none" : "direct " + winner + " " + tookMs;
    }

    private long nextChangeNs(long endNs) {
        return LongStream.concat(
                        attempts.stream().mapToLong(attempt -> attempt.changeNs),
                        talks.stream().mapToLong(talk -> talk.endNs))
                .reduce(endNs, Math::min);
    }

    private void endOldTalks() throws IOException {
        long nowNs = System.nanoTime();
        for (Talk talk : talks) {
            if (nowNs >= talk.endNs) {
                talk.channel.close();
            }
        }
        talks.removeIf(talk -> !talk.channel.isOpen());
    }

    private long pauseNs() {
        return (long) (random.nextDouble() * 2 * MEAN_PAUSE_NS);
    }

    private void retry(Attempt attempt) {
        try {
            if (attempt.channel != null) {
                if (attempt.channel.finishConnect()) {
                    connected(attempt.channel, attempt);
                    return;
                }
                attempt.channel.close();
            }
            SocketChannel channel = SocketChannel.open();
            attempt.channel = channel;
            attempt.changeNs = System.nanoTime() + ATTEMPT_NS + pauseNs();
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            // An attempt that is given up leaves nothing that would be in the way of the next one between the same
            // ports.
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
            channel.configureBlocking(false);
            channel.bind(new InetSocketAddress("0.0.0.0", port()));
            channel.register(selector, SelectionKey.OP_CONNECT, attempt);
            if (channel.connect(attempt.to)) {
                connected(channel, attempt);
            }
        } catch (IOException e) {
            failed(attempt);
        }
    }

    private void failed(Attempt attempt) {
        try {
            attempt.channel.close();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        attempt.channel = null;
        attempt.changeNs = System.nanoTime() + pauseNs();
    }

    /** From now on it is no attempt but a talk; another one begins if that comes to nothing. */
    private void connected(SocketChannel channel, Attempt attempt) throws IOException {
        attempt.channel = null;
        attempt.changeNs = System.nanoTime() + TALK_NS + pauseNs();
        begin(channel, attempt.to.getHostString());
    }

    private void begin(SocketChannel channel, String name) throws IOException {
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        Talk talk = new Talk(channel, name);
        talks.add(talk);
        channel.register(selector, SelectionKey.OP_READ, talk);
        ByteBuffer hello = ByteBuffer.allocate(TOKEN_BYTES);
        hello.put((byte) (leads ? 'A' : 'B')).put(token).flip();
        channel.write(hello);
    }

    private void ready(SelectionKey key) throws IOException {
        if (key.isAcceptable()) {
            accept();
        } else if (key.isConnectable()) {
            Attempt attempt = (Attempt) key.attachment();
            SocketChannel channel = (SocketChannel) key.channel();
            try {
                if (channel.finishConnect()) {
                    connected(channel, attempt);
                }
            } catch (IOException e) {
                failed(attempt);
            }
        } else if (key.isReadable()) {
            read((SocketChannel) key.channel(), (Talk) key.attachment());
        }
    }

    private void accept() throws IOException {
        SocketChannel channel = listener.accept();
        if (channel != null) {
            try {
                channel.configureBlocking(false);
                begin(channel, ((InetSocketAddress) channel.getRemoteAddress()).getHostString());
            } catch (IOException e) {
                channel.close();
            }
        }
    }

    private void read(SocketChannel channel, Talk talk) throws IOException {
        try {
            if (channel.read(talk.in) < 0) {
                channel.close();
                return;
            }
            if (!talk.known && talk.in.position() >= TOKEN_BYTES) {
                talk.known = isPeer(talk.in);
                if (!talk.known) {
                    channel.close();
                    return;
                }
                talk.endNs = System.nanoTime() + TALK_NS;
                if (leads && winner == null) {
                    channel.write(ByteBuffer.wrap(new byte[] {NOMINATED}));
                }
            }
            if (talk.in.position() > TOKEN_BYTES) {
                agree(channel, talk);
            }
        } catch (IOException e) {
            channel.close();
        }
    }

    private void agree(SocketChannel channel, Talk talk) throws IOException {
        byte said = talk.in.get(TOKEN_BYTES);
        if (said == NOMINATED && !leads) {
            channel.write(ByteBuffer.wrap(new byte[] {AGREED}));
            winner = talk.name;
            won = channel;
        } else if (said == AGREED && leads) {
            winner = talk.name;
            won = channel;
        }
    }

    private boolean isPeer(ByteBuffer in) {
        boolean same = in.get(0) == (leads ? 'B' : 'A');
        for (int i = 0; i < token.length; i++) {
            same &= in.get(1 + i) == token[i];
        }
        return same;
    }
}
