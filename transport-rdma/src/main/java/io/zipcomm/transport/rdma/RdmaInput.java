package io.zipcomm.transport.rdma;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.transport.rdma.ffi.Addresses;
import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.transport.rdma.ffi.FabricError;
import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The way into a {@link RdmaPath}. Messages wait here, in their slots, until it is their turn. Payloads that are elsewhere are read:
 * straight into their owner's memory where a read is soon over whatever the peer does, when it is their turn; and else before that, into
 * memory from which they are copied.
 *
 * <p>What was read counts only if the peer had not taken it back before: so all messages that are here are looked at once more when a
 * read is over.
 *
 * <p>Engine holder only. Nothing is allocated, but memory for payloads when it is needed first.
 */
final class RdmaInput {

    /** Messages handled in one turn, so that one busy path does not keep the others waiting. */
    private static final int MESSAGES_PER_TURN = 64;

    // In place of a slot: nothing has come in, or what has come in is handled.
    private static final int EMPTY = -1;
    private static final int HANDLED = -2;

    private final RdmaPath path;
    private final RdmaEndpoint endpoint;
    private final TransportCounters counters;
    private final InboundFrame frame = new InboundFrame();

    // Slots whose messages wait, and the bytes in each, by the message's number. Some providers complete a long message
    // after a short one behind it.
    private final int[] slots;
    private final int[] lengths;

    /** Number of the message that is to be handled next; wraps. */
    private int next;

    /** Number of the first message that has not been looked through for a payload to read; wraps. */
    private int unseen;

    // Of the peer's counted messages: handled. Of its payloads: told of, and read. They wrap.
    private int consumed;
    private int pulls;
    private int pulled;

    /** What the peer has told of, by the number of the payload. */
    private final Fetch[] fetches = new Fetch[RdmaOutput.PULLS_MAX];

    /** A header has been handled whose payload is not here: that of the next fetch. */
    private boolean amidFrame;

    private int bytes;

    /** A payload that is elsewhere. */
    private static final class Fetch {
        int bytes;
        long remoteAddress;
        long remoteKey;

        /** What the peer has said of a payload with this number: it lies elsewhere now. */
        boolean moved;

        int movedPull;
        long movedAddress;
        long movedKey;

        /** It is being read. */
        boolean reading;

        /** That is over, with this outcome, after so many looks at everything. */
        boolean landed;

        int status;
        long landedRound;

        // Where it is read to; null and null if straight to where nothing has to be registered.
        Bounce copy;
        Registration registration;

        boolean isMoved(int pull) {
            return moved && movedPull == pull;
        }

        boolean isReadingInPlace() {
            return reading && !landed && copy == null;
        }
    }

    RdmaInput(RdmaPath path, RdmaEndpoint endpoint, TransportCounters counters) {
        this.path = path;
        this.endpoint = endpoint;
        this.counters = counters;
        // Those that are handled at once give their credit back before their number's turn.
        slots = new int[2 * endpoint.credit()];
        lengths = new int[slots.length];
        Arrays.fill(slots, EMPTY);
        for (int i = 0; i < fetches.length; i++) {
            fetches[i] = new Fetch();
        }
    }

    private int index(int number) {
        return Math.floorMod(number, slots.length);
    }

    private Fetch fetch(int pull) {
        return fetches[Math.floorMod(pull, fetches.length)];
    }

    /** How many counted messages have been handled, ever. */
    int consumed() {
        return consumed;
    }

    /** How many payloads have been read, ever. */
    int pulled() {
        return pulled;
    }

    // ---- amid a look at completions: nothing here calls back

    /**
     * A message waits for its turn.
     *
     * @param number of the message: the lower half
     * @return false if there cannot be one with this number now
     */
    boolean add(int number, int slot, int length) {
        int ahead = (short) (number - next);
        int index = index(next + ahead);
        if (ahead < 0 || ahead >= slots.length || slots[index] != EMPTY) {
            return false;
        }
        slots[index] = slot;
        lengths[index] = length;
        return true;
    }

    /**
     * A payload lies elsewhere.
     *
     * @param number of the message that says so: the lower half
     * @return false if there cannot be one with this number now
     */
    boolean moved(int number, int pull, long address, long key) {
        if (pull - pulled > fetches.length || !add(number, HANDLED, 0)) {
            return false;
        }
        consumed++;
        if (pull - pulled > 0) {
            Fetch one = fetch(pull);
            one.moved = true;
            one.movedPull = pull;
            one.movedAddress = address;
            one.movedKey = key;
        }
        return true;
    }

    /**
     * A read is over.
     *
     * @param index of the payload's number, as given with the read
     */
    void haveRead(int index, int status) {
        Fetch one = fetches[index];
        one.landed = true;
        one.status = status;
        one.landedRound = endpoint.rounds();
        if (path.isOver()) {
            one.reading = false;
            giveBack(one);
        }
    }

    // ---- turns

    /** The message that is to be handled next: its place in {@link #slots}. */
    private int first() {
        int index = index(next);
        while (slots[index] == HANDLED) {
            slots[index] = EMPTY;
            next++;
            index = index(next);
        }
        return index;
    }

