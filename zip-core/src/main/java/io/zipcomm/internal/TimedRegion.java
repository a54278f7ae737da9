package io.zipcomm.internal;

import io.zipcomm.Communicator;
import io.zipcomm.Region;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.nio.ByteBuffer;
import java.time.Duration;

/** A handle on a region, with a time for each call. */
final class TimedRegion implements Region {

    private final GroupRegion all;
    private final long timeoutNs;

    TimedRegion(GroupRegion all, long timeoutNs) {
        this.all = all;
        this.timeoutNs = timeoutNs;
    }

    @Override
    public Communicator communicator() {
        return all.communicator();
    }

    @Override
    public long bytes(int rank) {
        return all.bytes(rank);
    }

    @Override
    public Region withTimeout(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new ZipException(ErrorCode.BAD_ARGUMENT, "timeout " + timeout + ": expected a positive time");
        }
        return all.handle(timeout.toNanos());
    }

    @Override
    public void put(int target, long targetOffset, ByteBuffer source) {
        all.transfer(true, target, targetOffset, source, timeoutNs);
    }

    @Override
    public void get(int target, long sourceOffset, ByteBuffer destination) {
        all.transfer(false, target, sourceOffset, destination, timeoutNs);
    }

    @Override
    public void flush(int target) {
        all.flush(target, timeoutNs);
    }

    @Override
    public void flush() {
        all.flush(timeoutNs);
    }

    @Override
    public void fence() {
        all.fence(timeoutNs);
    }

    @Override
    public void close() {
        all.close(timeoutNs);
    }

    @Override
    public String toString() {
        return all.toString();
    }
}
