package io.zipcomm.transport.tcp;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoRegistration;
import io.zipcomm.settings.ZipSettings.IoChoice;
import io.zipcomm.simulation.Fiber;
import io.zipcomm.simulation.Host;
import io.zipcomm.simulation.StreamEnd;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The sockets of a simulated host, in virtual time. Whoever waits here is a {@link Fiber}. */
final class SimulatedPoller extends Poller {

    private final Host host;
    private final Readiness readiness;
    private final boolean control;

    /**
     * A poller.
     *
     * @param news    told when there is something to do and nobody waits here
     * @param control whether what is opened here is a control connection
     */
    SimulatedPoller(Host host, Runnable news, boolean control) {
        this(host, new Readiness(host, news), control);
    }

    private SimulatedPoller(Host host, Readiness readiness, boolean control) {
        super(executor -> readiness);
        this.host = host;
        this.readiness = readiness;
        this.control = control;
    }

    @Override
    String name() {
        return "simulated";
    }

    @Override
    long nanoTime() {
        return host.time().nowNs();
    }

    @Override
    Poller another(IoChoice choice) {
        return new SimulatedPoller(host, () -> {}, control);
    }

    @Override
    void pause(long ns) {
        Fiber.current().rest(ns);
    }

    @Override
    Thread thread(Runnable task, String name) {
        return new Fiber(host, task, name);
    }

    @Override
    void join(Thread thread, long timeoutNs) {
        Fiber.current().join((Fiber) thread, timeoutNs);
    }

    @Override
    StreamSocket begin(InetSocketAddress address, int localPort, boolean lossBased, StreamSocket.Listener listener) {
        StreamEnd end = host.network().connect(host, localPort, address);
        if (control) {
            end.setControl();
        }
        return new Socket(end, listener);
    }

    @Override
    Acceptor listen(InetSocketAddress address, boolean lossBased, boolean shared, Consumer<AcceptedSocket> accepted) {
        return new SimulatedAcceptor(accepted);
    }

    @Override
    Acceptor listen(Path file, Consumer<AcceptedSocket> accepted) throws IOException {
        throw new IOException("no Unix domain sockets here");
    }

    /** What of a poller can be ready. */
    private interface Source {

        /** Handles what is ready; false if nothing is. */
        boolean handle();

        boolean isReady();

        void close();
    }

    /** Waits for sockets, in the place of Netty's selector. */
    private static final class Readiness implements IoHandler {
        private final Host host;
        private final Runnable news;
        private final List<Source> sources = new ArrayList<>();
        private Fiber waiting;
        private boolean told;

        Readiness(Host host, Runnable news) {
            this.host = host;
            this.news = news;
        }

        void changed() {
            if (waiting != null) {
                waiting.wake();
            } else if (!told) {
                told = true;
                news.run();
            }
        }

        @Override
        public int run(IoHandlerContext context) {
            told = false;
            if (!isReady() && context.canBlock()) {
                waiting = Fiber.current();
                try {
                    waiting.park(
                            host.time().nowNs() + context.delayNanos(host.time().nowNs()));
                } finally {
                    waiting = null;
                }
            }
            int handled = 0;
            for (Source source : List.copyOf(sources)) {
                handled += source.handle() ? 1 : 0;
            }
            return handled;
        }

        private boolean isReady() {
            for (Source source : sources) {
                if (source.isReady()) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public void wakeup() {
            changed();
        }

        @Override
        public void prepareToDestroy() {
            // Nothing is registered with a system.
        }

        @Override
        public void destroy() {
            List.copyOf(sources).forEach(Source::close);
            sources.clear();
        }

        @Override
        public IoRegistration register(IoHandle handle) {
            throw new UnsupportedOperationException("sockets here are not Netty's");
        }

        @Override
        public boolean isCompatible(Class<? extends IoHandle> handleType) {
            return false;
        }
    }

    private final class Socket implements StreamSocket, Source {
        private final StreamEnd end;
        private final Listener listener;
        private Readiness poller = readiness;
        private boolean reads;
        private boolean writes;

        Socket(StreamEnd end, Listener listener) {
            this.end = end;
            this.listener = listener;
            end.whenChanged(() -> {
                if (isReady()) {
                    poller.changed();
                }
            });
            poller.sources.add(this);
        }

        @Override
        public boolean isReady() {
            return (reads && end.isReadable()) || (writes && end.isWritable());
        }

        @Override
        public boolean handle() {
            boolean readable = reads && end.isReadable();
            boolean writable = writes && end.isWritable();
            if (readable || writable) {
                listener.ready(readable, writable);
            }
            return readable || writable;
        }

        @Override
        public int read(ByteBuffer target, int position, int limit) throws IOException {
            return end.read(target.limit(limit).position(position));
        }

        @Override
        public long write(ByteBuffer[] from, int count) throws IOException {
            long written = 0;
            for (int i = 0; i < count; i++) {
                int wanted = from[i].remaining();
                int now = end.write(from[i]);
                written += now;
                if (now < wanted) {
                    break;
                }
            }
            return written;
        }

        @Override
        public void interest(boolean readable, boolean writable) {
            reads = readable;
            writes = writable;
            if (isReady()) {
                poller.changed();
            }
        }

        @Override
        public boolean finishConnect() throws IOException {
            return end.finishConnect();
        }

        @Override
        public void shutdownOutput() throws IOException {
            end.shutdownOutput();
        }

        @Override
        public long unacknowledgedMs() {
            return end.unacknowledgedMs();
        }

        @Override
        public void moveTo(Poller other) {
            poller.sources.remove(this);
            reads = false;
            writes = false;
            poller = ((SimulatedPoller) other).readiness;
            poller.sources.add(this);
        }

        @Override
        public InetSocketAddress local() {
            return end.local();
        }

        @Override
        public InetSocketAddress remote() {
            return end.remote();
        }

        @Override
        public void close() {
            poller.sources.remove(this);
            end.close();
        }

        @Override
        public void abort() {
            poller.sources.remove(this);
            end.abort();
        }
    }

    private final class SimulatedAcceptor implements Acceptor, Source {
        private final ArrayDeque<StreamEnd> backlog = new ArrayDeque<>();
        private final Consumer<AcceptedSocket> accepted;
        private final int port;

        SimulatedAcceptor(Consumer<AcceptedSocket> accepted) {
            this.accepted = accepted;
            port = host.listen(0, end -> {
                backlog.add(end);
                readiness.changed();
            });
            readiness.sources.add(this);
        }

        @Override
        public int port() {
            return port;
        }

        @Override
        public boolean isReady() {
            return !backlog.isEmpty();
        }

        @Override
        public boolean handle() {
            boolean any = !backlog.isEmpty();
            while (!backlog.isEmpty()) {
                accepted.accept(new Accepted(backlog.remove()));
            }
            return any;
        }

        @Override
        public void look(long nowNs) {
            // Accepting never fails here.
        }

        @Override
        public void close() {
            host.unlisten(port);
            readiness.sources.remove(this);
            backlog.forEach(StreamEnd::close);
            backlog.clear();
        }
    }

    private final class Accepted implements AcceptedSocket {
        private final StreamEnd end;

        Accepted(StreamEnd end) {
            this.end = end;
        }

        @Override
        public StreamSocket open(StreamSocket.Listener listener) {
            return new Socket(end, listener);
        }

        @Override
        public void close() {
            end.close();
        }
    }
}
