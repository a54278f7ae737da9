package io.zipcomm.transport.tcp;

import io.zipcomm.testkit.TransportContract;

/** What paths through a real relay cannot do: the relay stands between their two ends. */
abstract class RelayedContract extends TransportContract {

    private final String io;

    RelayedContract(String io) {
        this.io = io;
    }

    @Override
    protected Wiring wire(int size, long seed) {
        return TcpWiring.relayed(size, io);
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
