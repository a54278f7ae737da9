package io.zipcomm.transport.tcp;

import io.netty.channel.IoEvent;
import io.netty.channel.IoHandler;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoEvent;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.Socket;
import io.zipcomm.transport.Transport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.NotYetConnectedException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sockets on Linux' epoll, through Netty's native library: no channel, no pipeline, no buffer of its own between. */
final class EpollPoller extends Poller {

    private static final Logger LOG = LoggerFactory.getLogger(EpollPoller.class);
    private static final ByteBuffer CUBIC = ByteBuffer.allocateDirect(8)
            .put("cubic".getBytes(StandardCharsets.US_ASCII))
            .flip();

    private static final int BACKLOG = 1024;
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_CONGESTION = 13;
    private static final int TCP_KEEPIDLE = 4;
    private static final int TCP_KEEPINTVL = 5;
    private static final int TCP_KEEPCNT = 6;
    private static final int TCP_INFO = 11;

    /*
     * struct tcp_info: eight bytes of flags, then numbers of four bytes. What follows the first part depends on the kernel,
     * which fills as much as there is room for.
     */
    private static final int TCPI_PROBES = 3;
    private static final int TCPI_UNACKED = 24;
    private static final int TCPI_LAST_ACK_RECV = 56;
    private static final int TCPI_NOTSENT_BYTES = 144;
    private static final int TCP_INFO_BYTES = 148;

    /** Of so many probes of a full receiver in a row some must have been answered, unless nobody is there. */
    private static final int UNANSWERED_PROBES = 3;

    private final ByteBuffer info = ByteBuffer.allocateDirect(TCP_INFO_BYTES).order(ByteOrder.nativeOrder());

    /** Sockets that are ready at once and handled in one turn. */
    private static final int EVENTS_MAX = 256;

    EpollPoller() {
        super(executor -> EpollIoHandler.newFactory(EVENTS_MAX, io.netty.channel.DefaultSelectStrategyFactory.INSTANCE)
                .newHandler(executor));
    }

    @Override
    String name() {
        return "epoll";
    }

    @Override
    StreamSocket begin(InetSocketAddress address, int localPort, boolean lossBased, StreamSocket.Listener listener)
            throws IOException {
        Socket socket = Socket.newSocketStream();
        return setUp(socket::close, () -> {
            if (lossBased) {
                preferLossBased(socket);
            }
            socket.setTcpNoDelay(true);
            if (localPort != 0) {
                socket.setReuseAddress(true);
                socket.setReusePort(true);
                socket.bind(new InetSocketAddress(localPort));
            }
            socket.connect(address);
            return new EpollSocket(socket, listener);
        });
    }

    @Override
    Acceptor listen(InetSocketAddress address, boolean lossBased, boolean shared, Consumer<AcceptedSocket> accepted)
            throws IOException {
        Socket socket = Socket.newSocketStream();
        return setUp(socket::close, () -> {
            if (lossBased) {
                preferLossBased(socket);
            }
            socket.setReuseAddress(true);
            socket.setReusePort(shared);
            return listening(socket, address, true, accepted);
        });
    }

    @Override
    Acceptor listen(Path file, Consumer<AcceptedSocket> accepted) throws IOException {
        Socket socket = Socket.newSocketDomain();
        return setUp(socket::close, () -> listening(socket, new DomainSocketAddress(file.toString()), false, accepted));
    }

    private Acceptor listening(Socket socket, SocketAddress address, boolean tcp, Consumer<AcceptedSocket> accepted)
            throws IOException {
        socket.bind(address);
        socket.listen(BACKLOG);
        return new EpollAcceptor(socket, address, tcp, accepted);
    }

    @Override
    Transport.DescriptorWatch watch(int descriptor) throws IOException {
        return new EpollWatch(descriptor);
    }

    private static void preferLossBased(Socket socket) {
        try {
            socket.setRawOpt(IPPROTO_TCP, TCP_CONGESTION, CUBIC.duplicate());
        } catch (IOException e) {
            // The system's default stays: not every kernel offers every control to every process.
            LOG.debug("congestion control stays", e);
        }
    }

    /** A descriptor in the epoll set. */
    private abstract class Handle implements EpollIoHandle {
        final Socket socket;
        private IoRegistration registration;
        private EpollIoOps ops = EpollIoOps.NONE;
        private boolean open = true;

        Handle(Socket socket) throws IOException {
            this.socket = socket;
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
            ops = EpollIoOps.NONE;
            register(poller.handler());
        }

        @Override
        public FileDescriptor fd() {
            return socket;
        }

        /** Level-triggered. Nothing is asked for as errors only, since an empty set would take the socket out. */
        final void submit(EpollIoOps wanted) {
            if (open && wanted.value() != ops.value()) {
                ops = wanted;
                registration.submit(wanted);
            }
        }

        final boolean isOpen() {
            return open;
        }

        /** A socket that nobody reads and that broke would be reported again and again. */
        final void unregister() {
            registration.cancel();
        }

        @Override
        public void close() {
            if (open) {
                open = false;
                registration.cancel();
                try {
                    socket.close();
                } catch (IOException e) {
                    throw new IllegalStateException("closing a socket", e);
                }
            }
        }
    }

    /** Level-triggered while it is on, so that nothing which came before is missed. */
    private final class EpollWatch implements EpollIoHandle, Transport.DescriptorWatch {
        private final FileDescriptor descriptor;
        private final IoRegistration registration;
        private boolean isOn;
        private boolean closed;

        EpollWatch(int descriptor) throws IOException {
            try {
                this.descriptor = new FileDescriptor(descriptor);
                registration = handler().register(this);
                registration.submit(EpollIoOps.EPOLLERR);
            } catch (Exception e) {
                throw new IOException("waiting for descriptor " + descriptor, e);
            }
        }

