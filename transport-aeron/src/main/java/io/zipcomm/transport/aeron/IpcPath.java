package io.zipcomm.transport.aeron;

import io.aeron.Image;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.wire.Hello;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import org.agrona.CloseHelper;

/**
 * A path in shared memory: an Aeron stream in each direction, and the arenas of both ranks for what is long.
 *
 * <p>It opens in steps, which {@link #climb} takes as they become possible: the peer's door is there; each end makes the
 * stream on which it wants to be sent to, and says so at the peer's door; each sends on the other's; the {@link StreamHandshake}.
 */
final class IpcPath extends StreamPath {

    private static final String NAME = "aeron-ipc";

    /** How long a path may take to open. The peer may have to load a lot, on a machine where all do. */
    private static final long OPEN_NS_MAX = 10_000_000_000L;

    /** How far the path is. */
    private enum State {
        /** Waits for the peer's door. */
        BEGUN,
        /** Waits for the streams. */
        KNOCKED,
        /** Has said OPEN. */
        GREETED,
        /** Has said CONFIRM: there is no way back. */
        CONFIRMED,
        OPEN,
        CLOSED
    }

    private final IpcTransport transport;
    private final HostPlace place;
    private final int peer;

    /** Of the peer. */
    private final int neighbour;

    private final long dueNs;
    private State state = State.BEGUN;
    private boolean wanted;

    private Door door;
    private Doorbell bell;
    private ArenaView arena;
    private StreamHandshake handshake;
    private Streams streams;

    /** At the driver to which this rank moves; null as a rule. */
    private Streams next;

    /** At a driver that died meanwhile, to which the peer's stream has gone on before that; null if it has not, or was followed. */
    private Streams between;

    private boolean nextAnnounced;
    private boolean outputMoved;
    private boolean inputMoved;

    /** How often the peer's stream has ended and this end has followed it. */
    private int followed;

    private IpcInput input;
    private IpcOutput output;

    private boolean inputOpen;
    private boolean inputEnded;
    private boolean gaveBack;

    /** The handler has been told that the path broke. */
    private boolean broken;

    private boolean polling;

    IpcPath(IpcTransport transport, int peer, long nowNs) {
        super(peer);
        this.transport = transport;
        place = transport.place();
        this.peer = peer;
        neighbour = place.neighbours().index(peer);
        dueNs = nowNs + OPEN_NS_MAX;
    }

    // ---- opening

    /** Somebody here waits for it: failure is to be told. */
    void want() {
        wanted = true;
    }

    boolean isWanted() {
        return wanted;
    }

    boolean isOpening() {
        return state != State.OPEN && state != State.CLOSED;
    }

    @Override
    boolean isOpen() {
        return state == State.OPEN;
    }

    /**
     * Takes the steps that are possible.
     *
     * @throws ZipException if the path cannot be opened
     */
    void climb(long nowNs) {
        restartIfMoved();
        if (transport.isMoving() && state != State.CONFIRMED) {
            return;
        }
        try {
            if (state == State.BEGUN) {
                knock();
            }
            if (state == State.KNOCKED) {
                checkThatItIsWelcome(nowNs);
                greet();
            }
            if (state == State.GREETED || state == State.CONFIRMED) {
                listen();
            }
            if (state == State.GREETED && handshake.isOpened() && say(Hello.CONFIRM)) {
                state = State.CONFIRMED;
            }
        } catch (IOException e) {
            throw new ZipException(ErrorCode.UNREACHABLE, String.valueOf(e.getMessage()), e);
        }
        if (state == State.CONFIRMED && handshake.isConfirmed()) {
            state = State.OPEN;
            transport.opened(this);
            return;
        }
        checkThatItIsWelcome(nowNs);
    }

    private void knock() throws IOException {
        door = place.door(neighbour);
        if (door == null) {
            return;
        }
        if (bell == null) {
            bell = new Doorbell(place.file(neighbour, "bell"));
            arena = ArenaView.open(
                    place.file(neighbour, "arena"), place.neighbours().self());
        }
        handshake = new StreamHandshake(transport.view(), peer);
        streams = new Streams(place.client());
        door.knock(place.neighbours().self(), streams.number(), streams.client().holder());
        ringIfAsleep();
        state = State.KNOCKED;
    }

    /** Whether it has not said the last word of the handshake, behind which the peer may count on it. */
    boolean mayGiveUp() {
        return state != State.CONFIRMED;
    }

