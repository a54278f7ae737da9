package io.zipcomm.internal;

import io.zipcomm.Agreement;
import io.zipcomm.Communicator;
import io.zipcomm.Region;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.TransportCounters;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/** A communicator with a time of its own for each call. */
final class TimedCommunicator implements Communicator {

    private final GroupCommunicator all;
    private final CallTime time;

    TimedCommunicator(GroupCommunicator all, CallTime time) {
        this.all = all;
        this.time = time;
    }

    CallTime time() {
        return time;
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
        return time.timeout();
    }

    @Override
    public Communicator withTimeout(Duration other) {
        return new TimedCommunicator(all, time.withTimeout(other));
    }

    @Override
    public Communicator withinRemaining(Supplier<Duration> remaining) {
        return new TimedCommunicator(all, time.within(remaining));
    }

    @Override
    public void send(int peer, int tag, Payload payload) {
        all.send(peer, tag, payload, time);
    }

    @Override
    public long receive(int peer, int tag, Payload payload) {
        return all.receive(peer, tag, payload, time);
    }

    @Override
    public ZipFuture<Void> sendAsync(int peer, int tag, Payload payload) {
        return all.sendAsync(peer, tag, payload, time);
    }

    @Override
    public ZipFuture<Long> receiveAsync(int peer, int tag, Payload payload) {
        return all.receiveAsync(peer, tag, payload, time);
    }

    @Override
    public Communicator split(int color, int key) {
        return time.carriedTo(all.split(color, key, time));
    }

    @Override
    public Communicator duplicate() {
        return time.carriedTo(all.duplicate(time));
    }

    @Override
    public Region expose(ByteBuffer memory) {
        return all.expose(memory, time);
    }

    @Override
    public TransportCounters counters() {
        return all.counters();
    }

    @Override
    public List<Integer> failed() {
        return all.failed();
    }

    @Override
    public void revoke() {
        all.revoke();
    }

    @Override
    public Agreement agree(boolean value) {
        return all.agreements().agree(value, time);
    }

    @Override
    public Communicator shrink() {
        return time.carriedTo(all.next("shrink", 0, time));
    }

    @Override
    public Communicator grow(int size) {
        return time.carriedTo(all.grow(size, time));
    }

    @Override
    public void close() {
        all.close(time);
    }
}