        @Override
        public FileDescriptor fd() {
            return descriptor;
        }

        @Override
        public void turn(boolean on) {
            if (!closed && on != isOn) {
                isOn = on;
                registration.submit(on ? EpollIoOps.EPOLLIN : EpollIoOps.EPOLLERR);
            }
        }

        @Override
        public void handle(IoRegistration registered, IoEvent event) {
            // That it was handled is all there is to it.
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                registration.cancel();
            }
        }
    }

    private final class EpollSocket extends Handle implements StreamSocket {
        private static final EpollIoOps NOTHING = EpollIoOps.EPOLLERR;
        private static final EpollIoOps READING = NOTHING.with(EpollIoOps.EPOLLIN);
        private static final EpollIoOps WRITING = NOTHING.with(EpollIoOps.EPOLLOUT);
        private static final EpollIoOps BOTH = READING.with(EpollIoOps.EPOLLOUT);

        private final Listener listener;
        private boolean reads;
        private boolean writes;

        EpollSocket(Socket socket, Listener listener) throws IOException {
            super(socket);
            this.listener = listener;
        }

        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            EpollIoOps ready = ((EpollIoEvent) event).ops();
            boolean readable = ready.contains(EpollIoOps.EPOLLIN);
            boolean writable = ready.contains(EpollIoOps.EPOLLOUT);
            if (!readable && !writable && !reads && !writes) {
                unregister();
            } else {
                boolean broken = !readable && !writable;
                listener.ready((readable || broken) && reads, (writable || broken) && writes);
            }
        }

        @Override
        public int read(ByteBuffer target, int position, int limit) throws IOException {
            return socket.recv(target, position, limit);
        }

        @Override
        public long write(ByteBuffer[] sources, int count) throws IOException {
            return count == 1
                    ? socket.send(sources[0], sources[0].position(), sources[0].limit())
                    : socket.writev(sources, 0, count, Long.MAX_VALUE);
        }

        @Override
        public void interest(boolean readable, boolean writable) {
            reads = readable;
            writes = writable;
            submit(readable ? (writable ? BOTH : READING) : (writable ? WRITING : NOTHING));
        }

        @Override
        public boolean finishConnect() throws IOException {
            return socket.finishConnect();
        }

        @Override
        public void shutdownOutput() throws IOException {
            try {
                socket.shutdown(false, true);
            } catch (NotYetConnectedException e) {
                // What Netty makes of a connection that the other end has reset.
                throw new IOException("connection is gone", e);
            }
        }

        @Override
        public void abort() {
            try {
                if (isOpen()) {
                    socket.setSoLinger(0);
                }
            } catch (IOException e) {
                LOG.debug("a connection ends regularly instead of breaking", e);
            }
            close();
        }

        @Override
        public void keepAlive() {
            try {
                socket.setKeepAlive(true);
                socket.setIntOpt(IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
                socket.setIntOpt(IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
                socket.setIntOpt(IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
            } catch (IOException e) {
                LOG.debug("a connection is not kept alive", e);
            }
        }

        @Override
        public long unacknowledgedMs() {
            try {
                socket.getRawOpt(IPPROTO_TCP, TCP_INFO, info.clear());
            } catch (IOException e) {
                LOG.debug("nothing known about a connection", e);
                return -1;
            }
            // What the other end has no room for is asked about more and more seldom, so time says nothing then.
            boolean full = info.getInt(TCPI_NOTSENT_BYTES) != 0 && info.get(TCPI_PROBES) >= UNANSWERED_PROBES;
            boolean waits = info.getInt(TCPI_UNACKED) != 0 || full;
            return waits ? Integer.toUnsignedLong(info.getInt(TCPI_LAST_ACK_RECV)) : 0;
        }

        @Override
        public InetSocketAddress local() {
            return socket.localAddress();
        }

        @Override
        public InetSocketAddress remote() {
            return socket.remoteAddress();
        }
    }

    private final class EpollAcceptor extends Handle implements Acceptor {
        private final AcceptPause pause;
        private final boolean tcp;
        private final Consumer<AcceptedSocket> accepted;
        private final byte[] remote = new byte[32];

        EpollAcceptor(Socket socket, SocketAddress address, boolean tcp, Consumer<AcceptedSocket> accepted)
                throws IOException {
            super(socket);
            this.tcp = tcp;
            this.accepted = accepted;
            pause = new AcceptPause(tcp ? "on port " + port() : "at " + address);
            submit(EpollIoOps.EPOLLIN);
        }

        @Override
        public int port() {
            return socket.localAddress().getPort();
        }

        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            try {
                for (int i = 0; i < ACCEPTS_PER_TURN && isOpen(); i++) {
                    int descriptor = socket.accept(remote);
                    if (descriptor < 0) {
                        return;
                    }
                    accepted.accept(new Accepted(new Socket(descriptor), tcp));
                }
            } catch (IOException e) {
                submit(EpollIoOps.EPOLLERR);
                pause.begin(e, System.nanoTime());
            }
        }

        @Override
        public void look(long nowNs) {
            if (pause.isOver(nowNs)) {
                submit(EpollIoOps.EPOLLIN);
            }
        }
    }

    private final class Accepted implements AcceptedSocket {
        private final Socket socket;
        private final boolean tcp;

        Accepted(Socket socket, boolean tcp) {
            this.socket = socket;
            this.tcp = tcp;
        }

        @Override
        public StreamSocket open(StreamSocket.Listener listener) throws IOException {
            if (tcp) {
                socket.setTcpNoDelay(true);
            }
            return new EpollSocket(socket, listener);
        }

        @Override
        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new IllegalStateException("closing a socket", e);
            }
        }
    }
}
