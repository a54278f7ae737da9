package io.zipcomm.transport.tcp;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A path through the relay on which every frame is encrypted, header and payload, as the payload of a SEALED frame. Its handler hears
 * of a frame when all of it has come in and was found to be what the peer sealed.
 *
 * <p>Each frame is copied once more at either end than without. Nothing is allocated for it but what the Java platform's cipher needs
 * itself.
 */
final class SealedPath implements Path, FrameHandler {

    private final Path path;
    private final Seal seal;
    private final SealedPaths shared;
    private final OutboundFrame out = new OutboundFrame();
    private final InboundFrame in = new InboundFrame();

    /** Header of the frame that is going out, or has come in, as it is on its way. */
    private final ByteBuffer outHeader = newHeader();

    private final ByteBuffer inHeader = newHeader();

    // Of what is to go out: frames that leave together behind the first, which go one by one.
    private long followersAt;
    private int followersLeft;

    private FrameHandler handler;
    private boolean closed;

    SealedPath(Path path, Seal seal, SealedPaths shared) {
        this.path = path;
        this.seal = seal;
        this.shared = shared;
    }

    private static ByteBuffer newHeader() {
        return ByteBuffer.allocate(Frame.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    boolean isAround(Path other) {
        return path == other;
    }

    @Override
    public int peer() {
        return path.peer();
    }

    @Override
    public String name() {
        return path.name();
    }

    /** The view that the path was made from leaves room for the seal. */
    @Override
    public int fragmentBytesMax() {
        return path.fragmentBytesMax();
    }

    @Override
    public boolean isForgettable() {
        return path.isForgettable();
    }

    /** The handler never hears of a frame of which something is missing. */
    @Override
    public int missingBytes() {
        return 0;
    }

    @Override
    public void bind(FrameHandler frames) {
        handler = frames;
        path.bind(this);
    }

    @Override
    public void openInput() {
        path.openInput();
    }

    @Override
    public void flush() {
        path.flush();
    }

    /** What comes in is under way to its place only while its header is being handled. */
    @Override
    public void release(Object attachment) {
        if (in.attachment == attachment) {
            in.payload = null;
            in.attachment = null;
        }
        if (followersLeft > 0 && out.attachment == attachment) {
            byte[] rest = new byte[followersLeft];
            for (int done = 0; done < rest.length; ) {
                int bytes = Math.min(rest.length - done, shared.plainOut.length - Frame.HEADER_BYTES);
                copyOut(followersAt + done, rest, done, bytes);
                done += bytes;
            }
            out.payload = Payload.of(rest);
            out.attachment = null;
            followersAt = 0;
        }
    }

    @Override
    public void closeOutput() {
        path.closeOutput();
    }

    @Override
    public void close() {
        closed = true;
        path.close();
    }

    // ---- out

    @Override
    public boolean nextFrame(Path from, ByteBuffer header, int at, OutboundFrame frame) {
        int payloadBytes = followersLeft > 0 ? nextFollower(header, at) : nextOfHandler(header, at);
        if (payloadBytes < 0) {
            return false;
        }
        int plainBytes = Frame.HEADER_BYTES + payloadBytes;
        header.get(at, shared.plainOut, 0, Frame.HEADER_BYTES);
        wrap(header, at, plainBytes + Frame.SEAL_BYTES);
        outHeader.put(0, header, at, Frame.HEADER_BYTES);
        seal.seal(outHeader, shared.plainOut, plainBytes, shared.sealedOut);
        frame.payload = shared.sealedOutPayload;
        frame.offset = 0;
        frame.bytes = plainBytes + Frame.SEAL_BYTES;
        if (followersLeft == 0 && out.attachment != null) {
            handler.payloadTaken(out);
            out.clear();
        }
        return true;
    }

    /** Copies the handler's next frame. Answers its payload bytes, or -1 if there is none. */
    private int nextOfHandler(ByteBuffer header, int at) {
        out.clear();
        if (!handler.nextFrame(this, header, at, out)) {
            return -1;
        }
        int bytes = Frame.payloadBytes(header, at);
        if (bytes > 0) {
            copyOut(out.offset, shared.plainOut, Frame.HEADER_BYTES, bytes);
        } else {
            out.attachment = null;
        }
        followersAt = out.offset + bytes;
        followersLeft = out.followers > 0 ? out.bytes - bytes : 0;
        return bytes;
    }

    /** Copies the next of the frames that were given out behind the last. Answers its payload bytes. */
    private int nextFollower(ByteBuffer header, int at) {
        copyOut(followersAt, shared.plainOut, 0, Frame.HEADER_BYTES);
        header.put(at, shared.plainOut, 0, Frame.HEADER_BYTES);
        int bytes = Frame.payloadBytes(header, at);
        if (bytes > 0) {
            copyOut(followersAt + Frame.HEADER_BYTES, shared.plainOut, Frame.HEADER_BYTES, bytes);
        }
        followersAt += Frame.HEADER_BYTES + bytes;
        followersLeft -= Frame.HEADER_BYTES + bytes;
        return bytes;
    }

    private void copyOut(long offset, byte[] to, int index, int bytes) {
        ByteBuffer memory = out.payload.direct();
        if (memory == null) {
            out.payload.copyOut(offset, shared.staging, 0, bytes);
            shared.staging.bytes().clear().get(0, to, index, bytes);
        } else {
            memory.clear().get((int) offset, to, index, bytes);
        }
    }

    /** Makes the header of a SEALED frame of what is that of a link frame. */
    private void wrap(ByteBuffer header, int at, int payloadBytes) {
        int epoch = Frame.epoch(header, at);
        int source = Frame.source(header, at);
        Frame.begin(header, at, FrameType.SEALED);
        Frame.epoch(header, at, epoch);
        Frame.source(header, at, source);
        Frame.destination(header, at, peer());
        Frame.payloadBytes(header, at, payloadBytes);
        seal.stamp(header, at);
    }

    /** Never called: frames go out without an attachment. */
    @Override
    public void payloadTaken(OutboundFrame frame) {
        throw new IllegalStateException("a sealed payload has no owner");
    }

    // ---- in

    @Override
    public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame frame) {
        if (Frame.type(header, at) != FrameType.SEALED.number()) {
            throw new ZipException(
                    ErrorCode.CORRUPT,
                    "a frame that is not encrypted came through the relay: " + Frame.describe(header, at));
        }
        if (frame.bytes > shared.sealedIn.length) {
            throw new ZipException(
                    ErrorCode.CORRUPT,
                    "encrypted frame of " + frame.bytes + " bytes from rank " + peer() + ", the longest has "
                            + shared.sealedIn.length);
        }
        inHeader.put(0, header, at, Frame.HEADER_BYTES);
        frame.payload = shared.sealedInPayload;
        frame.offset = 0;
    }

    @Override
    public void frameReceived(Path from, InboundFrame frame) {
        try {
            boolean isNext = seal.open(inHeader, shared.sealedIn, frame.bytes, shared.plainIn);
            land(frame.bytes - Frame.SEALED_BYTES, isNext);
        } catch (ZipException e) {
            refused(e);
        } catch (RuntimeException e) {
            refused(new ZipException(ErrorCode.INTERNAL, "a frame of rank " + peer() + " failed: " + e, e));
        }
    }

    private void refused(ZipException reason) {
        in.clear();
        close();
        handler.ended(this, reason);
    }

    /** Hands on the frame that was decrypted. */
    private void land(int payloadBytes, boolean isNext) {
        ByteBuffer header = shared.plainInHeader;
        String problem = Frame.problem(header, 0);
        FrameType type = FrameType.of(Frame.type(header, 0));
        if (problem != null || type == FrameType.SEALED || Frame.payloadBytes(header, 0) != payloadBytes) {
            throw new ZipException(
                    ErrorCode.PROTOCOL,
                    "from rank " + peer() + ", encrypted: " + (problem != null ? problem : Frame.describe(header, 0)));
        }
        in.clear();
        in.bytes = payloadBytes;
        try {
            handler.headerReceived(this, header, 0, in);
        } catch (ZipException e) {
            throw isNext || e.code() != ErrorCode.PROTOCOL ? e : missing(e);
        }
        if (closed) {
            in.clear();
            return;
        }
        if (in.payload != null && payloadBytes > 0) {
            copyIn(in.payload, payloadBytes);
        }
        handler.frameReceived(this, in);
    }

    /** After a loss that the handler knows of it would have taken the frame. */
    private ZipException missing(ZipException refusal) {
        return new ZipException(
                ErrorCode.CORRUPT,
                "encrypted frames from rank " + peer() + " were dropped or moved on their way through the relay: "
                        + refusal.reason(),
                refusal);
    }

    private void copyIn(Payload payload, int bytes) {
        ByteBuffer memory = payload.direct();
        if (memory == null) {
            shared.staging.bytes().clear().put(0, shared.plainIn, Frame.HEADER_BYTES, bytes);
            payload.copyIn(in.offset, shared.staging, 0, bytes);
        } else {
            memory.clear().put((int) in.offset, shared.plainIn, Frame.HEADER_BYTES, bytes);
        }
    }

    @Override
    public void ended(Path from, ZipException failure) {
        handler.ended(this, failure);
    }
}
