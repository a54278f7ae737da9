package io.zipcomm.transport.tcp;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.wire.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Frames on a TCP connection.
 *
 * <p>Out: headers and short or heap payloads are gathered in a staging segment and leave together; a long payload in direct
 * memory leaves from where it is, in the same call of the operating system as what is staged before it.
 *
 * <p>In: what comes is read into a staging segment, except a payload for direct memory, which is read to where it belongs.
 * While such payloads come one after the other, only headers are read into the staging segment, so that they are not
 * copied.
 *
 * <p>Neither allocates once its segments exist, which is on first use. They are small until {@link #trust}, so that a
 * stranger costs little, and are given back when the stream ends.
 */
abstract class FrameStream implements StreamSocket.Listener {

    /** Payloads in direct memory up to this length are copied into the staging segment: cheaper than gathering. */
    private static final int GATHER_BYTES_MIN = 4 << 10;

    /** Remaining payloads for direct memory from this length are read there directly. */
    private static final int DIRECT_READ_BYTES_MIN = 4 << 10;

    /** After payloads of this length to direct memory only the next header is read. */
    private static final int BULK_BYTES_MIN = 16 << 10;

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
    private final OutboundFrame out = new OutboundFrame();
    private final ByteBuffer[] gather = new ByteBuffer[2];
    private Segment outStaging;
    private int outRead;
    private int outWrite;
    private Payload outPayload;
    private long outOffset;
    private int outLeft;
    private boolean flushing;
    private boolean flushAgain;
    private boolean outBlocked;
    private boolean outputClosing;
    private boolean outputClosed;

    // In.
    private final InboundFrame in = new InboundFrame();
    private Segment inStaging;
    private int inRead;
    private int inWrite;
    private boolean inFrame;
    private int inLeft;
    private long inMoved;
    private long receivedBytes;
    private boolean inputOpen;
    private boolean bulk;
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

    /** The segment to stage in from now on: as large as this stream may have, with what was staged in the one before. */
    private Segment staging(Segment before, int end) {
        int bytes = trusted ? StagingPool.LARGE_BYTES : StagingPool.SMALL_BYTES;
        if (before != null && before.capacity() == bytes) {
            return before;
        }
        Segment taken = streams.staging.take(trusted);
        if (before != null) {
            taken.bytes().put(0, before.bytes(), 0, end);
            streams.staging.give(before);
        }
        return taken;
    }

    /** Gives the segments back, unless a caller further up still works with them. */
    private void releaseStaging() {
        if (!ended || flushing || reading) {
            return;
        }
        if (outStaging != null) {
            streams.staging.give(outStaging);
            outStaging = null;
        }
        if (inStaging != null) {
            streams.staging.give(inStaging);
            inStaging = null;
        }
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
                outStaging = staging(outStaging, outWrite);
                fill();
                if (!hasOutput() || ended) {
                    return;
                }
                long wanted = (long) outWrite - outRead + (isGathered() ? outLeft : 0);
                long written = write();
                leftOfTurn -= written;
                if (written < wanted || leftOfTurn <= 0 || socket.hasOutput()) {
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
        return outWrite > outRead || outLeft > 0 || (socket != null && socket.hasOutput());
    }

    private void fill() {
        while (!ended) {
            if (outLeft > 0) {
                if (isGathered() || !stagePayload()) {
                    return;
                }
                continue;
            }
            if (outputClosing || outStaging.capacity() - outWrite < Frame.HEADER_BYTES) {
                return;
            }
            out.clear();
            if (!nextFrame(outStaging.bytes(), outWrite, out)) {
                return;
            }
            outWrite += Frame.HEADER_BYTES;
            counters.framesSent += 1 + out.followers;
            if (out.bytes > 0) {
                outPayload = out.payload;
                outOffset = out.offset;
                outLeft = out.bytes;
            }
        }
    }

    private boolean isGathered() {
        return outLeft >= GATHER_BYTES_MIN && outPayload.direct() != null;
    }

    /** Copies as much of the payload as there is room for; false if some is left. */
    private boolean stagePayload() {
        int room = outStaging.capacity() - outWrite;
        int bytes = outLeft <= room ? outLeft : room - room % outPayload.type().bytes();
        if (bytes > 0) {
            outPayload.copyOut(outOffset, outStaging, outWrite, bytes);
            outWrite += bytes;
            payloadMoved(bytes);
        }
        return outLeft == 0;
    }

    private void payloadMoved(int bytes) {
        outOffset += bytes;
        outLeft -= bytes;
        if (outLeft == 0) {
            outPayload = null;
            if (out.attachment != null) {
                payloadTaken(out);
            }
            out.clear();
        }
    }

    /** One call of the operating system. Returns how many bytes the socket took. */
    private long write() throws IOException {
        int count = 0;
        int staged = outWrite - outRead;
        if (staged > 0) {
            gather[count++] = outStaging.bytes().limit(outWrite).position(outRead);
        }
        if (isGathered()) {
            int position = (int) outOffset;
            gather[count++] = outPayload.direct().limit(position + outLeft).position(position);
        }
        long written = socket.write(gather, count);
        // Absolute access observes the limit, too.
        for (int i = 0; i < count; i++) {
            gather[i].clear();
            gather[i] = null;
        }
        counters.writeCalls++;
        if (relayed) {
            counters.relayBytesSent += written;
        } else {
            counters.directBytesSent += written;
        }
        int fromStaging = (int) Math.min(written, staged);
        outRead += fromStaging;
        if (outRead == outWrite) {
            outRead = 0;
            outWrite = 0;
        }
        if (written > fromStaging) {
            payloadMoved((int) (written - fromStaging));
        }
        return written;
    }

    /** Lets go of an outgoing payload: what is left of its frame is copied. */
    final void releaseOutbound(Object attachment) {
        if (out.attachment == null || out.attachment != attachment) {
            return;
        }
        out.attachment = null;
        out.payload = null;
        if (outLeft > 0) {
            Segment copy = Segment.allocate((outLeft + Long.BYTES - 1) / Long.BYTES * Long.BYTES);
            outPayload.copyOut(outOffset, copy, 0, outLeft);
            outPayload = Payload.of(copy.bytes());
            outOffset = 0;
        }
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
        inStaging = staging(inStaging, inWrite);
        reading = true;
        int total = 0;
        try {
            handleStaged();
            while (inputOpen && !ended && total < TURN_BYTES_MAX) {
                int wanted = wanted();
                int bytes = readInto(wanted);
                if (bytes < 0) {
                    endOfStream();
                    break;
                }
                if (bytes == 0) {
                    break;
                }
                total += bytes;
                streams.arrivedAt(this);
                handleStaged();
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

    private boolean readsDirectly() {
        return inFrame
                && inRead == inWrite
                && inLeft >= DIRECT_READ_BYTES_MIN
                && in.payload != null
                && in.payload.direct() != null;
    }

    private int wanted() {
        if (readsDirectly()) {
            return inLeft;
        }
        if (inRead == inWrite) {
            inRead = 0;
            inWrite = 0;
            if (bulk) {
                // What is left may be long all the same if nobody wants it any more.
                int rest = inFrame ? Math.min(inLeft, inStaging.capacity() - Frame.HEADER_BYTES) : 0;
                return rest + Frame.HEADER_BYTES;
            }
        }
        return inStaging.capacity() - inWrite;
    }

    private int readInto(int wanted) throws IOException {
        counters.readCalls++;
        int bytes;
        if (readsDirectly()) {
            int position = (int) (in.offset + inMoved);
            ByteBuffer target = in.payload.direct();
            bytes = socket.read(target, position, position + wanted);
            target.clear();
            if (bytes > 0) {
                inMoved += bytes;
                inLeft -= bytes;
            }
        } else {
            bytes = socket.read(inStaging.bytes(), inWrite, inWrite + wanted);
            inStaging.bytes().clear();
            if (bytes > 0) {
                inWrite += bytes;
            }
        }
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

    private void handleStaged() {
        while (inputOpen && !ended) {
            if (inFrame) {
                if (inLeft > 0 && !landStaged()) {
                    break;
                }
                inFrame = false;
                counters.framesReceived++;
                frameReceived(in);
            } else {
                if (inWrite - inRead < Frame.HEADER_BYTES || !header()) {
                    break;
                }
            }
        }
        makeRoom();
    }

    /** Begins a frame; false if it cannot be taken now. */
    private boolean header() {
        ByteBuffer bytes = inStaging.bytes();
        int at = inRead;
        String problem = Frame.problem(bytes, at);
        if (problem != null) {
            throw new ZipException(ErrorCode.PROTOCOL, problem + " on the connection of " + describe());
        }
        if (!accepts(bytes, at)) {
            setInputOpen(false);
            return false;
        }
        inRead += Frame.HEADER_BYTES;
        in.clear();
        in.bytes = Frame.payloadBytes(bytes, at);
        inFrame = true;
        inLeft = in.bytes;
        inMoved = 0;
        headerReceived(bytes, at, in);
        bulk = in.bytes >= BULK_BYTES_MIN && in.payload != null && in.payload.direct() != null;
        return true;
    }

    /** Moves staged bytes of the payload to where they belong; false if more have to come. */
    private boolean landStaged() {
        int staged = inWrite - inRead;
        int bytes = Math.min(staged, inLeft);
        if (in.payload == null) {
            inRead += bytes;
            inLeft -= bytes;
            return inLeft == 0;
        }
        if (bytes < inLeft) {
            bytes -= (int) ((inMoved + bytes) % in.payload.type().bytes());
            if (bytes <= 0) {
                return false;
            }
        }
        in.payload.copyIn(in.offset + inMoved, inStaging, inRead, bytes);
        inRead += bytes;
        inMoved += bytes;
        inLeft -= bytes;
        return inLeft == 0;
    }

    /** Moves a rest of a header or an element to the front, so that what follows it fits. */
    private void makeRoom() {
        if (inRead == inWrite) {
            inRead = 0;
            inWrite = 0;
        } else if (inputOpen && inRead > 0) {
            ByteBuffer bytes = inStaging.bytes();
            bytes.limit(inWrite).position(inRead);
            bytes.compact();
            bytes.clear();
            inWrite -= inRead;
            inRead = 0;
        }
    }

    /** Throws away what is still to come of an incoming payload. */
    final void releaseInbound(Object attachment) {
        if (inFrame && in.attachment != null && in.attachment == attachment) {
            dropInbound();
        }
    }

    /** Throws away what is still to come of the frame that is coming in. */
    final void dropInbound() {
        in.attachment = null;
        in.payload = null;
    }

    /** Payload bytes still to come of the frame that is coming in. */
    final int missingInbound() {
        return inFrame ? inLeft : 0;
    }

    /** All bytes that came in. */
    final long receivedBytes() {
        return receivedBytes;
    }

    /** Whether bytes could come in, and go out. */
    final boolean isInUse() {
        return inputOpen && !inputEnded && !outputClosing && !ended;
    }

    /** What is left of the frame that is going out is copied, whoever's it is. */
    final void detachOutbound() {
        releaseOutbound(out.attachment);
    }

    // ---- the end

    private void endOfStream() {
        if (inFrame || inWrite > inRead) {
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
