package io.zipcomm.transport.aeron;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;

/** What a rank was told of one peer; counts frames on the path to it. */
final class Outcomes implements PathEvents, FrameHandler {
    Path path;
    int opened;
    String reason;
    int received;
    ZipException failure;
    boolean isInOrder = true;
    private int toSend;

    /** What goes out with each frame; null for nothing. */
    private Payload payload;

    private int sharers;
    private int sent;

    void send(int frames) {
        toSend += frames;
        path.flush();
    }

    /** Sends one frame that some peers get alike. */
    void share(Payload what, int peers) {
        payload = what;
        sharers = peers;
        send(1);
    }

    @Override
    public void opened(Path one) {
        path = one;
        opened++;
        one.bind(this);
        one.openInput();
    }

    @Override
    public void unreachable(int peer, String why) {
        reason = why;
    }

    @Override
    public void punchWanted(int peer) {
        throw new AssertionError("nobody is behind a NAT here");
    }

    @Override
    public void relayLost(String why) {
        throw new AssertionError(why);
    }

    @Override
    public boolean nextFrame(Path from, ByteBuffer header, int at, OutboundFrame out) {
        if (toSend == 0) {
            return false;
        }
        toSend--;
        Frame.begin(header, at, FrameType.EAGER);
        Frame.context(header, at, sent++);
        if (payload != null) {
            out.payload = payload;
            out.bytes = (int) payload.bytes();
            out.share = 1;
            out.sharers = sharers;
            Frame.payloadBytes(header, at, out.bytes);
            Frame.messageBytes(header, at, out.bytes);
        }
        return true;
    }

    @Override
    public void payloadTaken(OutboundFrame out) {}

    @Override
    public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {
        isInOrder &= Frame.context(header, at) == received;
    }

    @Override
    public void frameReceived(Path from, InboundFrame in) {
        received++;
    }

    @Override
    public void ended(Path one, ZipException why) {
        failure = why;
    }

    @Override
    public String toString() {
        return "opened " + opened + ", " + reason + ", received " + received + ", " + failure;
    }
}
