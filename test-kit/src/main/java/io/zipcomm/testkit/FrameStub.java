package io.zipcomm.testkit;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/** One end of a path under test: sends what it is given, keeps what comes in, and checks what can be checked on the way. */
final class FrameStub implements FrameHandler {

    private static final int CONTEXT = 5;

    /** A frame to send, and what became of it. */
    static final class Sent {
        final FrameType type;
        final Memory memory;
        final int offset;
        final int bytes;
        final long messageBytes;
        Consumer<ByteBuffer> spoil;
        boolean asked;
        boolean taken;
        boolean released;

        Sent(FrameType type, Memory memory, int offset, int bytes, long messageBytes) {
            this.type = type;
            this.memory = memory;
            this.offset = offset;
            this.bytes = bytes;
            this.messageBytes = messageBytes;
        }

        boolean isUnderWay() {
            return asked && bytes > 0 && !taken && !released;
        }
    }

    /** A frame that came in. */
    static final class Received {
        final long sequence;
        final int bytes;
        /** Null if the payload was thrown away. */
        final Memory memory;

        boolean whole;
        boolean released;

        Received(long sequence, int bytes, Memory memory) {
            this.sequence = sequence;
            this.bytes = bytes;
            this.memory = memory;
        }
    }

    final Path path;
    final Queue<Sent> toSend = new ArrayDeque<>();
    final List<Sent> sent = new ArrayList<>();
    final List<Received> received = new ArrayList<>();
    final List<String> breaches = new ArrayList<>();

    /** Gives memory for a payload of a length; null to throw it away. */
    IntFunction<Memory> memory = bytes -> Memory.allocate(Memory.Kind.BYTES, bytes);

    /** If not null, thrown at the next header. */
    ZipException refusal;

    boolean ended;
    ZipException failure;
    int payloadsTaken;

    private final int rank;
    private final int epoch;
    private final Set<OutboundFrame> outbound = new HashSet<>();
    private long nextSequence = 1;
    private Received current;
    private boolean closed;

    FrameStub(int rank, int epoch, Path path) {
        this.rank = rank;
        this.epoch = epoch;
        this.path = path;
        path.bind(this);
    }

    int rank() {
        return rank;
    }

    // Sending.

    /** Queues a message of one frame. */
    Sent send(Memory memory) {
        Sent frame = new Sent(FrameType.EAGER, memory, 0, memory.bytes(), memory.bytes());
        toSend.add(frame);
        return frame;
    }

    /** Queues a message in fragments as long as the path takes them. */
    List<Sent> sendInFragments(Memory memory, int fragmentBytes) {
        List<Sent> fragments = new ArrayList<>();
        for (int at = 0; at < memory.bytes(); at += fragmentBytes) {
            int now = Math.min(fragmentBytes, memory.bytes() - at);
            fragments.add(new Sent(FrameType.DATA, memory, at, now, memory.bytes()));
        }
        toSend.addAll(fragments);
        return fragments;
    }

    /** Says that this end sends no more. */
    void closeOutput() {
        closed = true;
        path.closeOutput();
    }

    @Override
    public boolean nextFrame(Path asking, ByteBuffer header, int at, OutboundFrame out) {
        check(asking == path, "asked for a frame by another path");
        check(!closed, "asked for a frame after the output was closed");
        check(
                out.payload == null && out.attachment == null && out.bytes == 0,
                "given an OutboundFrame that is not empty");
        outbound.add(out);
        check(outbound.size() == 1, "given more than one OutboundFrame");
        Sent frame = toSend.poll();
        if (frame == null) {
            return false;
        }
        Frame.begin(header, at, frame.type);
        Frame.payloadBytes(header, at, frame.bytes);
        Frame.epoch(header, at, epoch);
        Frame.context(header, at, CONTEXT);
        Frame.source(header, at, rank);
        Frame.destination(header, at, path.peer());
        Frame.sequence(header, at, nextSequence++);
        Frame.messageBytes(header, at, frame.messageBytes);
        Frame.tag(header, at, frame.offset);
        Frame.credit(header, at, -frame.bytes);
        Frame.transfer(header, at, rank);
        Frame.signature(header, at, frame.bytes * 3);
        if (frame.spoil != null) {
            ByteBuffer view = header.slice(at, Frame.HEADER_BYTES).order(header.order());
            frame.spoil.accept(view);
        }
        if (frame.bytes > 0) {
            out.payload = frame.memory.payload();
            out.offset = frame.offset;
            out.bytes = frame.bytes;
            out.attachment = frame;
        }
        frame.asked = true;
        sent.add(frame);
        return true;
    }

