package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;

/**
 * A collective in which all members tell all others some numbers, once or several times: Bruck's all-gather. Rounds log2 P; bytes 8
 * C (P-1) for C numbers.
 */
abstract class ExchangeOperation extends Operation implements Completion {

    /**
     * How long the reason may take for which a peer withdrew or left: it comes by another way. That a process died the relay says when it
     * has waited for it for a second.
     */
    static final long REASON_GRACE_NS = 2_000_000_000;

    /** More rounds than there can be, for the tags of the next exchange. */
    private static final int ROUNDS_MAX = Integer.SIZE;

    private static final int SEND = 0;
    private static final int RECEIVE = 1;

    private final int signature;
    private final int columns;

    /** Row i is of the rank i places behind this one. */
    private final long[] rows;

    private final Payload payload;
    private final Transfer[] posted = new Transfer[2];
    private final boolean[] ended = new boolean[2];
    private int number;
    private int exchanges;
    private int round;
    private boolean exchanging;
    private boolean posting;

    /** What to say of a peer that withdrew or left, if no reason comes; null while none did. */
    private ZipException withdrawn;

    private long withdrawnNs;

    /**
     * One call.
     *
     * @param columns how many numbers each member tells
     */
    ExchangeOperation(GroupCommunicator communicator, int signature, int columns) {
        super(communicator);
        this.signature = signature;
        this.columns = columns;
        rows = new long[communicator.size() * columns];
        payload = Payload.of(rows);
    }

    @Override
    protected final void begin() {
        number = communicator().nextCollectiveNumber();
        communicator().noteCollective(number, signature);
        if (!isDone()) {
            begun();
        }
    }

    /** The first step. */
    abstract void begun();

    /** All members' numbers are here. */
    abstract void exchanged();

    /** A number of a member, of the last exchange. */
    final long told(int rank, int column) {
        int size = communicator().size();
        return rows[Math.floorMod(rank - communicator().rank(), size) * columns + column];
    }

    /** Says what this rank tells in the next exchange. */
    final void tell(int column, long value) {
        rows[column] = value;
    }

    /** Begins an exchange. */
    final void exchange() {
        exchanges++;
        exchanging = true;
        round = 0;
        goOn();
    }

    final boolean isExchanging() {
        return exchanging;
    }

    private void goOn() {
        int size = communicator().size();
        while (!isDone() && 1 << round < size) {
            if (!postRound(1 << round, size)) {
                return;
            }
            round++;
        }
        if (!isDone()) {
            exchanging = false;
            exchanged();
        }
    }

    /** Returns whether the round is over at once. */
    private boolean postRound(int distance, int size) {
        GroupCommunicator all = communicator();
        long bytes = (long) Math.min(distance, size - distance) * columns * Long.BYTES;
        long tag = CollectiveTag.of(number, exchanges * ROUNDS_MAX + round);
        ended[SEND] = false;
        ended[RECEIVE] = false;
        posting = true;
        Transfer receive = all.postReceive(
                (all.rank() + distance) % size,
                tag,
                signature,
                payload,
                (long) distance * columns * Long.BYTES,
                bytes,
                this,
                RECEIVE);
        posted[RECEIVE] = ended[RECEIVE] ? null : receive;
        if (!isDone()) {
            Transfer send =
                    all.postSend((all.rank() - distance + size) % size, tag, signature, payload, 0, bytes, this, SEND);
            posted[SEND] = ended[SEND] ? null : send;
        }
        posting = false;
        return withdrawn == null && ended[SEND] && ended[RECEIVE];
    }

    @Override
    public void completed(int cookie, long bytes, ZipException failure) {
        ended[cookie] = true;
        posted[cookie] = null;
        if (isDone()) {
            return;
        }
        if (failure != null && failure.code() != ErrorCode.PEER_FAILED && failure.code() != ErrorCode.PEER_LEFT) {
            fail(failure);
        } else if (failure != null) {
            // The peer's operation has failed, and it may have left for that; who is to blame everyone is told.
            withdrawn = withdrawn == null ? failure : withdrawn;
            withdrawnNs = communicator().engine().nowNs();
        } else if (withdrawn == null && !posting && ended[SEND] && ended[RECEIVE]) {
            round++;
            goOn();
        }
    }

    @Override
    protected void timer(long nowNs) {
        if (withdrawn != null && nowNs - withdrawnNs >= REASON_GRACE_NS) {
            fail(withdrawn);
        }
    }

    @Override
    protected void withdraw() {
        for (int i = 0; i < posted.length; i++) {
            Transfer transfer = posted[i];
            posted[i] = null;
            if (transfer != null) {
                communicator().withdraw(transfer);
            }
        }
    }

    @Override
    public String describe() {
        return Signature.describe(signature) + " #" + number + communicator().suffix();
    }

    /** Rank in the communicator from which the next numbers come. */
    private int source() {
        return (communicator().rank() + (1 << round)) % communicator().size();
    }

    @Override
    protected String awaited() {
        return exchanging ? "round " + (round + 1) + " of what members tell each other, with rank " + source() : null;
    }

    @Override
    protected int awaitedPeer() {
        return exchanging ? communicator().worldRank(source()) : -1;
    }

    @Override
    protected boolean isCollective() {
        return true;
    }

    @Override
    protected int signature() {
        return signature;
    }

    @Override
    protected int number() {
        return number;
    }
}