    /** Whether nothing more can come of what has come in, if the peer is gone. */
    boolean isDry() {
        int index = first();
        return amidFrame || slots[index] == EMPTY || kind(index) == Message.PULL;
    }

    /** Whether a message is missing of which those behind it are here. */
    boolean hasGap() {
        if (slots[first()] != EMPTY) {
            return false;
        }
        for (int one : slots) {
            if (one != EMPTY) {
                return true;
            }
        }
        return false;
    }

    /** Whether a read goes to its owner's memory. */
    boolean isReadingInPlace() {
        return amidFrame && fetch(pulled + 1).isReadingInPlace();
    }

    /** Handles what has come in, as far as the path reads and its turn goes. Returns how much there was. */
    int poll() {
        int work = look();
        work += amidFrame && path.reads() ? goOn() : 0;
        for (int i = 0; i < MESSAGES_PER_TURN && slots[first()] != EMPTY && !amidFrame && path.reads(); i++) {
            if (path.hasLeft() && isDry()) {
                return work;
            }
            if (unseen - next <= 0) {
                // It came in while the handler had the turn.
                work += look();
            }
            handleNext();
            work++;
        }
        return work;
    }

    /** Looks for payloads to read, and begins where that needs nobody. Returns how many. */
    private int look() {
        first();
        unseen = unseen - next < 0 ? next : unseen;
        while (unseen - next < slots.length && slots[index(unseen)] != EMPTY) {
            if (slots[index(unseen)] >= 0 && kind(index(unseen)) == Message.PULL) {
                find(index(unseen));
            }
            unseen++;
        }
        int begun = 0;
        for (int pull = pulled + 1; !endpoint.isOneSided() && pull - pulls <= 0 && !path.hasLeft(); pull++) {
            Fetch one = fetch(pull);
            if (!one.reading) {
                one.copy = one.copy == null ? endpoint.incoming().take() : one.copy;
                begun += one.copy != null && read(pull, one, one.copy.address(), one.copy.registration()) ? 1 : 0;
            }
        }
        return begun;
    }

    /** Takes note of where a payload is. */
    private void find(int index) {
        ByteBuffer message = endpoint.received().bytes();
        int at = endpoint.received().at(slots[index]);
        int payloadBytes = checked(message, at, lengths[index]);
        if (lengths[index] != Message.PULL_BYTES
                || payloadBytes == 0
                || payloadBytes > endpoint.incoming().bytes()
                || pulls - pulled == fetches.length) {
            throw new ZipException(
                    ErrorCode.PROTOCOL,
                    "rank " + path.peer() + " names the place of " + payloadBytes + " payload bytes, the "
                            + (pulls - pulled + 1) + "th at a time, in " + lengths[index] + " bytes");
        }
        pulls++;
        Fetch one = fetch(pulls);
        one.bytes = payloadBytes;
        one.remoteAddress = message.getLong(at + Message.PULL_ADDRESS_OFFSET);
        one.remoteKey = message.getLong(at + Message.PULL_KEY_OFFSET);
        one.moved = one.isMoved(pulls);
        one.reading = false;
        one.landed = false;
    }

    /**
     * Begins to read.
     *
     * @return false if that is not possible now
     */
    private boolean read(int pull, Fetch one, long address, long registration) {
        if (one.isMoved(pull)) {
            one.moved = false;
            one.remoteAddress = one.movedAddress;
            one.remoteKey = one.movedKey;
        }
        one.landed = false;
        int code = path.read(
                Math.floorMod(pull, fetches.length),
                registration,
                address,
                one.bytes,
                one.remoteAddress,
                one.remoteKey);
        if (code < 0 && code != FabricError.TRY_AGAIN) {
            throw new ZipException(
                    ErrorCode.PEER_LOST, "memory of rank " + path.peer() + " cannot be read: " + endpoint.text(code));
        }
        one.reading = code == 0;
        return one.reading;
    }

    private int kind(int index) {
        return Message.kind(endpoint.received().bytes(), endpoint.received().at(slots[index]));
    }

    private void handleNext() {
        int index = first();
        int slot = slots[index];
        int kind = kind(index);
        slots[index] = EMPTY;
        next++;
        // Before the handler ends the path, whose last word that is.
        consumed++;
        try {
            handle(kind, endpoint.received().at(slot), lengths[index]);
        } finally {
            endpoint.repost(slot);
        }
    }

    private void handle(int kind, int at, int length) {
        if (path.isInputEnded()) {
            throw new ZipException(ErrorCode.PROTOCOL, "rank " + path.peer() + " sent something after its last frame");
        }
        switch (kind) {
            case Message.FRAME -> take(at, length);
            case Message.PULL -> takeHeader(at);
            default -> path.inputEnded();
        }
    }

