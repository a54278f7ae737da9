package io.zipcomm.internal;

import io.zipcomm.error.ZipException;
import java.nio.ByteBuffer;

/** A put or get that waits for room to begin. */
final class TransferOperation extends RegionOperation {

    private final boolean writes;
    private final GroupRegion.Target target;
    private final long offset;
    private final ByteBuffer local;
    private final int at;
    private final int bytes;
    private int begun;
    private boolean isBegun;

    /** What is left of one call, which the region counts. */
    TransferOperation(
            GroupRegion region,
            boolean writes,
            GroupRegion.Target target,
            long offset,
            ByteBuffer local,
            int at,
            int bytes) {
        super(region);
        this.writes = writes;
        this.target = target;
        this.offset = offset;
        this.local = local;
        this.at = at;
        this.bytes = bytes;
    }

    @Override
    protected void begin() {
        isBegun = true;
        region().waits(this);
        look();
    }

    /** Whether this tells the region when it is over. */
    boolean isBegun() {
        return isBegun;
    }

    @Override
    public void look() {
        if (isDone()) {
            return;
        }
        try {
            begun += region().begin(writes, target, offset + begun, local, at + begun, bytes - begun);
        } catch (ZipException e) {
            fail(e);
            return;
        }
        if (begun == bytes) {
            region().transferEnds(this);
            succeed();
        }
    }

    @Override
    protected void withdraw() {
        region().transferEnds(this);
    }

    @Override
    protected int awaitedPeer() {
        return target.worldRank();
    }

    @Override
    public String describe() {
        return (writes ? "put to rank " : "get from rank ") + target.worldRank() + " in " + region()
                + communicator().suffix();
    }

    @Override
    protected String awaited() {
        return "room to begin " + (bytes - begun) + " of " + bytes + " bytes";
    }
}
