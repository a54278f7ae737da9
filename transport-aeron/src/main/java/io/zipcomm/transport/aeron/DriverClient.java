package io.zipcomm.transport.aeron;

import io.aeron.Aeron;
import io.aeron.CncFileDescriptor;
import io.aeron.CommonContext;
import io.aeron.exceptions.DriverTimeoutException;
import io.aeron.exceptions.TimeoutException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.EpochClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection to the media driver of one neighbour, or of somebody else. */
final class DriverClient implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DriverClient.class);

    /** Looks whether the driver says something, in the time that it may be silent. Each makes some garbage. */
    private static final int LOOKS = 40;

    /** How long to wait for a driver's sign of life, and then for the connection to it. */
    private static final long LIFE_MS_MAX = 10_000;

    /** A driver gives one each second. */
    private static final long LIFE_AGE_MS_MAX = 2_500;

    private static final long LIFE_LOOK_MS = 5;

    /** Longest time between them. */
    private static final long LOOK_MS_MAX = 1_000;

    /** More than fit into the memory by which a driver tells its clients. */
    private static final int WORDS_MAX = 100_000;

    private final int holder;
    private Aeron aeron;

    /** Why the connection ended; null while it has not. */
    private volatile String problem;

    /**
     * What Aeron takes for the time. While it connects it waits for a driver, which may end just then, as long as one may be silent: by
     * this clock that time is over when nobody needs the driver any more, and after {@link #LIFE_MS_MAX}.
     */
    private static final class ConnectClock implements EpochClock {
        private final long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LIFE_MS_MAX);
        private final BooleanSupplier cancelled;
        private volatile boolean isConnected;

        ConnectClock(BooleanSupplier cancelled) {
            this.cancelled = cancelled;
        }

        @Override
        public long time() {
            return isConnected || !isOver() ? System.currentTimeMillis() : Long.MAX_VALUE;
        }

        private boolean isOver() {
            return cancelled.getAsBoolean() || System.nanoTime() - endNs > 0;
        }
    }

    private DriverClient(int holder) {
        this.holder = holder;
    }

    /** Whether a driver has been started in a directory. */
    static boolean isThere(Path directory) {
        return Files.exists(directory.resolve(CncFileDescriptor.CNC_FILE));
    }

    /**
     * Connects to a driver that runs. Blocks for some milliseconds, or some ten if classes have to be loaded; if the driver gives
     * no sign of life, or ends meanwhile, for {@link #LIFE_MS_MAX}.
     *
     * @param holder    the neighbour in whose process it runs
     * @param timeoutMs how long the driver may be silent
     * @param cancelled asked while it waits; true ends that
     * @throws InterruptedException if the thread was interrupted
     */
    static DriverClient connect(Path directory, int holder, long timeoutMs, BooleanSupplier cancelled)
            throws IOException, InterruptedException {
        awaitLife(directory, Math.min(LIFE_MS_MAX, timeoutMs), cancelled);
        return connect(new Aeron.Context(), directory, holder, timeoutMs, cancelled);
    }

    private static void awaitLife(Path directory, long waitMs, BooleanSupplier cancelled)
            throws IOException, InterruptedException {
        long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs);
        while (!isAlive(directory)) {
            if (cancelled.getAsBoolean()) {
                throw new IOException("media driver in " + directory + ": not needed any more");
            }
            if (System.nanoTime() - endNs > 0) {
                throw new IOException("media driver in " + directory + ": no sign of life within " + waitMs + " ms");
            }
            TimeUnit.MILLISECONDS.sleep(LIFE_LOOK_MS);
        }
    }

    private static boolean isAlive(Path directory) throws IOException {
        try {
            return CommonContext.isDriverActive(directory.toFile(), LIFE_AGE_MS_MAX, LOG::trace);
        } catch (DriverTimeoutException e) {
            LOG.trace("{} is not ready", directory, e);
            return false;
        } catch (RuntimeException e) {
            throw new IOException("media driver in " + directory + ": " + e.getMessage(), e);
        }
    }

    /**
     * Connects to a driver that this process drives.
     *
     * @param context what is particular about the connection
     */
    static DriverClient connect(Aeron.Context context, Path directory, int holder, long timeoutMs) throws IOException {
        return connect(context, directory, holder, timeoutMs, () -> false);
    }

    private static DriverClient connect(
            Aeron.Context context, Path directory, int holder, long timeoutMs, BooleanSupplier cancelled)
            throws IOException {
        DriverClient client = new DriverClient(holder);
        ConnectClock clock = new ConnectClock(cancelled);
        context.aeronDirectoryName(directory.toString())
                .epochClock(clock)
                .useConductorAgentInvoker(true)
                .keepAliveIntervalNs(TimeUnit.MILLISECONDS.toNanos(Math.min(LOOK_MS_MAX, timeoutMs / LOOKS)))
                .errorHandler(client::failed)
                .subscriberErrorHandler(client::failed);
        context.driverTimeoutMs(timeoutMs);
        try {
            client.aeron = Aeron.connect(context);
            clock.isConnected = true;
            return client;
        } catch (RuntimeException e) {
            throw new IOException("media driver in " + directory + ": " + e.getMessage(), e);
        }
    }

    /** Aeron tells of problems that it meets on its own. */
    private void failed(Throwable what) {
        LOG.debug("Aeron's client", what);
        // Behind a timeout of its own the client closes its streams at once, and itself somewhat later.
        if (aeron == null || aeron.isClosed() || what instanceof TimeoutException) {
            problem = what.getMessage();
        }
    }

    /** The neighbour in whose process the driver runs. */
    int holder() {
        return holder;
    }

    Aeron aeron() {
        return aeron;
    }

    /** Lets Aeron do what it has to do now and then. Engine holder only. */
    void look() {
        if (problem == null && aeron.isClosed()) {
            problem = "Aeron's client was closed";
        }
        if (problem == null) {
            aeron.conductorAgentInvoker().invoke();
        }
    }

    /** Takes all that the driver has said so far: it is gone, and what it has made before is still of use. Engine holder only. */
    void hearOut() {
        int taken = 1;
        for (int i = 0; i < WORDS_MAX && taken > 0 && problem == null && !aeron.isClosed(); i++) {
            taken = aeron.conductorAgentInvoker().invoke();
        }
    }

    /** Why the connection ended; null while it has not. */
    String problem() {
        return problem;
    }

    @Override
    public void close() {
        aeron.close();
    }
}
