package io.zipcomm.transport.aeron;

import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.nio.file.Path;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Aeron's media driver, run by the first rank of a host for all of them: one thread, which moves no bytes between ranks of
 * one host but tells publishers how far their readers are.
 */
final class EmbeddedDriver implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedDriver.class);

    /** A client may be frozen for so long, and go on. Whether it died is found out in other ways. */
    static final long CLIENT_TIMEOUT_NS = TimeUnit.MINUTES.toNanos(2);

    private static final long UNBLOCK_TIMEOUT_NS = CLIENT_TIMEOUT_NS + TimeUnit.SECONDS.toNanos(15);
    private static final int PAGE_BYTES = 4096;

    /**
     * Memory for counters, the least that Aeron takes; it takes four times as much to describe them. A stream has three, so
     * these are enough for 2700: for each pair of 52 ranks. The default is eight times as much, and all of it is filled at the start.
     */
    private static final int COUNTERS_BYTES = 1 << 20;

    /** Looks of the driver's thread without work before it sleeps, and for how long. */
    private static final long SPINS = 1;

    private static final long YIELDS = 1;
    private static final long PARK_NS_MIN = 50_000;
    private static final long PARK_NS_MAX = 1_000_000;

    private final MediaDriver driver;

    private EmbeddedDriver(MediaDriver driver) {
        this.driver = driver;
    }

    /**
     * Starts a driver. Blocks for some hundred milliseconds the first time, since much has to be loaded.
     *
     * @param directory which does not exist; removed when the driver is closed
     * @throws RuntimeException whatever the driver's reason is, such as too little memory
     */
    static EmbeddedDriver start(Path directory, int rank) {
        MediaDriver.Context context = new MediaDriver.Context()
                .aeronDirectoryName(directory.toString())
                .dirDeleteOnStart(true)
                .dirDeleteOnShutdown(true)
                .warnIfDirectoryExists(false)
                .threadingMode(ThreadingMode.SHARED)
                .sharedIdleStrategy(idle())
                .sharedThreadFactory(threads("zip-aeron-driver-" + rank))
                .asyncExecutorEnabled(false)
                .clientLivenessTimeoutNs(CLIENT_TIMEOUT_NS)
                .publicationUnblockTimeoutNs(UNBLOCK_TIMEOUT_NS)
                .publicationLingerTimeoutNs(TimeUnit.SECONDS.toNanos(1))
                .termBufferSparseFile(false)
                .filePageSize(PAGE_BYTES)
                .counterValuesBufferLength(COUNTERS_BYTES)
                .performStorageChecks(true)
                .lowStorageWarningThreshold(0)
                .errorHandler(e -> LOG.warn("media driver of rank {}", rank, e));
        return new EmbeddedDriver(MediaDriver.launch(context));
    }

    private static IdleStrategy idle() {
        return new BackoffIdleStrategy(SPINS, YIELDS, PARK_NS_MIN, PARK_NS_MAX);
    }

    private static ThreadFactory threads(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    @Override
    public void close() {
        driver.close();
    }
}
