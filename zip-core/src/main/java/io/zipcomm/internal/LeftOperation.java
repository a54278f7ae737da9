package io.zipcomm.internal;

import io.zipcomm.error.ZipException;

/** A put or get to a member that has left. It may have left because of another's death, of which this rank is told a moment later. */
final class LeftOperation extends RegionOperation {

    private final String operation;
    private final int worldRank;
    private final ZipException refusal;
    private long untilNs;

    /** Fails with the refusal if no better reason comes in time. */
    LeftOperation(GroupRegion region, String operation, int worldRank, ZipException refusal) {
        super(region);
        this.operation = operation;
        this.worldRank = worldRank;
        this.refusal = refusal;
    }

    @Override
    protected void begin() {
        untilNs = communicator().engine().nowNs() + ExchangeOperation.REASON_GRACE_NS;
    }

    @Override
    protected void timer(long nowNs) {
        if (nowNs - untilNs >= 0) {
            fail(refusal);
        }
    }

    @Override
    public void look() {}

    @Override
    protected void withdraw() {}

    @Override
    protected int awaitedPeer() {
        return worldRank;
    }

    @Override
    public String describe() {
        return operation + " to rank " + worldRank + " in " + region()
                + communicator().suffix();
    }

    @Override
    protected String awaited() {
        return "the reason for which it left";
    }
}
