package io.zipcomm.transport.tcp;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Attached;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/**
 * The data connection to the relay: the frames of all relayed paths, one path after the other in turn, so that none waits
 * behind another's long message for more than a frame.
 */
final class RelayConnection extends FrameStream {

    private static final int ANSWER_BYTES_MAX = 64 << 10;
    private static final long FINISH_NS = 200_000_000;
    private static final long FINISH_LOOK_NS = 50_000;
    private static final int WASTE_BYTES = 16 << 10;

    private final RelayAddress relay;
    private final int eagerBytes;
    private final ArrayDeque<RelayPath> ready = new ArrayDeque<>();
    private final ArrayDeque<RelayPath> toAcknowledge = new ArrayDeque<>();
    /** Paths whose flows began anew because their peers came back, and the relay waits for word of that. */
    private final ArrayDeque<RelayPath> toAnswer = new ArrayDeque<>();

    private RelayPath[] paths = new RelayPath[0];
    private PathEvents events;

    /** Told of the end, once the group is complete. */
    private Consumer<String> whenEnded;

    private int rank;
    private int epoch;
    private String lost;

    /** Null before the group is complete, and where the relay has no hub. */
    private HubPath hub;

    private boolean hubsTurn;
    private boolean hubArriving;

    /** Handler of the frame that is going out. */
    private FrameHandler leaving;

    /** Path of the frame that is coming in; null for one that belongs to none. */
    private RelayPath arriving;

    /** Silence that means that nobody is there; 0 if the relay does not speak by itself. */
    private long silenceNs;

    private int number;
    private boolean pongDue;
    private long lookedNs;
    private long heardNs;
    private long heardBytes = -1;

    // Attaching.
    private byte[] attach;
    private ByteBuffer answer;
    private boolean answered;

    RelayConnection(Streams streams, RelayAddress relay, int eagerBytes) {
        super(streams, true);
        this.eagerBytes = eagerBytes;
        this.relay = relay;
    }

    void start(GroupView view, PathEvents listener, Consumer<String> ended) {
        events = listener;
        whenEnded = ended;
        rank = view.rank();
        epoch = view.epoch();
        RelayPath[] made = new RelayPath[view.size()];
        for (int peer = 0; peer < made.length; peer++) {
            if (peer != rank) {
                made[peer] = new RelayPath(this, view, peer, eagerBytes);
            }
        }
        paths = made;
        hub = view.hubWindowBytes() > 0 ? new HubPath(this, view.fragmentBytesMax()) : null;
        readOn();
    }

    /** One that can take the place of this one, to the same relay. */
    RelayConnection successor(Streams shared) {
        return new RelayConnection(shared, relay, eagerBytes);
    }

    /** Takes over from a connection that has ended: all flows begin anew. */
    void takeOver(RelayConnection before) {
        rank = before.rank;
        epoch = before.epoch;
        paths = before.paths;
        hub = before.hub;
        events = before.events;
        whenEnded = before.whenEnded;
        for (RelayPath path : paths) {
            if (path != null) {
                path.moveTo(this);
            }
        }
        if (hub != null) {
            hub.moveTo(this);
        }
        for (RelayPath path : paths) {
            if (path != null) {
                events.flowBegan(path.peer());
            }
        }
        events.hubBack();
        readOn();
    }

    /** Whether some of a frame for a path is still to come. */
    boolean isArriving(RelayPath path) {
        return arriving == path;
    }

    /** Frames may have been read together with the answer, or before a path was open. */
    private void readOn() {
        setInputOpen(true);
        streams().readLater(this);
    }

    /** A path takes frames from now on. */
    void opened() {
        if (lost == null) {
            readOn();
        }
    }

    /** A path's handler will not touch the memory of its frames any more, and nobody else may. */
    void closed(RelayPath path) {
        if (leaving == path.handler() && leaving != null) {
            detachOutbound();
        }
        if (arriving == path) {
            dropInbound();
        }
    }

    RelayPath path(int peer) {
        return paths[peer];
    }