    @Override
    public void payloadTaken(OutboundFrame out) {
        check(out.attachment instanceof Sent, "payload taken of a frame without one");
        if (out.attachment instanceof Sent frame) {
            check(!frame.taken, "payload taken twice");
            check(!frame.released, "payload taken after its release");
            check(
                    out.payload == frame.memory.payload() && out.offset == frame.offset && out.bytes == frame.bytes,
                    "OutboundFrame changed before its payload was taken");
            frame.taken = true;
            payloadsTaken++;
        }
    }

    /** The frame whose payload has not left its memory yet, or null. */
    Sent underWay() {
        Sent last = sent.isEmpty() ? null : sent.get(sent.size() - 1);
        return last != null && last.isUnderWay() ? last : null;
    }

    void release(Sent frame) {
        frame.released = true;
        path.release(frame);
    }

    // Receiving.

    @Override
    public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {
        check(from == path, "header from another path");
        check(!ended, "header after the end");
        check(current == null, "header before the frame before it was whole");
        check(in.payload == null && in.attachment == null, "given an InboundFrame that is not empty");
        if (refusal != null) {
            throw refusal;
        }
        int bytes = Frame.payloadBytes(header, at);
        check(
                Frame.epoch(header, at) == epoch
                        && Frame.context(header, at) == CONTEXT
                        && Frame.source(header, at) == path.peer()
                        && Frame.destination(header, at) == rank
                        && Frame.credit(header, at) == -bytes
                        && Frame.transfer(header, at) == path.peer()
                        && Frame.signature(header, at) == bytes * 3,
                "header changed: " + Frame.describe(header, at));
        Memory target = bytes == 0 ? null : memory.apply(bytes);
        current = new Received(Frame.sequence(header, at), bytes, target);
        if (target != null) {
            in.payload = target.payload();
            in.offset = 0;
            in.bytes = bytes;
            in.attachment = current;
        }
    }

    @Override
    public void frameReceived(Path from, InboundFrame in) {
        check(from == path, "frame from another path");
        check(current != null, "frame without a header");
        if (current != null) {
            Payload expected = current.released || current.memory == null ? null : current.memory.payload();
            check(in.payload == expected, "InboundFrame changed before its frame was whole");
            check((in.attachment == null) == (expected == null), "released frame keeps its attachment");
            current.whole = true;
            received.add(current);
            current = null;
        }
    }

    /** The frame whose payload is coming in, or null. */
    Received comingIn() {
        return current;
    }

    void release(Received frame) {
        frame.released = true;
        path.release(frame);
    }

    @Override
    public void ended(Path which, ZipException why) {
        check(which == path, "end of another path");
        check(!ended || (why != null && failure == null), "ended twice");
        ended = true;
        failure = why;
    }

    private void check(boolean condition, String breach) {
        if (!condition) {
            breaches.add("rank " + rank + ": " + breach);
        }
    }

    String state() {
        return "rank " + rank + ": " + sent.size() + " frames asked for, " + toSend.size() + " more, " + received.size()
                + " received" + (ended ? ", ended: " + failure : "") + (breaches.isEmpty() ? "" : ", " + breaches);
    }
}
