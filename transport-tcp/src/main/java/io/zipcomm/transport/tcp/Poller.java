package io.zipcomm.transport.tcp;

import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.epoll.Epoll;
import io.netty.util.concurrent.ThreadAwareExecutor;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings.IoChoice;
import io.zipcomm.transport.Transport;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Waits for sockets, on whichever thread calls: Netty's {@link IoHandler} without an event loop around it. So the thread
 * that waits for an operation is the one that reads its bytes, and no thread is switched to.
 *
 * <p>Thread: one at a time, except {@link #wakeup}.
 */
abstract class Poller implements AutoCloseable {

    /** Seconds of silence until the operating system asks whether the other end is there: less than the memory of most NATs. */
    static final int KEEPALIVE_IDLE_S = 10;

    static final int KEEPALIVE_INTERVAL_S = 3;

    /** Unanswered questions after which the connection is broken. */
    static final int KEEPALIVE_PROBES = 3;

    /** Connections accepted in one turn, so that a crowd of strangers does not keep the connections that are open waiting. */
    static final int ACCEPTS_PER_TURN = 64;

    /** Sleeps are rounded up to this, so that the timer is seldom set anew. */
    private static final long TIMER_GRAIN_NS = 1_000_000;

    private final IoHandler handler;
    private final Context context = new Context();

    /** Set by any thread: {@link #await} must not block. Netty forgets a wakeup that comes before the wait. */
    private volatile boolean woken;

    Poller(java.util.function.Function<ThreadAwareExecutor, IoHandler> maker) {
        handler = maker.apply(new CallerRuns());
        handler.initialize();
    }

    static Poller open(IoChoice choice) {
        boolean epoll = choice != IoChoice.NIO && Epoll.isAvailable();
        if (choice == IoChoice.EPOLL && !epoll) {
            throw new ZipException(ErrorCode.BAD_SETTING, "epoll cannot be used here", Epoll.unavailabilityCause());
        }
        try {
            return epoll ? new EpollPoller() : new NioPoller();
        } catch (RuntimeException e) {
            throw new ZipException(
                    ErrorCode.LIMIT, "the system gives nothing to wait for sockets with: " + describe(problem(e)), e);
        }
    }

    /** What to tell users of a failure to connect: some exceptions have a class and no message. */
    static String describe(Exception problem) {
        return problem.getMessage() == null ? problem.getClass().getSimpleName() : problem.getMessage();
    }

    /**
     * What the system, or Java's own sockets, say by other exceptions: of descriptors that are used up, of a kind of address
     * that is not there.
     */
    static IOException problem(RuntimeException said) {
        Throwable root = said;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return new IOException(root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage(), said);
    }

    final IoHandler handler() {
        return handler;
    }

    /** {@code epoll} or {@code nio}. */
    abstract String name();

    // ---- time and threads: of the system, unless it is simulated

    /** Now, on the clock of {@link System#nanoTime}. */
    long nanoTime() {
        return System.nanoTime();
    }

    /** Another poller for the same system. The caller closes it. */
    Poller another(IoChoice choice) {
        return open(choice);
    }

    /** Blocks the calling thread for some time, or until it is interrupted, whose flag stays set. */
    void pause(long ns) {
        LockSupport.parkNanos(ns);
    }

    /** A daemon thread, which is not started, for who is to wait here by itself. */
    Thread thread(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Blocks until a thread of {@link #thread} has ended, or the time is over. The interrupt flag stays set. */
    void join(Thread thread, long timeoutNs) {
        boolean interrupted = false;
        long deadlineNs = nanoTime() + timeoutNs;
        long leftNs = timeoutNs;
        while (thread.isAlive() && leftNs > 0) {
            try {
                TimeUnit.NANOSECONDS.timedJoin(thread, leftNs);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            leftNs = deadlineNs - nanoTime();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Begins to connect.
     *
     * @param localPort where from; 0 for anywhere. The port may be one that is listened on, or connected from elsewhere
     * @param lossBased whether to ask for a congestion control that backs off on loss only, which between processes of one
     *     host is three times as fast as one that paces; best effort. It must be chosen before the connection exists: a
     *     socket that has once paced goes on doing so
     * @throws IOException whatever the reason is
     */
    final StreamSocket connect(
            InetSocketAddress address, int localPort, boolean lossBased, StreamSocket.Listener listener)
            throws IOException {
        try {
            return begin(address, localPort, lossBased, listener);
        } catch (RuntimeException e) {
            throw problem(e);
        }
    }

    /** As {@link #connect}; may throw what the system's sockets throw. */
    abstract StreamSocket begin(
            InetSocketAddress address, int localPort, boolean lossBased, StreamSocket.Listener listener)
            throws IOException;

    /**
     * Listens.
     *
     * @param address   where; port 0 for any
     * @param lossBased as in {@link #connect}, for the connections accepted here
     * @param shared    whether connections may be opened from the same port
     * @param accepted  given every accepted socket, which has no listener yet
     */
    abstract Acceptor listen(
            InetSocketAddress address, boolean lossBased, boolean shared, Consumer<AcceptedSocket> accepted)
            throws IOException;

    /**
     * Listens for processes of this host, at a Unix domain socket. May throw what the system's sockets throw.
     *
     * @param file     made here, and left behind by {@link Acceptor#close}
     * @param accepted as for the other one; these sockets have no addresses
     */
    abstract Acceptor listen(Path file, Consumer<AcceptedSocket> accepted) throws IOException;

    /**
     * Waits for a descriptor of somebody else's, which is neither read nor closed here.
     *
     * @throws IOException if that cannot be
     */
    Transport.DescriptorWatch watch(int descriptor) throws IOException {
        throw new IOException("sockets on " + name() + " have no place for the descriptors of others");
    }

    /** Does what is left to do with a new socket, which is closed if that fails. */
    static <T> T setUp(Closeable socket, SetUp<T> rest) throws IOException {
        try {
            return rest.finish();
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /** Handles what is ready, without blocking. */
    final int poll() {
        context.mayNotBlock = null;
        return handler.run(context);
    }

    /**
     * Blocks until something is ready, {@link #wakeup} or the time is over, and handles what is ready. An interrupt may end
     * the wait or not, so it is for the caller to wait for short times only; the thread's flag stays as it is.
     */
    final int await(long timeoutNs, BooleanSupplier mayNotBlock) {
        if (woken) {
            woken = false;
            return poll();
        }
        long nowNs = nanoTime();
        context.mayNotBlock = mayNotBlock;
        long untilNs = nowNs + Math.min(timeoutNs, Long.MAX_VALUE / 4);
        context.deadlineNs = (untilNs / TIMER_GRAIN_NS + 1) * TIMER_GRAIN_NS;
        return runBlocking(context);
    }

    /** Runs the handler with a context that lets it block. */
    int runBlocking(IoHandlerContext blocking) {
        return handler.run(blocking);
    }

    /** Makes {@link #await} return, if it is about to block or blocks. Any thread. */
    final void wakeup() {
        woken = true;
        handler.wakeup();
    }

    @Override
    public final void close() {
        handler.prepareToDestroy();
        handler.destroy();
    }

    /** What is left to do with a new socket. */
    interface SetUp<T> {
        T finish() throws IOException;
    }

    /** A listening socket. */
    interface Acceptor extends AutoCloseable {

        /** Port it listens on, if it is one of TCP. */
        int port();

        /** Accepts again if that failed a while ago. Called now and then. */
        void look(long nowNs);

        @Override
        void close();
    }

    /** A connection somebody else opened. */
    interface AcceptedSocket {

        /** Registers it. */
        StreamSocket open(StreamSocket.Listener listener) throws IOException;

        /** Refuses it. */
        void close();
    }

    private final class Context implements IoHandlerContext {
        /** Null if this turn must not block at all. */
        private BooleanSupplier mayNotBlock;

        private long deadlineNs;

        @Override
        public boolean canBlock() {
            return mayNotBlock != null && !woken && !mayNotBlock.getAsBoolean();
        }

        @Override
        public long delayNanos(long currentTimeNanos) {
            // Never 0: that would disarm Netty's timer, and a thread held up until here would sleep for ever.
            return Math.max(1, deadlineNs - currentTimeNanos);
        }

        @Override
        public long deadlineNanos() {
            return deadlineNs;
        }
    }

    /** Whoever calls runs; there is no thread that belongs to the poller. */
    private static final class CallerRuns implements ThreadAwareExecutor {
        @Override
        public boolean isExecutorThread(Thread thread) {
            return false;
        }

        @Override
        public void execute(Runnable command) {
            command.run();
        }
    }
}
