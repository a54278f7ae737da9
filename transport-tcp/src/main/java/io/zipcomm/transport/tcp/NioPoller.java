package io.zipcomm.transport.tcp;

import io.netty.channel.IoEvent;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoRegistration;
import io.netty.channel.nio.NioIoEvent;
import io.netty.channel.nio.NioIoHandle;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.nio.NioIoOps;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectableChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sockets on the Java platform's selector, where epoll does not load. The platform cannot choose a congestion control, so
 * the system's default stays.
 */
class NioPoller extends Poller {

    private static final Logger LOG = LoggerFactory.getLogger(NioPoller.class);

    private static final int BACKLOG = 1024;

    private final OneSelect oneSelect = new OneSelect();

    NioPoller() {
        super(executor -> NioIoHandler.newFactory().newHandler(executor));
    }

    @Override
    String name() {
        return "nio";
    }

    @Override
    StreamSocket begin(InetSocketAddress address, int localPort, boolean lossBased, StreamSocket.Listener listener)
            throws IOException {
        SocketChannel channel = SocketChannel.open();
        return setUp(channel, () -> {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            if (localPort != 0) {
                channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
                channel.setOption(StandardSocketOptions.SO_REUSEPORT, true);
                channel.bind(new InetSocketAddress(localPort));
            }
            channel.connect(address);
            return new NioSocket(channel, listener);
        });
    }

