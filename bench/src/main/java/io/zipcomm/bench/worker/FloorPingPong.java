package io.zipcomm.bench.worker;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Some bytes to the other process and back. */
final class FloorPingPong implements FloorRound {

    private final FloorPath path;
    private final Stretch sent;
    private final Stretch received;
    private String mismatch;

    FloorPingPong(FloorPath path, int bytes) {
        this.path = path;
        sent = new Stretch(ByteBuffer.allocateDirect(bytes), 0, bytes, 0, 1);
        received = new Stretch(ByteBuffer.allocateDirect(bytes), 0, bytes, 0, 1);
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
        path.write(sent.memory());
        path.read(received.memory());
        long elapsedNs = System.nanoTime() - began;
        mismatch = mismatch == null ? received.mismatch(iteration, all) : mismatch;
        return elapsedNs;
    }

    /** The other process's part. */
    void answer() throws IOException {
        ByteBuffer buffer = received.memory();
        buffer.clear();
        path.read(buffer);
        buffer.flip();
        path.write(buffer);
    }

    @Override
    public String mismatch() {
        return mismatch;
    }
}
