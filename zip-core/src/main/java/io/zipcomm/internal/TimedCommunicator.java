package io.zipcomm.internal;

import io.zipcomm.Communicator;
import io.zipcomm.Region;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.TransportCounters;
import java.nio.ByteBuffer;
import java.time.Duration;

/** A communicator with a deadline of its own for each call. */
final class TimedCommunicator implements Communicator {

    private final GroupCommunicator all;
    private final Duration timeout;

    TimedCommunicator(GroupCommunicator all, Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new ZipException(ErrorCode.BAD_ARGUMENT, "timeout " + timeout + ": expected a positive time");
        }
        this.all = all;
        this.timeout = timeout;
    }

    GroupCommunicator all() {
        return all;
    }

    @Override
    public int rank() {
        return all.rank();
    }

    @Override
    public int size() {
        return all.size();
    }

    @Override
    public int worldRank(int rank) {
        return all.worldRank(rank);
    }

    @Override
    public GroupView view() {
        return all.view();
    }

    @Override
    public Duration timeout() {
        return timeout;
    }

    @Override
    public Communicator withTimeout(Duration other) {
        return all.withTimeout(other);
    }

    @Override
    public void send(int peer, int tag, Payload payload) {
        all.send(peer, tag, payload, timeout);
    }

    @Override
    public long receive(int peer, int tag, Payload payload) {
        return all.receive(peer, tag, payload, timeout);
    }

    @Override
    public ZipFuture<Void> sendAsync(int peer, int tag, Payload payload) {
        return all.sendAsync(peer, tag, payload, timeout);
    }

    @Override
    public ZipFuture<Long> receiveAsync(int peer, int tag, Payload payload) {
        return all.receiveAsync(peer, tag, payload, timeout);
    }

    @Override
    public Communicator split(int color, int key) {
        return all.split(color, key, timeout);
    }

    @Override
    public Communicator duplicate() {
        return all.duplicate(timeout);
    }

    @Override
    public Region expose(ByteBuffer memory) {
        return all.expose(memory, timeout);
    }

    @Override
    public TransportCounters counters() {
        return all.counters();
    }

    @Override
    public void close() {
        all.close();
    }
}
