package io.zipcomm.transport.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * Something wrapped around the bytes of another socket. What it makes of output waits in a buffer until the socket under it
 * takes it; whoever is above is told of room only when that buffer is empty.
 */
abstract class LayeredSocket implements StreamSocket, StreamSocket.Listener {

    private static final Listener NOBODY = (readable, writable) -> {};

    private final StreamSocket under;

    /** Output that is ready for the socket under this one, from {@link #outRead} to {@link #outWrite}. */
    private final ByteBuffer out;

    private final ByteBuffer[] one = new ByteBuffer[1];
    private int outRead;
    private int outWrite;

    private Listener above = NOBODY;
    private boolean reads;
    private boolean writes;
    private boolean outputClosing;
    private boolean closed;

    /** What went wrong while nobody above was calling. */
    private IOException failure;

    /**
     * @param under    connected; owned by this from now on
     * @param outBytes of the buffer for output
     */
    LayeredSocket(StreamSocket under, int outBytes) {
        this.under = under;
        out = ByteBuffer.allocateDirect(outBytes);
    }

    /** Who is told from now on. */
    final void above(Listener listener) {
        above = listener;
    }

    final StreamSocket under() {
        return under;
    }

    /** One step of the handshake, without blocking: true once it is through. */
    abstract boolean handshake() throws IOException;

    /** Whether bytes that were read from the socket under this one can be handed on without reading more. */
    abstract boolean hasOwnInput();

    /** Puts the last words into the output; there is room for them. */
    abstract void sayEnd() throws IOException;

    /** The output has ended, and all of it has gone to the socket under this one. */
    abstract void outputEnded() throws IOException;

    /** Whether something has to go by itself. */
    boolean hasOwnOutput() {
        return false;
    }

    /** Puts what has to go by itself into the empty output. */
    void addOwnOutput() {
        // Nothing by default.
    }

    // ---- output

    /** The buffer for output, to be filled from its position to its limit; then {@link #filled}. */
    final ByteBuffer room() {
        return out.limit(out.capacity()).position(outWrite);
    }

    final int roomBytes() {
        return out.capacity() - outWrite;
    }

    /** The buffer has been filled up to its position. */
    final void filled() {
        outWrite = out.position();
        out.clear();
    }

    /** Whether output waits here. */
    final boolean isPending() {
        return outWrite > outRead;
    }

    /** Gives the socket under this one what it takes: true if nothing is left. */
    final boolean flush() throws IOException {
        if (!drain()) {
            return false;
        }
        if (hasOwnOutput()) {
            addOwnOutput();
            if (!drain()) {
                return false;
            }
        }
        if (outputClosing) {
            outputClosing = false;
            outputEnded();
        }
        return true;
    }

    private boolean drain() throws IOException {
        while (outRead < outWrite) {
            one[0] = out.limit(outWrite).position(outRead);
            long written = under.write(one, 1);
            out.clear();
            outRead += (int) written;
            if (written == 0) {
                return false;
            }
        }
        outRead = 0;
        outWrite = 0;
        return true;
    }

    @Override
    public final boolean hasOutput() {
        return !closed && (isPending() || under.hasOutput());
    }

    @Override
    public final boolean hasInput() {
        return !closed && (hasOwnInput() || under.hasInput());
    }

    /** What failed while nobody was calling is thrown to the next one who does. */
    final void checkFailure() throws IOException {
        if (failure != null) {
            throw failure;
        }
    }

    // ---- events

    @Override
    public final void ready(boolean readable, boolean writable) {
        boolean roomAbove = writable;
        boolean broken = false;
        if (writable && (isPending() || hasOwnOutput())) {
            try {
                roomAbove = flush();
            } catch (IOException e) {
                failure = e;
                broken = true;
                outRead = outWrite;
            }
            refresh();
        }
        above.ready((readable || broken) && reads, roomAbove && writes);
    }

    @Override
    public final void interest(boolean readable, boolean writable) {
        reads = readable;
        writes = writable;
        refresh();
    }

    /** Asks for what is of interest above and here. */
    final void refresh() {
        if (!closed) {
            under.interest(reads, writes || isPending() || hasOwnOutput());
        }
    }

    // ---- the end

    @Override
    public final boolean finishConnect() {
        return true;
    }

    @Override
    public final void shutdownOutput() throws IOException {
        checkFailure();
        sayEnd();
        outputClosing = true;
        if (!flush()) {
            refresh();
        }
    }

    @Override
    public final void moveTo(Poller poller) throws IOException {
        under.moveTo(poller);
    }

    @Override
    public final InetSocketAddress local() {
        return under.local();
    }

    @Override
    public final InetSocketAddress remote() {
        return under.remote();
    }

    @Override
    public final void close() {
        if (!closed) {
            try {
                if (failure == null) {
                    sayEnd();
                    flush();
                }
            } catch (IOException e) {
                org.slf4j.LoggerFactory.getLogger(LayeredSocket.class).debug("the other end was gone first", e);
            }
            closed = true;
            under.close();
        }
    }

    @Override
    public final void abort() {
        closed = true;
        under.abort();
    }
}