    private void checkThatItIsWelcome(long nowNs) {
        if (place.door().isGone(neighbour)) {
            throw new ZipException(ErrorCode.UNREACHABLE, "rank " + peer + " wants no connection in shared memory");
        }
        if (mayGiveUp() && nowNs - dueNs >= 0) {
            throw new ZipException(
                    ErrorCode.UNREACHABLE,
                    "no connection in shared memory within " + OPEN_NS_MAX / 1_000_000 + " ms, "
                            + (door == null ? "rank " + peer + " is not ready" : "rank " + peer + " says nothing"));
        }
    }

    private void greet() {
        if (streams.isListening() && reach(streams) && say(Hello.OPEN)) {
            state = State.GREETED;
        }
    }

    /** Whether the peer can be sent to at a driver: it must have said so. */
    private boolean reach(Streams to) {
        long knock = place.door().knock(neighbour);
        return knock != 0
                && Door.driver(knock) == to.client().holder()
                && to.reach(Door.stream(knock), place.budget().termBytes());
    }

    private boolean say(int step) {
        boolean said = handshake.say(step, streams.publication());
        if (said) {
            ringIfAsleep();
        }
        return said;
    }

    /** Reads the handshake, and nothing behind it. */
    private void listen() {
        Image image = streams.image();
        if (image != null) {
            handshake.hear(image);
        }
    }

    // ---- moving to another driver

    /**
     * The driver is gone: begins anew at the next one. Not if the handshake may be over at the peer, which it is if it has said
     * CONFIRM; it said so before it asked to be sent to elsewhere.
     */
    private void restartIfMoved() {
        boolean hasMoved = streams != null && streams.client() != place.client();
        boolean peerHasMoved = state == State.CONFIRMED
                && !handshake.isConfirmed()
                && Door.driver(place.door().knock(neighbour))
                        != streams.client().holder();
        if (peerHasMoved) {
            listen();
        }
        if (state == State.CONFIRMED ? peerHasMoved && !handshake.isConfirmed() : hasMoved) {
            streams.close();
            streams = null;
            state = State.BEGUN;
        }
    }

    /** Whether nothing of this path depends on the driver that is gone. */
    boolean hasMoved() {
        return switch (state) {
            case BEGUN, KNOCKED, GREETED, CLOSED -> true;
            case CONFIRMED -> false;
            case OPEN -> broken || (outputMoved && inputMoved) || (inputEnded && output != null && output.isEnded());
        };
    }

    /** Takes the steps to the next driver that are possible. What was written before is read before. */
    void move() {
        if (state != State.OPEN
                || broken
                || output == null
                || neighbour == place.client().holder()) {
            return;
        }
        if (next != null && next.client() != place.next()) {
            turnFrom(next);
        }
        if (broken) {
            return;
        }
        if (next == null) {
            next = new Streams(place.next());
        }
        if (between != null && follow(between)) {
            between = null;
        }
        // Not before: the peer says where its stream ends in one place only.
        if (!nextAnnounced && between == null && next.isListening()) {
            nextAnnounced = true;
            door.knock(place.neighbours().self(), next.number(), place.next().holder());
            ringIfAsleep();
        }
        if (!outputMoved && reach(next)) {
            outputMoved = true;
            door.move(place.neighbours().self(), output.moveTo(next.publication()));
            ringIfAsleep();
            checkThatThePeerComes();
        }
        inputMoved |= inputEnded;
        if (!inputMoved && nextAnnounced) {
            inputMoved = follow(next);
        }
    }

    /** Goes on reading where the peer's stream has gone on, if it has, and all before that is read. */
    private boolean follow(Streams to) {
        boolean hasFollowed = place.door().moves(neighbour) > followed
                && to.image() != null
                && input.moveTo(to.image(), place.door().endedAt(neighbour));
        followed += hasFollowed ? 1 : 0;
        return hasFollowed;
    }

    /**
     * The driver to which this rank moved died. What has got there goes on from there, the rest from where it is; what the peer
     * has sent there, and is not followed yet, is read first.
     */
    private void turnFrom(Streams died) {
        if (nextAnnounced) {
            door.knock(place.neighbours().self(), 0, 0);
            // A peer that moves there now finds that out, or is found out here.
            VarHandle.fullFence();
            between = place.door().moves(neighbour) > followed ? died : null;
        }
        if (between != null && between.image() == null) {
            // The driver died before it told of the stream.
            end(new ZipException(
                    ErrorCode.DRIVER_LOST, "what rank " + peer + " sent by a media driver that died cannot be read"));
        }
        next = null;
        nextAnnounced = false;
        outputMoved = false;
        inputMoved = false;
    }

