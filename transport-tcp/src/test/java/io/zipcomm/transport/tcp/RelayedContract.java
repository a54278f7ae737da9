package io.zipcomm.transport.tcp;

import io.zipcomm.testkit.TransportContract;

/** What paths through a real relay cannot do: the relay stands between their two ends. */
abstract class RelayedContract extends TransportContract {

    private final String io;
    private final Way.Kind way;

    RelayedContract(String io) {
        this(io, Way.Kind.ZIP);
    }

    RelayedContract(String io, Way.Kind way) {
        this.io = io;
        this.way = way;
    }

    @Override
    protected Wiring wire(int size, long seed) {
        return TcpWiring.relayed(size, io, way);
    }

    /** A relay sends whole frames. */
    @Override
    protected Wiring wireInPieces(int size, long seed) {
        return TcpWiring.relayedInPieces(size, io, way);
    }

    @Override
    protected boolean isRelayed() {
        return true;
    }

    @Override
    protected boolean noticesBreaks() {
        return false;
    }

    @Override
    protected boolean tellsRegularEnds() {
        return false;
    }

    @Override
    protected boolean seesMalformedFrames() {
        return false;
    }

    @Override
    protected boolean countsExactly() {
        return false;
    }

    @Override
    protected int bytesUnderWayMax() {
        return 2 << 20;
    }
}
