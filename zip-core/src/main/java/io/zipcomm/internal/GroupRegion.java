package io.zipcomm.internal;

import io.zipcomm.Region;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.RemoteMemory;
import io.zipcomm.transport.RemoteMemory.Exposure;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** What all handles on one region share: where its memory is, and what is under way. */
final class GroupRegion {

    /** Longest part of an operation: the holder of the engine may copy it itself. */
    static final int PART_BYTES_MAX = 1 << 20;

    /** One member's memory. */
    final class Target implements RemoteMemory.Ending {
        private final int rank;
        private final int worldRank;
        private final long bytes;
        private final long address;
        private final long key;

        /** Parts under way. */
        private int inFlight;

        Target(int rank, ExposeOperation from) {
            this.rank = rank;
            worldRank = communicator.worldRank(rank);
            bytes = from.place(rank, ExposeOperation.BYTES);
            address = from.place(rank, ExposeOperation.ADDRESS);
            key = from.place(rank, ExposeOperation.KEY);
        }

        int worldRank() {
            return worldRank;
        }

        int inFlight() {
            return inFlight;
        }

        @Override
        public void ended(String reason) {
            inFlight--;
            all--;
            communicator.engine().cork();
            try {
                if (reason == null) {
                    lookAll();
                } else {
                    for (int i = waiting.size() - 1; i >= 0; i = Math.min(i, waiting.size()) - 1) {
                        waiting.get(i).lost(worldRank, reason);
                    }
                    communicator.lost(
                            "operations in " + GroupRegion.this,
                            worldRank,
                            new ZipException(ErrorCode.PEER_LOST, reason));
                }
            } finally {
                communicator.engine().uncork();
            }
        }
    }

    /** Waits for something of a region. Engine holder only. */
    interface Waiting {

        /** Something has ended. */
        void look();

        /** Something has failed. */
        void lost(int worldRank, String reason);
    }

    private final GroupCommunicator communicator;
    private final int number;
    private final ByteBuffer own;
    private final Exposure exposure;
    private final RemoteMemory remote;
    private final Target[] targets;
    private final AtomicReference<FlushOperation> idleFlush = new AtomicReference<>();

    // Engine holder only.
    private final List<Waiting> waiting = new ArrayList<>();
    private int all;
    private int transfers;
    private boolean over;

    private volatile boolean closed;

    /**
     * A region that has been made.
     *
     * @param own what this rank has exposed
     */
    GroupRegion(GroupCommunicator communicator, ByteBuffer own, ExposeOperation made) {
        this.communicator = communicator;
        number = made.number();
        this.own = own;
        exposure = made.exposure();
        remote = communicator.engine().remoteMemory();
        targets = new Target[communicator.size()];
        for (int rank = 0; rank < targets.length; rank++) {
            targets[rank] = new Target(rank, made);
        }
    }

    GroupCommunicator communicator() {
        return communicator;
    }

    int number() {
        return number;
    }

    long bytes(int rank) {
        return target("bytes", rank).bytes;
    }

    private Target target(String operation, int rank) {
        if (rank < 0 || rank >= targets.length) {
            throw communicator.badArgument(operation, "rank " + rank + ": expected 0 to " + (targets.length - 1));
        }
        return targets[rank];
    }

    // ---- put and get

    void transfer(boolean writes, int rank, long offset, ByteBuffer local, CallTime time) {
        String operation = writes ? "put" : "get";
        long timeoutNs = time.forCall(communicator, operation);
        Target target = target(operation, rank);
        check(operation, writes, target, offset, local);
        int at = local.position();
        int bytes = local.remaining();
        if (rank == communicator.rank()) {
            checkOpen(operation);
            copy(writes, (int) offset, local, at, bytes);
            return;
        }
        int begun = 0;
        ZipException left;
        Engine engine = communicator.engine();
        engine.enter();
        try {
            checkOpen(operation);
            left = communicator.checkReached(operation, target.worldRank);
            if (left == null) {
                begun = beginFirst(operation, writes, target, offset, local, at, bytes);
                if (begun < bytes) {
                    transfers++;
                }
            }
        } finally {
            engine.leave();
        }
        if (left != null) {
            communicator.run(new LeftOperation(this, operation, target.worldRank, left), timeoutNs);
        } else if (begun < bytes) {
            finish(
                    new TransferOperation(this, writes, target, offset + begun, local, at + begun, bytes - begun),
                    timeoutNs);
        }
    }

    /** Waits for the rest of a call, which counts already: whoever closes the region meanwhile waits for it. */
    private void finish(TransferOperation rest, long timeoutNs) {
        try {
            communicator.run(rest, timeoutNs);
        } finally {
            if (!rest.isBegun()) {
                Engine engine = communicator.engine();
                engine.enter();
                try {
                    transferEnds(rest);
                    lookAll();
                } finally {
                    engine.leave();
                }
            }
        }
    }

