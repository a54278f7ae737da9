package io.zipcomm.bench.worker;

import java.io.IOException;
import java.nio.ByteBuffer;

/** As many bytes as {@link StreamExercise} moves, in pieces as long, in one direction; a byte back at the end. */
final class FloorStream implements FloorRound {

    private final FloorPath path;
    private final Stretch piece;
    private final ByteBuffer acknowledgement = ByteBuffer.allocateDirect(1);
    private String mismatch;

    FloorStream(FloorPath path, boolean sends) {
        this.path = path;
        piece = new Stretch(
                ByteBuffer.allocateDirect(StreamExercise.MESSAGE_BYTES), 0, StreamExercise.MESSAGE_BYTES, 0, 1);
        if (sends) {
            piece.write(0, true);
        }
    }

    @Override
    public long run(int iteration, boolean all) throws IOException {
        long began = System.nanoTime();
        for (int i = 0; i < StreamExercise.MESSAGES; i++) {
            piece.memory().clear();
            path.write(piece.memory());
        }
        acknowledgement.clear();
        path.read(acknowledgement);
        long elapsedNs = System.nanoTime() - began;
        if (acknowledgement.get(0) != 1) {
            mismatch = "iteration " + iteration + ": the stream did not arrive as it was sent";
        }
        return elapsedNs;
    }

    /** The other process's part: acknowledges with 1 if the last piece is right. */
    void answer() throws IOException {
        for (int i = 0; i < StreamExercise.MESSAGES; i++) {
            piece.memory().clear();
            path.read(piece.memory());
        }
        acknowledgement.clear();
        acknowledgement.put(0, (byte) (piece.mismatch(0, false) == null ? 1 : 0));
        path.write(acknowledgement);
    }

    @Override
    public String mismatch() {
        return mismatch;
    }
}
