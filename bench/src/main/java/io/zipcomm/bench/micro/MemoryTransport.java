package io.zipcomm.bench.micro;

import io.zipcomm.buffer.Segment;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * The least that a transport between two engines of one thread can be: in its turn each takes all frames that the other
 * has, and moves their payloads through a segment, as a socket would. So what is measured is the engine.
 */
final class MemoryTransport implements Transport {

    private static final int FRAGMENT_BYTES_MAX = 64 << 10;

    private final TransportCounters counters = new TransportCounters();
    private final MemoryPath path;
    private MemoryTransport other;

    private MemoryTransport(int rank) {
        path = new MemoryPath(1 - rank);
    }

    /** The transports of ranks 0 and 1. */
    static MemoryTransport[] pair() {
        MemoryTransport[] pair = {new MemoryTransport(0), new MemoryTransport(1)};
        pair[0].other = pair[1];
        pair[1].other = pair[0];
        return pair;
    }

    @Override
    public int poll() {
        return path.takeFrom(other.path) ? 1 : 0;
    }

    @Override
    public int await(long timeoutNs, BooleanSupplier wakeupDue) {
        return poll();
    }

    @Override
    public Path relayed(int peer) {
        return path;
    }

    @Override
    public List<Candidate> candidates() {
        return List.of();
    }

    @Override
    public void attach(RelayAddress relay, String session, int rank, byte[] ticket, long deadlineNs) {}

    @Override
    public void start(GroupView view, PathEvents events) {}

    @Override
    public void connect(int peer) {}

    @Override
    public void wakeup() {}

    @Override
    public int rendezvousPort() {
        return 0;
    }

    @Override
    public void punch(int peer, long atNs, long roundTripNs) {
        // Nobody is behind a NAT here.
    }

    @Override
    public boolean isConnecting() {
        return false;
    }

    @Override
    public boolean hasOutput() {
        return false;
    }

    @Override
    public TransportCounters counters() {
        return counters;
    }

    @Override
    public void close() {}

    private static final class MemoryPath implements Path {

        private final int peer;
        private final ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
        private final OutboundFrame outFrame = new OutboundFrame();
        private final InboundFrame inFrame = new InboundFrame();
        private final Segment wire = Segment.allocate(FRAGMENT_BYTES_MAX);
        private FrameHandler handler;
        private boolean wanted;

        MemoryPath(int peer) {
            this.peer = peer;
        }

        /** Takes what the other end has. */
        boolean takeFrom(MemoryPath sender) {
            if (!sender.wanted) {
                return false;
            }
            sender.wanted = false;
            while (sender.handler.nextFrame(sender, header, 0, outFrame)) {
                int bytes = outFrame.payload == null ? 0 : outFrame.bytes;
                if (bytes > 0) {
                    outFrame.payload.copyOut(outFrame.offset, wire, 0, bytes);
                    sender.handler.payloadTaken(outFrame);
                }
                outFrame.clear();
                inFrame.clear();
                handler.headerReceived(this, header, 0, inFrame);
                if (bytes > 0 && inFrame.payload != null) {
                    inFrame.payload.copyIn(inFrame.offset, wire, 0, bytes);
                }
                handler.frameReceived(this, inFrame);
            }
            return true;
        }

        @Override
        public void flush() {
            wanted = true;
        }

        @Override
        public int peer() {
            return peer;
        }

        @Override
        public String name() {
            return "memory";
        }

        @Override
        public int fragmentBytesMax() {
            return FRAGMENT_BYTES_MAX;
        }

        @Override
        public void bind(FrameHandler newHandler) {
            handler = newHandler;
        }

        @Override
        public void openInput() {}

        @Override
        public void release(Object attachment) {}

        @Override
        public void closeOutput() {}

        @Override
        public void close() {}
    }
}
