package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;

/** Waits until all that members have begun in a region has ended. */
final class FenceOperation extends ExchangeOperation implements GroupRegion.Waiting {

    private final GroupRegion region;

    /**
     * One call.
     *
     * @param kind {@link Signature#FENCE} or {@link Signature#CLOSE_REGION}
     */
    FenceOperation(GroupRegion region, int kind) {
        super(region.communicator(), Signature.of(kind, null, 0, 0, region.number(), 0, 0), 1);
        this.region = region;
    }

    @Override
    void begun() {
        region.waits(this);
        look();
    }

    @Override
    public void look() {
        if (!isDone() && !isExchanging() && region.inFlight(null) == 0 && region.transfers() == 0) {
            region.waitsNoMore(this);
            exchange();
        }
    }

    @Override
    public void lost(int worldRank, String reason) {
        fail(ErrorCode.PEER_LOST, worldRank, reason, null);
    }

    @Override
    void exchanged() {
        succeed();
    }

    @Override
    protected void withdraw() {
        super.withdraw();
        region.waitsNoMore(this);
    }

    @Override
    protected String awaited() {
        return isExchanging() ? super.awaited() : "the end of " + region.inFlight(null) + " operations";
    }

    @Override
    protected int awaitedPeer() {
        return isExchanging() ? super.awaitedPeer() : region.busiest();
    }
}