    private void take(int at, int length) {
        ByteBuffer message = endpoint.received().bytes();
        begin(checked(message, at, length));
        if (bytes != length - Message.PAYLOAD_OFFSET) {
            throw new ZipException(
                    ErrorCode.PROTOCOL,
                    bytes + " payload bytes in a message of " + length + " bytes of rank " + path.peer());
        }
        path.headerReceived(message, at + Message.BODY_OFFSET, frame);
        if (path.isOpen()) {
            if (frame.payload != null && bytes > 0) {
                frame.payload.copyIn(frame.offset, endpoint.received().memory(), at + Message.PAYLOAD_OFFSET, bytes);
            }
            frameReceived();
        }
    }

    /** The payload bytes that a header tells of. */
    private int checked(ByteBuffer message, int at, int length) {
        String problem =
                length < Message.PAYLOAD_OFFSET ? "a header cut off" : Frame.problem(message, at + Message.BODY_OFFSET);
        if (problem != null) {
            throw new ZipException(ErrorCode.PROTOCOL, problem + " from rank " + path.peer());
        }
        return Frame.payloadBytes(message, at + Message.BODY_OFFSET);
    }

    private void begin(int payloadBytes) {
        bytes = payloadBytes;
        frame.clear();
        frame.bytes = payloadBytes;
    }

    private void takeHeader(int at) {
        begin(fetch(pulled + 1).bytes);
        amidFrame = true;
        path.headerReceived(endpoint.received().bytes(), at + Message.BODY_OFFSET, frame);
        if (path.isOpen()) {
            goOn();
        }
    }

    /** Goes on with the frame whose payload is elsewhere. */
    private int goOn() {
        Fetch one = fetch(pulled + 1);
        if (!one.reading) {
            return readInTurn(one) ? 1 : 0;
        }
        // What the peer said before it gave the memory another content has come in by a look that began when the read
        // was
        // over.
        if (!one.landed || endpoint.rounds() - one.landedRound < 2 || path.hasLeft()) {
            return 0;
        }
        one.reading = false;
        if (one.isMoved(pulled + 1)) {
            return readInTurn(one) ? 1 : 0;
        }
        if (one.status < 0) {
            throw new ZipException(
                    ErrorCode.PEER_LOST,
                    "a payload of rank " + path.peer() + " cannot be read: " + endpoint.text(one.status));
        }
        if (one.copy != null && frame.payload != null) {
            frame.payload.copyIn(frame.offset, one.copy.memory(), 0, bytes);
        }
        complete(one);
        return 1;
    }

    /** Begins to read a payload whose header has been handled, if that is possible now. */
    private boolean readInTurn(Fetch one) {
        if (frame.payload == null) {
            complete(one);
            return true;
        }
        ByteBuffer direct = endpoint.isOneSided() && one.copy == null ? frame.payload.direct() : null;
        if (direct != null && one.registration == null && endpoint.needsRegistration()) {
            one.registration = endpoint.cache().take(direct, Fabric.READ, path.nowNs());
            direct = one.registration == null ? null : direct;
        }
        if (direct != null) {
            long handle = one.registration == null ? 0 : one.registration.handle();
            return read(pulled + 1, one, Addresses.of(direct) + frame.offset, handle);
        }
        one.copy = one.copy == null ? endpoint.incoming().take() : one.copy;
        return one.copy != null && read(pulled + 1, one, one.copy.address(), one.copy.registration());
    }

    private void giveBack(Fetch one) {
        if (one.copy != null) {
            endpoint.incoming().give(one.copy);
            one.copy = null;
        }
        if (one.registration != null) {
            endpoint.cache().give(one.registration);
            one.registration = null;
        }
    }

    private void complete(Fetch one) {
        giveBack(one);
        amidFrame = false;
        pulled++;
        frameReceived();
    }

    private void frameReceived() {
        counters.framesReceived++;
        counters.directBytesReceived += Frame.HEADER_BYTES + bytes;
        path.frameReceived(frame);
    }

    /** The payload that is coming in is thrown away. */
    void release(Object attachment) {
        if (!amidFrame || attachment == null || frame.attachment != attachment) {
            return;
        }
        Fetch one = fetch(pulled + 1);
        if (one.isReadingInPlace() && !path.await(() -> one.landed)) {
            giveUp(one);
            path.failLater("has not been read from for 100 ms, amid a payload that nobody wants any more");
        }
        frame.attachment = null;
        frame.payload = null;
    }

    /** Memory that is being read to is its owner's again: nothing but the end of the endpoint ends the read. */
    private void giveUp(Fetch one) {
        endpoint.giveUp(
                "memory into which rank " + path.peer() + " is read had to be taken back, and the read does not end");
        one.registration = null;
    }

    /** The path is over: what has come in is for nobody. Memory that is still being read to is given back when that is over. */
    void letGo() {
        for (int i = 0; i < slots.length; i++) {
            if (slots[i] >= 0) {
                endpoint.repost(slots[i]);
            }
            slots[i] = EMPTY;
        }
        amidFrame = false;
        for (Fetch one : fetches) {
            if (one.isReadingInPlace()) {
                giveUp(one);
            } else if (!one.reading || one.landed) {
                one.reading = false;
                giveBack(one);
            }
        }
        frame.clear();
    }
}
