package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;

/** Waits for something of a region that only this rank waits for. Its failure is one of all members, as a collective's. */
abstract class RegionOperation extends Operation implements GroupRegion.Waiting {

    private final GroupRegion region;

    RegionOperation(GroupRegion region) {
        super(region.communicator());
        this.region = region;
    }

    final GroupRegion region() {
        return region;
    }

    @Override
    public void lost(int worldRank, String reason) {
        fail(ErrorCode.PEER_LOST, worldRank, reason, null);
    }

    /** Some providers have no room for a while though nothing of this region is under way. */
    @Override
    protected void timer(long nowNs) {
        look();
    }

    @Override
    protected boolean isCollective() {
        return true;
    }
}
