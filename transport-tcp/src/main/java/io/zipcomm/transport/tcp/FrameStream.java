package io.zipcomm.transport.tcp;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.TransportCounters;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Frames on a TCP connection: a {@link FrameWriter} and a {@link FrameReader}, when they have their turn, and the end.
 *
 * <p>Neither allocates once its staging segment exists, which is on first use. These are small until {@link #trust}, so that
 * a stranger costs little, and are given back when the stream ends.
 */
abstract class FrameStream implements StreamSocket.Listener {

    /** Bytes read in one turn, so that one busy connection does not keep the others waiting. */
    private static final int TURN_BYTES_MAX = 1 << 20;

    /** Bytes written in one turn: a peer that takes everything at once must not keep this end from reading. */
    private static final int WRITE_TURN_BYTES_MAX = 4 << 20;

    private final Streams streams;
    private final TransportCounters counters;
    private final boolean relayed;
    private boolean trusted;
    private StreamSocket socket;

    // Out.
    private final FrameWriter writer;
    private boolean flushing;
    private boolean flushAgain;
    private boolean outBlocked;
    private boolean outputClosing;
    private boolean outputClosed;

    // In.
    private final FrameReader reader;
    private long receivedBytes;
    private boolean inputOpen;
    private boolean reading;
    private boolean inputEnded;

    private boolean ended;

    /**
     * @param streams what the connections of this transport share
     * @param relayed whether to count as the relay's connection, which is trusted from the start
     */
    FrameStream(Streams streams, boolean relayed) {
        this.streams = streams;
        counters = streams.counters;
        this.relayed = relayed;
        trusted = relayed;
        writer = new FrameWriter(this, streams);
        reader = new FrameReader(this, streams);
    }

    final void open(StreamSocket connected) {
        socket = connected;
        streams.opened(this);
        inputOpen = true;
        updateInterest();
        if (connected.hasInput()) {
            streams.readLater(this);
        }
    }

    final StreamSocket socket() {
        return socket;
    }

    final Streams streams() {
        return streams;
    }

    final boolean isEnded() {
        return ended;
    }

    /** The other end has proved who it is: it may have large segments. */
    final void trust() {
        trusted = true;
    }

    /** Gives the segments back, unless a caller further up still works with them. */
    private void releaseStaging() {
        if (!ended || flushing || reading) {
            return;
        }
        writer.giveBack();
        reader.giveBack();
    }

    /** Whether frames are read. */
    final boolean takesInput() {
        return inputOpen;
    }

    /** Whether frames are read and handled. */
    final boolean takesFrames() {
        return inputOpen && !ended;
    }

    /** Whether no more frames are to be taken. */
    final boolean isOutputClosing() {
        return outputClosing;
    }

    // ---- what a connection does with its frames

    /** As {@link io.zipcomm.transport.FrameHandler#nextFrame}. */
    abstract boolean nextFrame(ByteBuffer header, int at, OutboundFrame frame);

    /** As {@link io.zipcomm.transport.FrameHandler#payloadTaken}. */
    abstract void payloadTaken(OutboundFrame frame);

    /** As {@link io.zipcomm.transport.FrameHandler#headerReceived}. */
    abstract void headerReceived(ByteBuffer header, int at, InboundFrame frame);

    /** As {@link io.zipcomm.transport.FrameHandler#frameReceived}. */
    abstract void frameReceived(InboundFrame frame);

    /**
     * No more comes in: null if the other end closed its output between two frames, and then this end may go on sending;
     * otherwise the stream is over. A stream that ended regularly may break afterwards.
     */
    abstract void streamEnded(ZipException failure);

    /** Whether the frame that comes next can be taken now. If not it stays unread, as does all behind it. */
    boolean accepts(ByteBuffer header, int at) {
        return true;
    }

    /** For errors: whose connection this is. */
    abstract String describe();

    // ---- out

    /** Takes frames and writes them until there are none or the socket takes no more. */
    final void flushStream() {
        if (flushing) {
            flushAgain = true;
            return;
        }
        if (socket == null || outBlocked || ended || outputClosed) {
            return;
        }
        flushing = true;
        try {
            do {
                flushAgain = false;
                writeAll();
            } while (flushAgain && !outBlocked && !ended);
        } finally {
            flushing = false;
            releaseStaging();
        }
        if (outputClosing && !hasOutput() && !ended) {
            shutdown();
        }
    }

    private void writeAll() {
        try {
            long leftOfTurn = WRITE_TURN_BYTES_MAX;
            while (!ended) {
                writer.fill(trusted);
                if (!hasOutput() || ended) {
                    return;
                }
                long offered = writer.offered();
                long written = write();
                leftOfTurn -= written;
                if (written < offered || leftOfTurn <= 0 || socket.hasOutput()) {
                    setBlocked(true);
                    updateInterest();
                    return;
                }
            }
        } catch (IOException e) {
            broken(e);
        } catch (ZipException e) {
            end(e);
        } catch (RuntimeException e) {
            end(new ZipException(ErrorCode.INTERNAL, "a frame for " + describe() + " could not be made: " + e, e));
        }
    }

    private void setBlocked(boolean now) {
        if (now != outBlocked) {
            outBlocked = now;
            streams.blocked(now);
        }
    }

    /** Whether there is something of the frames taken so far that the socket has not taken yet. */
    final boolean hasOutput() {
        return writer.hasOutput() || (socket != null && socket.hasOutput());
    }

    private long write() throws IOException {
        long written = writer.write(socket);
        counters.writeCalls++;
        if (relayed) {
            counters.relayBytesSent += written;
        } else {
            counters.directBytesSent += written;
        }
        return written;
    }

    /** Lets go of an outgoing payload: what is left of its frame is copied. */
    final void releaseOutbound(Object attachment) {
        writer.release(attachment);
    }

    /** What is left of the frame that is going out is copied, whoever's it is. */
    final void detachOutbound() {
        writer.detach();
    }

    /** After what is queued, no more. */
    final void closeStreamOutput() {
        outputClosing = true;
        flushStream();
    }

    private void shutdown() {
        if (outputClosed || socket == null) {
            return;
        }
        outputClosed = true;
        try {
            socket.shutdownOutput();
            closeIfDone();
        } catch (IOException e) {
            broken(e);
        }
    }

    // ---- in

    /** Whether frames are read. What was read before stays where it is. */
    final void setInputOpen(boolean open) {
        inputOpen = open;
        if (!open) {
            streams.notReadable(this);
        }
        updateInterest();
    }

    @Override
    public void ready(boolean readable, boolean writable) {
        if (writable && outBlocked) {
            setBlocked(false);
            updateInterest();
            flushStream();
        }
        if (readable) {
            readSome();
        }
    }

    /** Reads and handles what there is, within the bounds of a turn. Returns the number of bytes. */
    final int readSome() {
        if (ended || inputEnded || !inputOpen || reading || socket == null) {
            return 0;
        }
        reader.begin(trusted);
        reading = true;
        int total = 0;
        try {
            reader.handleStaged();
            while (inputOpen && !ended && total < TURN_BYTES_MAX) {
                int wanted = reader.wanted();
                int bytes = read(wanted);
                if (bytes < 0) {
                    endOfStream();
                    break;
                }
                if (bytes == 0) {
                    break;
                }
                total += bytes;
                streams.arrivedAt(this);
                reader.handleStaged();
                if (bytes < wanted) {
                    break;
                }
            }
        } catch (IOException e) {
            broken(e);
        } catch (ZipException e) {
            end(e);
        } catch (RuntimeException e) {
            end(new ZipException(ErrorCode.INTERNAL, "a frame of " + describe() + " could not be handled: " + e, e));
        } finally {
            reading = false;
            releaseStaging();
        }
        if (inputOpen && !ended && !inputEnded && socket.hasInput()) {
            streams.readLater(this);
        }
        return total;
    }

    private int read(int wanted) throws IOException {
        counters.readCalls++;
        int bytes = reader.read(socket, wanted);
        if (bytes > 0) {
            receivedBytes += bytes;
            if (relayed) {
                counters.relayBytesReceived += bytes;
            } else {
                counters.directBytesReceived += bytes;
            }
        }
        return bytes;
    }

    /** Throws away what is still to come of an incoming payload. */
    final void releaseInbound(Object attachment) {
        reader.release(attachment);
    }

    /** Throws away what is still to come of the frame that is coming in. */
    final void dropInbound() {
        reader.drop();
    }

    /** Payload bytes still to come of the frame that is coming in. */
    final int missingInbound() {
        return reader.missing();
    }

    /** All bytes that came in. */
    final long receivedBytes() {
        return receivedBytes;
    }

    /** Whether bytes could come in, and go out. */
    final boolean isInUse() {
        return inputOpen && !inputEnded && !outputClosing && !ended;
    }

    // ---- the end

    private void endOfStream() {
        if (reader.isAmidFrame()) {
            end(new ZipException(ErrorCode.PEER_LOST, "connection of " + describe() + " ended inside a frame"));
        } else {
            inputEnded = true;
            streams.notReadable(this);
            updateInterest();
            closeIfDone();
            streamEnded(null);
        }
    }

    /** Nobody answers at the other end. */
    final void lost(String reason) {
        end(new ZipException(ErrorCode.PEER_LOST, "connection of " + describe() + " is lost: " + reason));
    }

    private void broken(IOException e) {
        end(new ZipException(ErrorCode.PEER_LOST, "connection of " + describe() + " broke: " + e.getMessage(), e));
    }

    private void end(ZipException failure) {
        if (ended) {
            return;
        }
        breakStream();
        if (!streams.isClosed()) {
            streamEnded(failure);
        }
    }

    /** Ends without telling anyone here. The other end sees a regular end if what it got last was a whole frame. */
    final void closeStream() {
        ended = true;
        setBlocked(false);
        streams.notReadable(this);
        if (socket != null) {
            socket.close();
            streams.closed(this);
        }
        releaseStaging();
    }

    /** Both ends have said all: nothing more can happen. */
    private void closeIfDone() {
        if (inputEnded && outputClosed && !ended) {
            closeStream();
        }
    }

    /** As {@link #closeStream}, but unless the output was closed before, the other end sees that the stream broke. */
    final void breakStream() {
        if (socket != null && !outputClosed && !ended) {
            socket.abort();
        }
        closeStream();
    }

    final void updateInterest() {
        if (socket != null && !ended) {
            socket.interest(inputOpen && !inputEnded, outBlocked);
        }
    }
}
