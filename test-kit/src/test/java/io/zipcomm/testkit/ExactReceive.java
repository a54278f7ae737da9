package io.zipcomm.testkit;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.CollectiveTag;
import io.zipcomm.internal.Completion;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.internal.Operation;
import io.zipcomm.internal.Transfer;

/** A receive as collectives post it: of known length, so that its sender is told of it before it has anything to send. */
final class ExactReceive extends Operation implements Completion {

    private static final long TIMEOUT_NS = 60_000_000_000L;

    final ZipFuture<Object> future;
    final byte[] room;
    private final int peer;
    private final int number;
    private Transfer posted;

    ExactReceive(SimulatedGroup group, int rank, int peer, int number, int bytes) {
        super(GroupCommunicator.of(group.communicator(rank)));
        this.peer = peer;
        this.number = number;
        room = new byte[bytes];
        future = communicator().start(this, TIMEOUT_NS);
    }

    @Override
    protected void begin() {
        posted = communicator()
                .postReceive(peer, CollectiveTag.of(number, 0), 0, Payload.of(room), 0, room.length, this, 0);
    }

    @Override
    public void completed(int cookie, long bytes, ZipException failure) {
        posted = null;
        if (failure == null) {
            succeed();
        } else {
            fail(failure);
        }
    }

    @Override
    protected void withdraw() {
        if (posted != null) {
            communicator().withdraw(posted);
            posted = null;
        }
    }

    @Override
    public String describe() {
        return "exact receive #" + number;
    }

    @Override
    protected String awaited() {
        return null;
    }

    @Override
    protected boolean isCollective() {
        return false;
    }
}