    HubPath hub() {
        return hub;
    }

    // ---- attaching

    /** Sends a control message; its answer is awaited by {@link #answer}. */
    void ask(byte[] message) {
        attach = message;
        flushStream();
    }

    /** Whether {@link #answer} has something to say. */
    boolean hasAnswer() {
        return answered || lost != null;
    }

    /** Why it has ended, also behind an answer; null while it has not. */
    String lost() {
        return lost;
    }

    /** The answer, once it has come; null before. */
    ByteBuffer answer() {
        if (lost != null && !answered) {
            throw new ZipException(
                    ErrorCode.RELAY_UNREACHABLE, "the relay at " + relay + " ended the connection: " + lost);
        }
        return answered ? answer : null;
    }

    // ---- silence

    /** From {@link #start} on the relay speaks at least every so often, if it says so. */
    void attached(Attached place) {
        silenceNs = place.getSilenceMs() * 1_000_000;
        number = place.getNumber();
    }

    /** As the relay counts this rank's. */
    int number() {
        return number;
    }

    /** Gives up if the relay, which speaks now and then, does not. */
    void look(long nowNs) {
        if (silenceNs == 0 || !isInUse()) {
            return;
        }
        // Whoever has not looked for long may not have read either.
        boolean stoodStill = nowNs - lookedNs > silenceNs / 2;
        lookedNs = nowNs;
        if (receivedBytes() != heardBytes || stoodStill) {
            heardBytes = receivedBytes();
            heardNs = nowNs;
        } else if (nowNs - heardNs >= silenceNs) {
            lost("nothing came in " + silenceNs / 1_000_000 + " ms, not even PING");
        }
    }

    // ---- out

    /** A path has frames. */
    void flush(RelayPath path) {
        enqueue(path);
        flushStream();
    }

    private void enqueue(RelayPath path) {
        if (!path.isQueued()) {
            path.setQueued(true);
            ready.add(path);
        }
    }

    /** A path has taken so much that its sender should know. Called once until {@link RelayPath#writeFlow}. */
    void acknowledge(RelayPath path) {
        toAcknowledge.add(path);
        flushStream();
    }

    @Override
    boolean nextFrame(ByteBuffer header, int at, OutboundFrame frame) {
        leaving = null;
        if (attach != null) {
            control(header, at, frame);
            return true;
        }
        if (pongDue) {
            pongDue = false;
            Frame.begin(header, at, FrameType.PONG);
            Frame.epoch(header, at, epoch);
            Frame.source(header, at, rank);
            Frame.destination(header, at, rank);
            return true;
        }
        RelayPath renewed = toAnswer.poll();
        if (renewed != null) {
            renewed.writeReset(header, at, epoch, rank);
            return true;
        }
        RelayPath acknowledged = toAcknowledge.poll();
        if (acknowledged != null) {
            acknowledged.writeFlow(header, at, epoch, rank);
            return true;
        }
        hubsTurn = !hubsTurn;
        if ((hubsTurn || ready.isEmpty()) && nextOfHub(header, at, frame)) {
            return true;
        }
        for (RelayPath path = ready.poll(); path != null; path = ready.poll()) {
            // Before it is asked: what it is told of meanwhile counts.
            path.setQueued(false);
            if (path.nextFrame(header, at, frame)) {
                enqueue(path);
                leaving = path.handler();
                return true;
            }
        }
        return nextOfHub(header, at, frame);
    }

    private boolean nextOfHub(ByteBuffer header, int at, OutboundFrame frame) {
        if (hub == null || !hub.isQueued() || !hub.nextFrame(header, at, frame)) {
            return false;
        }
        leaving = hub.handler();
        return true;
    }

    private void control(ByteBuffer header, int at, OutboundFrame frame) {
        Frame.begin(header, at, FrameType.CONTROL);
        Frame.payloadBytes(header, at, attach.length);
        frame.payload = Payload.of(attach);
        frame.offset = 0;
        frame.bytes = attach.length;
        frame.attachment = null;
        attach = null;
    }

