package io.zipcomm.simulation;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/** One end of a simulated connection, as the system of its host has it: bytes come in order, or not at all. */
public final class StreamEnd {

    private enum Kind {
        BYTES,
        END,
        RESET
    }

    private record Piece(Kind kind, ByteBuffer bytes, long number, long sentNs, long atNs) {}

    private final Network network;
    private final Host host;
    private final InetSocketAddress local;
    private final InetSocketAddress remote;
    private StreamEnd other;
    private Runnable changed = () -> {};

    // Out.
    private final ArrayDeque<Piece> underWay = new ArrayDeque<>();
    private int unreadThere;
    private long arrivalNs;
    private boolean outputClosed;
    private boolean blocked;

    /** What is sent from here is lost. */
    private boolean lost;

    /** What is sent from now on is lost; what was sent arrives. */
    private boolean swallowed;

    // In.
    private final ArrayDeque<ByteBuffer> unread = new ArrayDeque<>();
    private int unreadBytes;
    private boolean inputEnded;
    private IOException broken;
    private boolean connected;
    private boolean closed;

    /** Of a control connection, as who opened it says. */
    private boolean control;

    /** What is said here before anything is heard; null if this end did not open the connection. */
    private Opening opening;

    private boolean heard;

    StreamEnd(Network network, Host host, InetSocketAddress local, InetSocketAddress remote) {
        this.network = network;
        this.host = host;
        this.local = local;
        this.remote = remote;
        host.add(this);
    }

    static void join(StreamEnd one, StreamEnd other) {
        one.other = other;
        other.other = one;
    }

    Host host() {
        return host;
    }

    /** The other end; null until it is connected. */
    StreamEnd other() {
        return other;
    }

    /** Address of this end. */
    public InetSocketAddress local() {
        return local;
    }

    /** Address of the other end. */
    public InetSocketAddress remote() {
        return remote;
    }

    /** This end is of a control connection. */
    public void setControl() {
        control = true;
    }

    boolean isControl() {
        return control;
    }

    /** From now on notes what this end says, until it hears something. */
    void remember(Opening said) {
        opening = said;
    }

    Opening opening() {
        return opening;
    }

    /** Says who is told when there may be something to read, room to write, or an end. */
    public void whenChanged(Runnable told) {
        changed = told;
    }

    private void change() {
        if (!host.isDead()) {
            changed.run();
        }
    }

    // ---- connecting

    void connected() {
        if (!closed && broken == null) {
            connected = true;
            change();
        }
    }

    void refused(String reason) {
        if (!closed) {
            broken = new IOException(reason);
            change();
        }
    }

    /** Whether the connection is there; throws if it came to nothing. */
    public boolean finishConnect() throws IOException {
        check();
        return connected;
    }

    private void check() throws IOException {
        if (closed) {
            throw new IOException("closed");
        }
        if (broken != null) {
            throw broken;
        }
    }

    // ---- out

    /** Takes bytes as far as there is room; says how many. */
    public int write(ByteBuffer bytes) throws IOException {
        check();
        if (outputClosed) {
            throw new IOException("Broken pipe");
        }
        int count = Math.min(bytes.remaining(), network.windowBytes() - unreadThere);
        blocked = count < bytes.remaining();
        if (count <= 0) {
            return 0;
        }
        ByteBuffer copy = ByteBuffer.allocate(count);
        copy.put(bytes.duplicate().limit(bytes.position() + count)).flip();
        if (opening != null && !heard) {
            opening.says(copy);
        }
        bytes.position(bytes.position() + count);
        unreadThere += count;
        while (copy.hasRemaining()) {
            int now = network.pieceBytes(copy.remaining());
            send(Kind.BYTES, copy.slice(copy.position(), now));
            copy.position(copy.position() + now);
        }
        return count;
    }

    private void send(Kind kind, ByteBuffer bytes) {
        if (other == null || swallowed) {
            return;
        }
        arrivalNs = Math.max(arrivalNs, network.nowNs() + network.latencyNs(host, other.host));
        underWay.add(new Piece(kind, bytes, network.nextPiece(), network.nowNs(), arrivalNs));
        network.time().at(arrivalNs, this::pump);
    }

    /** Delivers what has arrived. */
    void pump() {
        while (!underWay.isEmpty()
                && underWay.peek().atNs <= network.nowNs()
                && !lost
                && !other.host.isStopped()
                && network.passes(host, other.host)) {
            Piece piece = underWay.remove();
            other.host.came(piece.number);
            other.arrived(piece);
        }
    }

    /** No more bytes, but the other end may go on. */
    public void shutdownOutput() throws IOException {
        check();
        if (!outputClosed) {
            outputClosed = true;
            send(Kind.END, null);
        }
    }

