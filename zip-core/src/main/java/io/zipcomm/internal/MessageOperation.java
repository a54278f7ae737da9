package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;

/** One message of a user: a send or a receive. */
final class MessageOperation extends Operation implements Completion {

    private final boolean sends;
    private final int peer;
    private final int tag;
    private final Payload payload;
    private Transfer transfer;
    private boolean ended;
    private long bytes;

    MessageOperation(GroupCommunicator communicator, boolean sends, int peer, int tag, Payload payload) {
        super(communicator);
        this.sends = sends;
        this.peer = peer;
        this.tag = tag;
        this.payload = payload;
    }

    @Override
    protected void begin() {
        Transfer posted = sends
                ? communicator().postSend(peer, tag, 0, payload, 0, payload.bytes(), this, 0)
                : communicator().post(peer, tag, payload, this);
        transfer = ended ? null : posted;
    }

    @Override
    public void completed(int cookie, long length, ZipException failure) {
        ended = true;
        transfer = null;
        bytes = length;
        if (failure == null) {
            succeed();
        } else {
            fail(failure);
        }
    }

    @Override
    protected void withdraw() {
        if (transfer != null) {
            Transfer posted = transfer;
            transfer = null;
            communicator().withdraw(posted);
        }
    }

    @Override
    public String describe() {
        return (sends ? "send to rank " : "receive from rank ") + peer + " tag " + tag
                + communicator().suffix();
    }

    @Override
    protected String awaited() {
        return sends
                ? "room for " + payload.bytes() + " bytes at rank " + peer
                : "a message with tag " + tag + " from rank " + peer;
    }

    @Override
    protected boolean isCollective() {
        return false;
    }

    @Override
    protected int awaitedPeer() {
        return communicator().worldRank(peer);
    }

    @Override
    protected Object result() {
        return sends ? null : (Object) bytes;
    }

    long bytes() {
        return bytes;
    }
}
