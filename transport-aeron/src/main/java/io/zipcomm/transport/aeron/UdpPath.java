package io.zipcomm.transport.aeron;

import io.aeron.AeronCounters;
import io.aeron.ExclusivePublication;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.exceptions.AeronException;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.Hello;
import org.agrona.concurrent.status.ReadablePosition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A path over Aeron's UDP streams: one in each direction. It opens in steps, which {@link #climb} takes as they become
 * possible: each end sends on a stream to the other, which makes the other do the same; then the {@link StreamHandshake}.
 *
 * <p>A stream that ends is not known to have arrived. So the last message of each direction is answered, and a rank that
 * leaves waits for that, for a while.
 *
 * <p>Between hosts it is a path that may be forgotten. Where links have the way through the relay, silence ends it soon, and another path
 * to the same peer may be opened later, in sessions of its own.
 */
final class UdpPath extends StreamPath {

    private static final Logger LOG = LoggerFactory.getLogger(UdpPath.class);

    /** Longest frame, about. */
    private static final int FRAME_BYTES = 64 << 10;

    /** How long a path may take to open. The peer may have to load a lot, on a machine where all do. */
    private static final long OPEN_NS_MAX = 10_000_000_000L;

    /**
     * Silence of a peer on another host after which the path is lost, if there is another way. It is not known whether the peer stands still
     * or its datagrams get lost, so this is as long as the relay waits before its verdict on one that is silent there, too.
     */
    static final long LOST_AFTER_NS = 5_000_000_000L;

    /** How long to wait for the word that everything has arrived. */
    private static final long ANSWER_NS_MAX = 1_000_000_000;

    /** How far the path is. */
    private enum State {
        /** Waits for a stream that the peer takes. */
        BEGUN,
        /** Has said OPEN. */
        GREETED,
        /** Has said CONFIRM: there is no way back. */
        CONFIRMED,
        OPEN,
        CLOSED
    }

    private final UdpTransport transport;
    private final UdpEndpoint endpoint;
    private final int peer;
    private final long dueNs;
    private final StreamHandshake handshake;
    private final UdpRoutes routes;
    private final boolean forgettable;
    private final Standstill silence = new Standstill();
    private State state = State.BEGUN;
    private boolean wanted;

    // Null until known.
    private ExclusivePublication publication;
    private Image image;
    private UdpInput input;
    private UdpOutput output;
    private UdpTail tail;

    private boolean inputOpen;
    private boolean inputEnded;

    /** The peer has read everything. */
    private boolean heard;

    private long answerDueNs;

    /** The handler has been told that the path broke. */
    private boolean broken;

