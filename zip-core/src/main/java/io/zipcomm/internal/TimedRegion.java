package io.zipcomm.internal;

import io.zipcomm.Communicator;
import io.zipcomm.Region;
import java.nio.ByteBuffer;
import java.time.Duration;

/** A handle on a region, with a time for each call. */
final class TimedRegion implements Region {

    private final GroupRegion all;
    private final CallTime time;

    TimedRegion(GroupRegion all, CallTime time) {
        this.all = all;
        this.time = time;
    }

    @Override
    public Communicator communicator() {
        return time.carriedTo(all.communicator());
    }

    @Override
    public long bytes(int rank) {
        return all.bytes(rank);
    }

    @Override
    public Region withTimeout(Duration timeout) {
        return all.handle(time.withTimeout(timeout));
    }

    @Override
    public void put(int target, long targetOffset, ByteBuffer source) {
        all.transfer(true, target, targetOffset, source, time);
    }

    @Override
    public void get(int target, long sourceOffset, ByteBuffer destination) {
        all.transfer(false, target, sourceOffset, destination, time);
    }

    @Override
    public void flush(int target) {
        all.flush(target, time.forCall(all.communicator(), "flush"));
    }

    @Override
    public void flush() {
        all.flush(time.forCall(all.communicator(), "flush"));
    }

    @Override
    public void fence() {
        all.fence(time.forCollective(all.communicator(), "fence"));
    }

    @Override
    public void close() {
        all.close(time.forEnding());
    }

    @Override
    public String toString() {
        return all.toString();
    }
}