    @Override
    void payloadTaken(OutboundFrame frame) {
        leaving.payloadTaken(frame);
    }

    // ---- in

    @Override
    boolean accepts(ByteBuffer header, int at) {
        FrameType type = FrameType.of(Frame.type(header, at));
        if (type == FrameType.FLOW || type == FrameType.RESET || type.isHubFrame() || paths.length == 0) {
            return true;
        }
        int source = Frame.source(header, at);
        return source < 0 || source >= paths.length || paths[source] == null || paths[source].isOpen();
    }

    @Override
    void headerReceived(ByteBuffer header, int at, InboundFrame frame) {
        arriving = null;
        hubArriving = false;
        int type = Frame.type(header, at);
        if (type == FrameType.CONTROL.number()) {
            if (answered || frame.bytes > ANSWER_BYTES_MAX) {
                throw new ZipException(ErrorCode.PROTOCOL, "a control message of " + frame.bytes + " bytes");
            }
            answer = ByteBuffer.allocate(frame.bytes);
            frame.payload = Payload.of(answer, DataType.INT8);
            frame.attachment = answer;
            return;
        }
        if (type == FrameType.PING.number() && silenceNs > 0) {
            pongDue = true;
            return;
        }
        if (hub != null && FrameType.of(type).isHubFrame() && Frame.epoch(header, at) == epoch) {
            hubArriving = true;
            hub.headerReceived(header, at, frame);
            return;
        }
        int source = Frame.source(header, at);
        if (source < 0 || source >= paths.length || paths[source] == null || Frame.destination(header, at) != rank) {
            throw new ZipException(ErrorCode.PROTOCOL, "the relay forwarded " + Frame.describe(header, at));
        }
        if (type == FrameType.FLOW.number()) {
            paths[source].acknowledged(Frame.credit(header, at));
            return;
        }
        if (type == FrameType.RESET.number()) {
            if (paths[source].resetBy(Frame.transfer(header, at))) {
                toAnswer.add(paths[source]);
            }
            events.flowBegan(source);
            flushStream();
            return;
        }
        if (!FrameType.of(type).isLinkFrame()) {
            throw new ZipException(ErrorCode.PROTOCOL, "the relay forwarded " + Frame.describe(header, at));
        }
        arriving = paths[source];
        arriving.headerReceived(header, at, frame);
    }

    @Override
    void frameReceived(InboundFrame frame) {
        if (arriving != null) {
            RelayPath path = arriving;
            arriving = null;
            path.frameReceived(frame);
        } else if (hubArriving) {
            hubArriving = false;
            hub.frameReceived(frame);
        } else if (frame.attachment != null) {
            // The answer to attaching: what follows belongs to paths that do not exist before the group does.
            answered = true;
            setInputOpen(false);
        } else if (pongDue) {
            flushStream();
        }
    }

    // ---- the end

    /**
     * Ends the output and waits a moment until the relay has read all of it. Input that nobody has read would make closing
     * the socket a reset, which throws away what the relay has not read yet.
     */
    void finish(Poller poller) {
        if (lost != null || socket() == null) {
            return;
        }
        long deadlineNs = poller.nanoTime() + FINISH_NS;
        ByteBuffer waste = ByteBuffer.allocateDirect(WASTE_BYTES);
        try {
            socket().shutdownOutput();
            while (socket().read(waste, 0, WASTE_BYTES) >= 0 && poller.nanoTime() - deadlineNs < 0) {
                poller.pause(FINISH_LOOK_NS);
            }
        } catch (IOException e) {
            org.slf4j.LoggerFactory.getLogger(RelayConnection.class).debug("the relay was gone first", e);
        }
    }

    @Override
    void streamEnded(ZipException failure) {
        lost = failure == null ? "closed by the relay" : failure.getMessage();
        if (arriving != null) {
            arriving.interrupted(missingInbound());
        }
        closeStream();
        if (whenEnded != null) {
            whenEnded.accept(lost);
        }
    }

    @Override
    String describe() {
        return "the relay at " + relay;
    }
}