    /** This end's stream has gone on at a driver: is the peer still about to read there? */
    private void checkThatThePeerComes() {
        VarHandle.fullFence();
        long knock = place.door().knock(neighbour);
        // If it uses that driver it has come, and moves on to one more.
        int holder = place.next().holder();
        boolean comes = (knock != 0 && Door.driver(knock) == holder) || door.used() == holder;
        if (!comes && !place.door().isGone(neighbour)) {
            end(new ZipException(ErrorCode.DRIVER_LOST, "rank " + peer + " turned from the next media driver"));
        }
    }

    /** All paths have moved. */
    void finishMove() {
        if (next != null) {
            streams = next;
            next = null;
        }
        between = null;
        nextAnnounced = false;
        outputMoved = false;
        inputMoved = false;
    }

    // ---- path

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int fragmentBytesMax() {
        return MemoryBudget.SLOT_BYTES;
    }

    @Override
    public void bind(FrameHandler frames) {
        super.bind(frames);
        output = new IpcOutput(
                this,
                streams.publication(),
                place.arena(),
                place.sharedSlots(),
                neighbour,
                place.budget().slotsForReader(place.neighbours().count()),
                transport.counters());
        input = new IpcInput(this, streams.image(), arena, transport.counters());
    }

    @Override
    public void openInput() {
        inputOpen = true;
    }

    @Override
    public void flush() {
        if (isWritable()) {
            output.flush();
        }
    }

    @Override
    public void release(Object attachment) {
        if (output != null) {
            output.release(attachment);
            input.release(attachment);
        }
    }

    @Override
    public void closeOutput() {
        if (isWritable()) {
            output.end();
        }
    }

    @Override
    public void close() {
        if (state == State.CLOSED) {
            return;
        }
        boolean isRegular = state == State.OPEN && output != null && output.isEnded() && !broken;
        if (door != null && !isRegular) {
            door.leave(place.neighbours().self());
            ringIfAsleep();
        }
        state = State.CLOSED;
        transport.closed(this);
    }

    /** Gives back what belongs to the path. Nobody is in the middle of one of its messages. */
    void dispose() {
        if (output != null) {
            output.abandon();
        }
        if (arena != null) {
            place.arena().lose(neighbour);
        }
        CloseHelper.closeAll(streams, next, arena, bell);
    }

    // ---- turns

    @Override
    boolean isWritable() {
        return state == State.OPEN && output != null && !broken;
    }

    @Override
    boolean reads() {
        return state == State.OPEN && inputOpen && !inputEnded && !broken;
    }

    boolean hasOutput() {
        return isWritable() && output.hasOutput();
    }

    /** A turn of an open path. Returns how much there was to do. */
    int turn() {
        int work = 0;
        if (reads()) {
            polling = true;
            try {
                work = input.poll();
            } finally {
                polling = false;
            }
            if (gaveBack) {
                gaveBack = false;
                ringIfAsleep();
            }
        }
        if (hasOutput()) {
            output.flush();
            work += output.hasOutput() ? 0 : 1;
        }
        return work;
    }

    boolean isPolling() {
        return polling;
    }

    /** Looks whether the peer has ended the path. What it wrote before is read first. */
    void look() {
        if (!broken && state == State.OPEN && output != null && isDeserted()) {
            end(new ZipException(ErrorCode.PEER_LOST, "rank " + peer + " ended its connection in shared memory"));
        }
    }

    private boolean isDeserted() {
        boolean drained = !reads() || input.poll() == 0;
        return drained && !inputEnded && (place.door().isGone(neighbour) || (inputOpen && isInputOver()));
    }

    /** Whether the stream of the peer has ended, and not gone on at another driver. The peer says that before it ends this one. */
    private boolean isInputOver() {
        return input.isOver() && place.door().moves(neighbour) <= followed;
    }

    /** Paths that are open, this one included. */
    int siblings() {
        return transport.openPaths();
    }

    /** Messages went out. */
    void wrote() {
        ringIfAsleep();
    }

    /** A slot was given back, for which the peer may wait. */
    void gaveBack() {
        gaveBack = true;
    }

    private void ringIfAsleep() {
        // What was written before must be there for a peer that was about to sleep and looks once more.
        VarHandle.fullFence();
        long sleep = door.sleep();
        if (sleep != 0) {
            bell.ring(sleep);
        }
    }

    // ---- frames

    /** The peer's last message was read. */
    void inputEnded() {
        inputEnded = true;
        handler().ended(this, null);
    }

    @Override
    void end(ZipException failure) {
        if (broken || state != State.OPEN) {
            return;
        }
        broken = true;
        if (door != null) {
            door.leave(place.neighbours().self());
            ringIfAsleep();
        }
        handler().ended(this, failure);
    }
}