    /** Whether there is room for bytes, or writing fails. */
    public boolean isWritable() {
        return broken != null || (connected && unreadThere < network.windowBytes());
    }

    /** For how long the other end's system has acknowledged nothing of what it was sent. */
    public long unacknowledgedMs() {
        Piece oldest = underWay.peek();
        return oldest == null || oldest.atNs > network.nowNs() ? 0 : (network.nowNs() - oldest.sentNs) / 1_000_000;
    }

    // ---- in

    private void arrived(Piece piece) {
        if (host.isDead()) {
            return;
        }
        if (closed) {
            // Nobody is there: the system says so.
            if (piece.kind == Kind.BYTES) {
                send(Kind.RESET, null);
            }
            return;
        }
        if (broken != null) {
            return;
        }
        switch (piece.kind) {
            case BYTES -> {
                unread.add(piece.bytes);
                unreadBytes += piece.bytes.remaining();
            }
            case END -> inputEnded = true;
            case RESET -> breakNow("Connection reset by peer");
        }
        change();
    }

    private void breakNow(String reason) {
        broken = new IOException(reason);
        unread.clear();
        unreadBytes = 0;
        // What is on the way and resets a connection tells both ends.
        underWay.removeIf(piece -> piece.kind != Kind.RESET);
    }

    /** Fills a buffer as far as bytes are there; says how many, or -1 at the end. */
    public int read(ByteBuffer target) throws IOException {
        check();
        int count = 0;
        while (target.hasRemaining() && !unread.isEmpty()) {
            ByteBuffer oldest = unread.peek();
            int now = Math.min(target.remaining(), oldest.remaining());
            target.put(oldest.slice(oldest.position(), now));
            oldest.position(oldest.position() + now);
            count += now;
            if (!oldest.hasRemaining()) {
                unread.remove();
            }
        }
        if (count == 0) {
            return inputEnded && target.hasRemaining() ? -1 : 0;
        }
        heard = true;
        unreadBytes -= count;
        StreamEnd sender = other;
        sender.unreadThere -= count;
        if (sender.blocked) {
            sender.blocked = false;
            network.time().after(network.latencyNs(host, sender.host), sender::change);
        }
        return count;
    }

    /** Bytes that can be read now. */
    public int readableBytes() {
        return unreadBytes;
    }

    /** Whether reading gives bytes, the end, or a failure. */
    public boolean isReadable() {
        return unreadBytes > 0 || inputEnded || broken != null;
    }

    // ---- the end

    /** Closes, as a system does: with bytes unread, or bytes that nobody will take, the other end sees a reset. */
    public void close() {
        end(unreadBytes > 0 ? Kind.RESET : Kind.END);
    }

    /** Closes so that the other end sees it break. */
    public void abort() {
        underWay.removeIf(piece -> piece.kind == Kind.BYTES && piece.atNs > network.nowNs());
        end(Kind.RESET);
    }

    private void end(Kind kind) {
        if (closed) {
            return;
        }
        closed = true;
        host.remove(this);
        unread.clear();
        unreadBytes = 0;
        if (other != null && broken == null && !(outputClosed && kind == Kind.END)) {
            outputClosed = true;
            send(kind, null);
        }
    }

    /** The machine is gone: nothing more comes from here, not even an end. */
    void vanish() {
        closed = true;
        lost = true;
        if (other != null) {
            other.lost = true;
        }
    }

    /** If this end is closed its system does not say so any more; it still refuses what comes. */
    void tiresIfClosed() {
        if (closed) {
            underWay.clear();
        }
    }

    /** Something on the way has forgotten the connection: what both ends send from now on is lost. */
    void forget() {
        lost = true;
        other.lost = true;
    }

    /**
     * Something on the way resets the connection: some of what is under way is lost, and nothing passes any more.
     *
     * @param here  whether this end is told
     * @param there whether the other end is
     */
    void reset(boolean here, boolean there) {
        loseSome(there);
        other.loseSome(here);
    }

    /** Loses the last of what is under way from here. */
    private void loseSome(boolean resets) {
        while (!underWay.isEmpty() && network.time().random().nextInt(4) != 0) {
            underWay.removeLast();
        }
        if (resets) {
            outputClosed = true;
            send(Kind.RESET, null);
        } else {
            swallowed = true;
        }
    }

    boolean isOpen() {
        return connected && !closed && broken == null && !lost;
    }

    @Override
    public String toString() {
        return local + " to " + remote + ": " + underWay.size() + " pieces under way, " + unreadThere
                + " bytes unread there, " + unreadBytes + " here"
                + (connected ? "" : ", not connected") + (closed ? ", closed" : "") + (lost ? ", forgotten" : "")
                + (broken == null ? "" : ", " + broken.getMessage());
    }
}
