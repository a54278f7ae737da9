package io.zipcomm.bench.doctor;

import io.zipcomm.Communicator;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.Joining;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.TransportProvider;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/** Joins sessions of one name one after the other. The one before may end a moment later at the relay than here. */
final class Succession {

    private static final Set<ErrorCode> NOT_YET =
            EnumSet.of(ErrorCode.GROUP_FULL, ErrorCode.SIZE_MISMATCH, ErrorCode.RANK_TAKEN);

    private static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private Succession() {}

    /**
     * Joins, again and again as long as the session before is there.
     *
     * @param settings  whose join timeout is set here
     * @param timeout   of all of it
     * @throws ZipException as {@link Joining#join}
     */
    static Communicator join(
            ZipSettings.Builder settings, Duration timeout, TransportProvider provider, LongSupplier clock) {
        long deadlineNs = clock.getAsLong() + timeout.toNanos();
        while (true) {
            long leftMs = Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadlineNs - clock.getAsLong()));
            try {
                return Joining.join(
                        settings.joinTimeout(Duration.ofMillis(leftMs)).build(), provider, clock);
            } catch (ZipException e) {
                if (!NOT_YET.contains(e.code()) || deadlineNs - clock.getAsLong() < PAUSE_NS) {
                    throw e;
                }
                LockSupport.parkNanos(PAUSE_NS);
            }
        }
    }
}
