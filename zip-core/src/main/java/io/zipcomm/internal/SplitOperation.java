package io.zipcomm.internal;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;

/**
 * Agrees on new communicators: rank 0 gathers every member's colour and key, then sends everyone the table, with the
 * context that it chose. Steps 2; bytes 12 P from and to rank 0, which handles P - 1 messages each way.
 */
final class SplitOperation extends Operation implements Completion {

    static final int COLOR = 0;
    static final int KEY = 1;
    static final int CONTEXT = 2;

    /** Numbers of each member in the table. */
    static final int COLUMNS = 3;

    private static final int ROW_BYTES = COLUMNS * Integer.BYTES;

    private final int signature;
    private final int[] table;
    private final Payload rows;
    private final Transfer[] posted;
    private int number;
    private int open;
    private boolean gathering;

    /**
     * One call.
     *
     * @param signature {@link Signature#SPLIT} or {@link Signature#DUPLICATE}
     */
    SplitOperation(GroupCommunicator communicator, int signature, int color, int key) {
        super(communicator);
        this.signature = signature;
        table = new int[communicator.size() * COLUMNS];
        rows = Payload.of(table);
        posted = new Transfer[communicator.size() * 2];
        int row = communicator.rank() * COLUMNS;
        table[row + COLOR] = color;
        table[row + KEY] = key;
    }

    /** One row for each member; complete after success. */
    int[] table() {
        return table;
    }

    /** Number of the new communicators: the one that rank 0 chose. Complete after success. */
    int context() {
        return table[CONTEXT];
    }

    @Override
    protected void begin() {
        number = communicator().nextCollectiveNumber();
        communicator().noteCollective(number, signature());
        if (isDone()) {
            return;
        }
        int rank = communicator().rank();
        int size = communicator().size();
        gathering = rank == 0;
        if (gathering) {
            table[CONTEXT] = communicator().engine().takeContext();
        }
        if (table[CONTEXT] < 0) {
            fail(ErrorCode.LIMIT, ZipException.NONE, "this rank can number no further communicators", null);
        } else if (size == 1) {
            succeed();
        } else if (gathering) {
            open = size - 1;
            for (int peer = 1; peer < size && !isDone(); peer++) {
                receive(peer, 0, (long) peer * ROW_BYTES, ROW_BYTES, peer);
            }
        } else {
            open = 2;
            receive(0, 0, 0, rows.bytes(), 0);
            if (!isDone()) {
                send(0, (long) rank * ROW_BYTES, ROW_BYTES, size);
            }
        }
    }

    private void receive(int peer, int ordinal, long offset, long bytes, int cookie) {
        Object transfer = communicator()
                .postReceive(peer, CollectiveTag.of(number, ordinal), signature(), rows, offset, bytes, this, cookie);
        keep(cookie, transfer);
    }

    private void send(int peer, long offset, long bytes, int cookie) {
        Object transfer = communicator()
                .postSend(peer, CollectiveTag.of(number, 0), signature(), rows, offset, bytes, this, cookie);
        keep(cookie, transfer);
    }

    private void keep(int cookie, Object transfer) {
        if (posted[cookie] == null) {
            posted[cookie] = (Transfer) transfer;
        } else {
            posted[cookie] = null;
        }
    }

    private static final Transfer ENDED = new Transfer();

    @Override
    public void completed(int cookie, long bytes, ZipException failure) {
        posted[cookie] = posted[cookie] == null ? ENDED : null;
        if (isDone()) {
            return;
        }
        if (failure != null) {
            fail(failure);
        } else if (--open == 0) {
            nextPhase();
        }
    }

    private void nextPhase() {
        if (!gathering) {
            succeed();
            return;
        }
        gathering = false;
        int size = communicator().size();
        open = size - 1;
        for (int peer = 1; peer < size && !isDone(); peer++) {
            send(peer, 0, rows.bytes(), size + peer);
        }
    }

    @Override
    protected void withdraw() {
        for (int i = 0; i < posted.length; i++) {
            Transfer transfer = posted[i];
            posted[i] = null;
            if (transfer != null && transfer != ENDED) {
                communicator().withdraw(transfer);
            }
        }
    }

    @Override
    public String describe() {
        return Signature.operationName(signature) + " #" + number
                + communicator().suffix();
    }

    @Override
    protected String awaited() {
        return open + " of " + (communicator().rank() == 0 ? communicator().size() - 1 : 2) + " messages";
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