    private void check(String operation, boolean writes, Target target, long offset, ByteBuffer local) {
        if (local == null || !local.isDirect()) {
            throw communicator.badArgument(operation, local == null ? "no buffer" : "the buffer is not direct");
        }
        if (!writes && local.isReadOnly()) {
            throw communicator.badArgument(operation, "the buffer is read-only");
        }
        if (offset < 0 || offset > target.bytes || local.remaining() > target.bytes - offset) {
            throw communicator.badArgument(
                    operation,
                    local.remaining() + " bytes from offset " + offset + " on: rank " + target.rank + " exposes "
                            + target.bytes + " bytes");
        }
        String problem = local.hasRemaining() ? Payload.problem(local, local.position()) : null;
        if (problem != null) {
            throw communicator.badArgument(operation, problem);
        }
    }

    private void checkOpen(String operation) {
        if (closed) {
            throw communicator.refusal(ErrorCode.CLOSED, operation, this + " is closed");
        }
        communicator.checkOpen(operation);
    }

    private void copy(boolean writes, int offset, ByteBuffer local, int at, int bytes) {
        if (writes) {
            own.put(offset, local, at, bytes);
        } else {
            local.put(at, own, offset, bytes);
        }
    }

    private int beginFirst(
            String operation, boolean writes, Target target, long offset, ByteBuffer local, int at, int bytes) {
        try {
            return begin(writes, target, offset, local, at, bytes);
        } catch (ZipException e) {
            throw communicator.lost(operation + " in " + this, target.worldRank, e);
        }
    }

    /**
     * Begins as much as goes. Engine holder only.
     *
     * @param offset of the target's memory
     * @param at     index in {@code local}
     * @return how many bytes
     */
    int begin(boolean writes, Target target, long offset, ByteBuffer local, int at, int bytes) {
        int begun = 0;
        while (begun < bytes) {
            int part = Math.min(PART_BYTES_MAX, bytes - begun);
            long address = target.address + offset + begun;
            boolean isBegun = writes
                    ? remote.put(target.worldRank, address, target.key, local, at + begun, part, target)
                    : remote.get(target.worldRank, address, target.key, local, at + begun, part, target);
            if (!isBegun) {
                return begun;
            }
            target.inFlight++;
            all++;
            begun += part;
        }
        return begun;
    }

    // ---- waiting

    void flush(int rank, long timeoutNs) {
        flush(target("flush", rank), timeoutNs);
    }

    void flush(long timeoutNs) {
        flush(null, timeoutNs);
    }

    private void flush(Target target, long timeoutNs) {
        checkOpen("flush");
        FlushOperation idle = idleFlush.getAndSet(null);
        FlushOperation flush = idle == null ? new FlushOperation(this) : idle;
        flush.of(target);
        communicator.run(flush, timeoutNs);
        idleFlush.set(flush);
    }

    void fence(long timeoutNs) {
        checkOpen("fence");
        communicator.run(new FenceOperation(this, Signature.FENCE), timeoutNs);
    }

    /** Parts under way with one target, or all of them for null. Engine holder only. */
    int inFlight(Target target) {
        return target == null ? all : target.inFlight;
    }

    /** World rank of the member with which most is under way; -1 if nothing is. Engine holder only. */
    int busiest() {
        int most = 0;
        int found = -1;
        for (Target one : targets) {
            if (one.inFlight > most) {
                most = one.inFlight;
                found = one.worldRank;
            }
        }
        return found;
    }

    /** Calls that have begun a part of what they are to do. Engine holder only. */
    int transfers() {
        return transfers;
    }

    /** One of {@link #transfers} is over, once. */
    void transferEnds(Waiting one) {
        waiting.remove(one);
        transfers--;
    }

    /** By index, from the end: those that are done leave. */
    private void lookAll() {
        for (int i = waiting.size() - 1; i >= 0; i = Math.min(i, waiting.size()) - 1) {
            waiting.get(i).look();
        }
    }

    void waits(Waiting one) {
        waiting.add(one);
    }

    void waitsNoMore(Waiting one) {
        waiting.remove(one);
    }

    // ---- the end

    void close(long timeoutNs) {
        Engine engine = communicator.engine();
        engine.enter();
        try {
            if (closed) {
                return;
            }
            closed = true;
            if (over || !communicator.isUsable()) {
                end(false);
                return;
            }
        } finally {
            engine.leave();
        }
        boolean isAgreed = false;
        try {
            communicator.run(new FenceOperation(this, Signature.CLOSE_REGION), timeoutNs);
            isAgreed = true;
        } finally {
            engine.enter();
            try {
                end(isAgreed);
            } finally {
                engine.leave();
            }
        }
    }

    /** The communicator is closed. Engine holder only. */
    void giveUp() {
        closed = true;
        end(false);
    }

    private void end(boolean isAgreed) {
        if (over) {
            return;
        }
        over = true;
        communicator.forget(this);
        if (exposure != null && isAgreed) {
            exposure.withdraw();
        } else if (exposure != null) {
            exposure.giveUp();
        }
    }

    @Override
    public String toString() {
        return "region #" + number;
    }

    /** A handle on this with a time for each call. */
    Region handle(CallTime time) {
        return new TimedRegion(this, time);
    }
}