    @Override
    Acceptor listen(InetSocketAddress address, boolean lossBased, boolean shared, Consumer<AcceptedSocket> accepted)
            throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open();
        return setUp(channel, () -> {
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.setOption(StandardSocketOptions.SO_REUSEPORT, shared);
            return listening(channel, address, true, accepted);
        });
    }

    @Override
    Acceptor listen(Path file, Consumer<AcceptedSocket> accepted) throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        return setUp(channel, () -> listening(channel, UnixDomainSocketAddress.of(file), false, accepted));
    }

    private Acceptor listening(
            ServerSocketChannel channel, SocketAddress address, boolean tcp, Consumer<AcceptedSocket> accepted)
            throws IOException {
        channel.configureBlocking(false);
        channel.bind(address, BACKLOG);
        return new NioAcceptor(channel, address, tcp, accepted);
    }

    /**
     * {@inheritDoc}
     *
     * <p>A selector does not block a thread whose flag is set. One that was interrupted before and waits nevertheless,
     * as for its peers when it leaves, would turn without a pause: its flag is put away for the time of the wait.
     */
    @Override
    int runBlocking(IoHandlerContext blocking) {
        boolean interrupted = Thread.interrupted();
        try {
            return handler().run(oneSelect.of(blocking));
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Lets Netty select once and no more. It asks whether it can block twice before it selects, and again afterwards;
     * where it still can although nothing is ready, it takes a thread's interrupt for a mistake and clears the flag. Told
     * that it cannot it never comes to that, so there is no moment at which an interrupt gets lost. A wait that ends
     * early is begun anew by those who wait.
     */
    private static final class OneSelect implements IoHandlerContext {
        private static final int QUESTIONS_BEFORE = 2;

        private IoHandlerContext blocking;
        private int questions;

        OneSelect of(IoHandlerContext context) {
            blocking = context;
            questions = 0;
            return this;
        }

        @Override
        public boolean canBlock() {
            questions++;
            return questions <= QUESTIONS_BEFORE && blocking.canBlock();
        }

        @Override
        public long delayNanos(long currentTimeNanos) {
            return blocking.delayNanos(currentTimeNanos);
        }

        @Override
        public long deadlineNanos() {
            return blocking.deadlineNanos();
        }
    }

    /** A channel in the selector. */
    private abstract class Handle implements NioIoHandle {
        private final SelectableChannel channel;
        private IoRegistration registration;
        private NioIoOps ops = NioIoOps.NONE;

        Handle(SelectableChannel channel) throws IOException {
            this.channel = channel;
            register(handler());
        }

        final void register(IoHandler with) throws IOException {
            try {
                registration = with.register(this);
            } catch (Exception e) {
                throw new IOException("registering a socket", e);
            }
        }

        /** As {@link StreamSocket#moveTo}, which subclasses implement by it. */
        @SuppressWarnings({"UnusedMethod", "EffectivelyPrivate"}) // by that name
        public final void moveTo(Poller poller) throws IOException {
            registration.cancel();
            ops = NioIoOps.NONE;
            register(poller.handler());
        }

        @Override
        public final SelectableChannel selectableChannel() {
            return channel;
        }

        final void submit(NioIoOps wanted) {
            if (channel.isOpen() && wanted.value() != ops.value()) {
                ops = wanted;
                registration.submit(wanted);
            }
        }

        @Override
        public void close() {
            registration.cancel();
            try {
                channel.close();
            } catch (IOException e) {
                throw new IllegalStateException("closing a socket", e);
            }
        }
    }

    private final class NioSocket extends Handle implements StreamSocket {
        private final SocketChannel channel;
        private final Listener listener;
        private boolean reads;
        private boolean writes;

        NioSocket(SocketChannel channel, Listener listener) throws IOException {
            super(channel);
            this.channel = channel;
            this.listener = listener;
        }

        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            NioIoOps ready = ((NioIoEvent) event).ops();
            boolean writable = ready.contains(NioIoOps.WRITE) || ready.contains(NioIoOps.CONNECT);
            listener.ready(ready.contains(NioIoOps.READ) && reads, writable && writes);
        }

        @Override
        public int read(ByteBuffer target, int position, int limit) throws IOException {
            return channel.read(target.limit(limit).position(position));
        }

        @Override
        public long write(ByteBuffer[] sources, int count) throws IOException {
            return count == 1 ? channel.write(sources[0]) : channel.write(sources, 0, count);
        }

        @Override
        public void interest(boolean readable, boolean writable) {
            reads = readable;
            writes = writable;
            NioIoOps ops = readable ? NioIoOps.READ : NioIoOps.NONE;
            if (writable) {
                ops = ops.with(channel.isConnected() ? NioIoOps.WRITE : NioIoOps.CONNECT);
            }
            submit(ops);
        }

        @Override
        public boolean finishConnect() throws IOException {
            return channel.finishConnect();
        }

        @Override
        public void shutdownOutput() throws IOException {
            channel.shutdownOutput();
        }

        @Override
        public void abort() {
            try {
                if (channel.isOpen()) {
                    channel.setOption(StandardSocketOptions.SO_LINGER, 0);
                }
            } catch (IOException e) {
                LOG.debug("a connection ends regularly instead of breaking", e);
            }
            close();
        }

        @Override
        public void keepAlive() {
            try {
                channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
                set("TCP_KEEPIDLE", KEEPALIVE_IDLE_S);
                set("TCP_KEEPINTERVAL", KEEPALIVE_INTERVAL_S);
                set("TCP_KEEPCOUNT", KEEPALIVE_PROBES);
            } catch (IOException e) {
                LOG.debug("a connection is not kept alive", e);
            }
        }

        /** Sets an option that not every platform has, and that is in a module which not every runtime has. */
        private void set(String name, int value) throws IOException {
            for (SocketOption<?> option : channel.supportedOptions()) {
                if (option.name().equals(name) && option.type() == Integer.class) {
                    @SuppressWarnings("unchecked") // its type was looked at
                    SocketOption<Integer> number = (SocketOption<Integer>) option;
                    channel.setOption(number, value);
                }
            }
        }

        @Override
        public InetSocketAddress local() {
            try {
                return (InetSocketAddress) channel.getLocalAddress();
            } catch (IOException e) {
                return null;
            }
        }

        @Override
        public InetSocketAddress remote() {
            try {
                return (InetSocketAddress) channel.getRemoteAddress();
            } catch (IOException e) {
                return null;
            }
        }
    }

    private final class NioAcceptor extends Handle implements Acceptor {
        private final AcceptPause pause;
        private final ServerSocketChannel channel;
        private final boolean tcp;
        private final Consumer<AcceptedSocket> accepted;

        NioAcceptor(ServerSocketChannel channel, SocketAddress address, boolean tcp, Consumer<AcceptedSocket> accepted)
                throws IOException {
            super(channel);
            this.channel = channel;
            this.tcp = tcp;
            this.accepted = accepted;
            pause = new AcceptPause(tcp ? "on port " + port() : "at " + address);
            submit(NioIoOps.ACCEPT);
        }

        @Override
        public int port() {
            return channel.socket().getLocalPort();
        }

        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            try {
                for (int i = 0; i < ACCEPTS_PER_TURN && channel.isOpen(); i++) {
                    SocketChannel socket = channel.accept();
                    if (socket == null) {
                        return;
                    }
                    accepted.accept(new Accepted(socket, tcp));
                }
            } catch (IOException e) {
                submit(NioIoOps.NONE);
                pause.begin(e, System.nanoTime());
            }
        }

        @Override
        public void look(long nowNs) {
            if (pause.isOver(nowNs)) {
                submit(NioIoOps.ACCEPT);
            }
        }
    }

    private final class Accepted implements AcceptedSocket {
        private final SocketChannel channel;
        private final boolean tcp;

        Accepted(SocketChannel channel, boolean tcp) {
            this.channel = channel;
            this.tcp = tcp;
        }

        @Override
        public StreamSocket open(StreamSocket.Listener listener) throws IOException {
            channel.configureBlocking(false);
            if (tcp) {
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            }
            return new NioSocket(channel, listener);
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw new IllegalStateException("closing a socket", e);
            }
        }
    }
}