    /**
     * Begins to open it.
     *
     * @param round as {@link UdpNames#sessionTo} has it
     */
    UdpPath(UdpTransport transport, UdpEndpoint endpoint, int peer, int round, long nowNs) {
        super(peer);
        this.transport = transport;
        this.endpoint = endpoint;
        this.peer = peer;
        dueNs = nowNs + OPEN_NS_MAX;
        handshake = new StreamHandshake(transport.view(), peer);
        routes = new UdpRoutes(endpoint, transport.view(), peer, round);
        forgettable = !UdpRoutes.isLocal(transport.view(), peer);
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

    /** Whether another path to the peer may follow this one: it was open, and is lost. */
    boolean mayReturn() {
        boolean isLost = output != null && !inputEnded && !output.isEnded();
        return isLost && forgettable && transport.hasOtherWay();
    }

    /** The peer's round of sessions; -1 if nothing has come. */
    int peerRound() {
        return image == null ? -1 : endpoint.names().round(image.sessionId());
    }

    /** Whether nothing of it is read or written any more. */
    boolean isOver() {
        return state == State.CLOSED || broken;
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
        if (publication == null) {
            publication = routes.connected();
            if (publication != null) {
                routes.closeBut(publication);
            }
        }
        checkThatItIsWelcome(nowNs);
        if (state == State.BEGUN && publication != null && handshake.say(Hello.OPEN, publication)) {
            state = State.GREETED;
        }
        listen();
        if (state == State.GREETED && handshake.isOpened() && handshake.say(Hello.CONFIRM, publication)) {
            state = State.CONFIRMED;
        }
        if (state == State.CONFIRMED && handshake.isConfirmed()) {
            output = new UdpOutput(
                    this,
                    publication,
                    position(AeronCounters.DRIVER_SENDER_POSITION_TYPE_ID),
                    position(AeronCounters.DRIVER_SENDER_LIMIT_TYPE_ID),
                    transport.cast(),
                    transport.counters());
            tail = new UdpTail(publication.position());
            input = new UdpInput(this, image, endpoint, transport.counters());
            state = State.OPEN;
            transport.opened(this);
        }
    }

    private void checkThatItIsWelcome(long nowNs) {
        boolean isRefused = publication == null ? routes.isRefused() : !publication.isConnected();
        if (isRefused || (image != null && image.isClosed())) {
            throw new ZipException(ErrorCode.UNREACHABLE, "rank " + peer + " wants no connection over UDP");
        }
        if (publication == null && routes.isEmpty()) {
            throw new ZipException(ErrorCode.UNREACHABLE, "rank " + peer + " has no address that UDP can be sent to");
        }
        boolean mayGiveUp = state != State.CONFIRMED;
        if (mayGiveUp && nowNs - dueNs >= 0) {
            throw new ZipException(
                    ErrorCode.UNREACHABLE,
                    "no connection over UDP within " + OPEN_NS_MAX / 1_000_000 + " ms: rank " + peer
                            + (publication == null ? " does not answer at " + routes : " answers, and sends nothing"));
        }
    }

    /** Reads the handshake, and nothing behind it. */
    private void listen() {
        if (image != null) {
            handshake.hear(image);
            return;
        }
        Subscription all = endpoint.subscription();
        for (int i = 0; i < all.imageCount() && image == null; i++) {
            Image one = all.imageAtIndex(i);
            if (transport.isOf(peer, one) && !one.isClosed()) {
                image = opens(one) ? one : null;
            }
        }
    }

    /** Whether the peer says OPEN here. Who says something else is not the peer, and does not keep it out. */
    private boolean opens(Image one) {
        try {
            handshake.hear(one);
        } catch (ZipException e) {
            LOG.info("{}: {}", transport.view(), e.getMessage());
            transport.reject(one);
        }
        return handshake.isOpened();
    }

    /** A position that the driver keeps for the stream that goes out. */
    private ReadablePosition position(int type) {
        ReadablePosition position = endpoint.position(type, publication.registrationId());
        if (position == null) {
            throw new ZipException(ErrorCode.UNREACHABLE, "Aeron has no counter for the stream to rank " + peer);
        }
        return position;
    }

    /** Where the peer is sent to, as channels have it. */
    String address() {
        return routes.address();
    }

    /** What goes out to the peer; null until the path is open. */
    UdpOutput way() {
        return output;
    }

    // ---- path

    @Override
    public String name() {
        return UdpTransport.NAME;
    }

    /** What makes a frame fill its messages; the same on all paths if frames may be cast. */
    @Override
    public int fragmentBytesMax() {
        int messageBytes = Math.min(publication.maxPayloadLength(), transport.messageBytesMax());
        return Math.max(1, FRAME_BYTES / messageBytes) * messageBytes - Frame.HEADER_BYTES;
    }

    @Override
    public boolean isForgettable() {
        return forgettable;
    }

    /** Each frame is a message of its own. */
    @Override
    public boolean takesFollowers() {
        return false;
    }

    @Override
    public int missingBytes() {
        return input == null ? 0 : input.missingBytes();
    }

    @Override
    public void openInput() {
        inputOpen = true;
    }

    @Override
    public void flush() {
        if (isWritable()) {
            output.flush();
            send();
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
            answerDueNs = System.nanoTime() + ANSWER_NS_MAX;
            output.end();
            send();
        }
    }

    /** Has the driver send what is in the stream, so that it does not wait for the next turn. */
    private void send() {
        if (isWritable() && output.isUnsent()) {
            transport.send(output);
        }
    }

    @Override
    public void close() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        transport.closed(this);
        transport.castEnded(output);
        if (endpoint.aeron().isClosed()) {
            return;
        }
        if (inputEnded && output.isEnded() && !broken) {
            // What was written last may have to be sent once more.
            publication.close();
        } else {
            refuse();
        }
        routes.closeBut(null);
    }

