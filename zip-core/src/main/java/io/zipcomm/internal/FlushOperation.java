package io.zipcomm.internal;

/** Waits until what was begun has ended. */
final class FlushOperation extends RegionOperation {

    private GroupRegion.Target target;

    FlushOperation(GroupRegion region) {
        super(region);
    }

    /**
     * Before each run.
     *
     * @param one null for all
     */
    void of(GroupRegion.Target one) {
        target = one;
    }

    @Override
    protected void begin() {
        if (region().inFlight(target) == 0) {
            succeed();
        } else {
            region().waits(this);
        }
    }

    @Override
    public void look() {
        if (!isDone() && region().inFlight(target) == 0) {
            region().waitsNoMore(this);
            succeed();
        }
    }

    @Override
    protected void withdraw() {
        region().waitsNoMore(this);
    }

    @Override
    protected int awaitedPeer() {
        return target == null ? region().busiest() : target.worldRank();
    }

    @Override
    public String describe() {
        String who = target == null ? "" : " of rank " + target.worldRank();
        return "flush" + who + " in " + region() + communicator().suffix();
    }

    @Override
    protected String awaited() {
        return "the end of " + region().inFlight(target) + " operations";
    }
}
