package io.zipcomm.bench.worker;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Some bytes to the other process and back. */
final class FloorPingPong implements FloorRound {

    private final FloorSocket socket;
    private final Region sent;
    private final Region received;
    private String mismatch;

    FloorPingPong(FloorSocket socket, int bytes) {
        this.socket = socket;
        sent = new Region(ByteBuffer.allocateDirect(bytes), 0, bytes, 0, 1);
        received = new Region(ByteBuffer.allocateDirect(bytes), 0, bytes, 0, 1);
    }

    @Override
    public void prepare(int iteration, boolean all) {
        sent.write(iteration, all);
        received.poison(iteration, all);
    }

    @Override
    public long run(int iteration, boolean all) throws IOException {
        sent.memory().clear();
        received.memory().clear();
        long began = System.nanoTime();
        socket.write(sent.memory());
        socket.read(received.memory());
        long elapsedNs = System.nanoTime() - began;
        mismatch = mismatch == null ? received.mismatch(iteration, all) : mismatch;
        return elapsedNs;
    }

    /** The other process's part. */
    void answer() throws IOException {
        ByteBuffer buffer = received.memory();
        buffer.clear();
        socket.read(buffer);
        buffer.flip();
        socket.write(buffer);
    }

    @Override
    public String mismatch() {
        return mismatch;
    }
}