    /** Tells the peer that nothing of it is read any more, but for what it sends on the next path. */
    private void refuse() {
        Subscription all = endpoint.subscription();
        for (int i = 0; i < all.imageCount(); i++) {
            Image one = all.imageAtIndex(i);
            boolean isNext = image != null && endpoint.names().round(one.sessionId()) != peerRound();
            if (endpoint.names().sender(one.sessionId()) == peer && !isNext) {
                transport.reject(one);
            }
        }
        Image cast = endpoint.cast(peer);
        if (cast != null) {
            transport.reject(cast);
        }
    }

    // ---- turns

    @Override
    boolean isWritable() {
        return state == State.OPEN && output != null && !broken;
    }

    @Override
    boolean reads() {
        return state == State.OPEN && inputOpen && !broken;
    }

    boolean isInputEnded() {
        return inputEnded;
    }

    boolean hasOutput() {
        return isWritable() && (output.isWaiting() || output.isUnsent() || isAnswerDue());
    }

    /** Whether the last messages of both ends may still have to be sent once more. */
    private boolean isAnswerDue() {
        return output.isEnded()
                && !(heard && inputEnded)
                && publication.isConnected()
                && System.nanoTime() - answerDueNs < 0;
    }

    /** There is news for Aeron's client. */
    void lookSoon() {
        transport.lookSoon();
    }

    /** A turn of an open path. Returns how much there was to do. */
    int turn() {
        int work = reads() ? input.poll() : 0;
        if (isWritable()) {
            if (output.isWaiting()) {
                output.flush();
            }
            work += isWritable() && output.hasMoved() ? 1 : 0;
        }
        return work;
    }

    /** Looks whether the peer lacks something, or has ended the path. What came in before is read first. */
    void look(long nowNs) {
        if (isWritable() && tail.isDue(publication.position(), nowNs)) {
            output.tellSoFar();
            tail.said(publication.position(), nowNs);
            send();
        }
        if (broken || state != State.OPEN || (inputEnded && output.isEnded())) {
            return;
        }
        boolean isGone = !publication.isConnected() || (inputOpen && input.isOver());
        boolean isDrained = isGone && (!reads() || input.isDrained());
        if (isDrained) {
            end(new ZipException(ErrorCode.PEER_LOST, "rank " + peer + " ended its connection over UDP, or is silent"));
        } else if (isSilent(nowNs)) {
            end(new ZipException(
                    ErrorCode.PEER_LOST,
                    "nothing came from rank " + peer + " over UDP in " + LOST_AFTER_NS / 1_000_000 + " ms"));
        } else if (reads() && input.isStuck(nowNs)) {
            end(new ZipException(
                    ErrorCode.PEER_LOST, "of what rank " + peer + " sent to all peers at once, some does not come in"));
        }
    }

    private boolean isSilent(long nowNs) {
        return forgettable
                && transport.hasOtherWay()
                && silence.look(true, endpoint.signs().of(peer), nowNs) > LOST_AFTER_NS;
    }

    // ---- frames

    /** The peer's last frame was read. */
    void inputEnded() {
        inputEnded = true;
        output.answer();
        handler().ended(this, null);
    }

    /** The peer has read this end's last frame. */
    void heard() {
        heard = true;
    }

    @Override
    void end(ZipException failure) {
        if (broken || state != State.OPEN) {
            return;
        }
        broken = true;
        transport.castEnded(output);
        try {
            refuse();
            routes.closeBut(null);
        } catch (AeronException e) {
            failure.addSuppressed(e);
        }
        handler().ended(this, failure);
    }
}
