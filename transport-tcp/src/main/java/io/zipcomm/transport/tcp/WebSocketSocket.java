package io.zipcomm.transport.tcp;

import io.zipcomm.membership.Incarnation;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * The client's end of a WebSocket (RFC 6455). The stream of bytes is cut into binary messages anywhere, and those that come
 * in are joined again. Output is masked while it is copied; input in long messages is read to where it belongs.
 */
final class WebSocketSocket extends LayeredSocket {

    /** Longest frame that is sent; the relay takes no longer ones. */
    static final int FRAME_BYTES_MAX = 64 << 10;

    /** What makes the answer to a key; RFC 6455 section 1.3. */
    private static final String ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private static final int HEADER_BYTES_MAX = 14;
    private static final int CONTROL_BYTES_MAX = 125;
    private static final int IN_BYTES = 16 << 10;

    /** What is left of a frame is read directly to where it belongs from this length. */
    private static final int DIRECT_READ_BYTES_MIN = 4 << 10;

    private static final int KEY_BYTES = 16;
    private static final int SWITCHING_PROTOCOLS = 101;
    private static final int SERVER_ERROR = 500;
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int NORMAL_END = 1000;

    private static final int FIN = 0x80;
    private static final int RESERVED = 0x70;
    private static final int MASKED = 0x80;
    private static final int CONTINUATION = 0;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;
    private static final int SHORT_LENGTH = 126;
    private static final int LONG_LENGTH = 127;

    private final Masks masks = new Masks(Incarnation.random());
    private final String expectedAccept;

    private final LayeredInput in = new LayeredInput(IN_BYTES);
    private long payloadLeft;
    private boolean fragmented;
    private boolean inputEnded;

    // A ping or a close that is coming in.
    private int control;
    private int controlBytes;
    private final ByteBuffer controlPayload = ByteBuffer.allocate(CONTROL_BYTES_MAX);

    /** The answer to the latest ping; null if there is nothing to answer. */
    private byte[] pong;

    private boolean opened;
    private boolean closeSaid;

    WebSocketSocket(StreamSocket under, RelayAddress relay) {
        super(under, FRAME_BYTES_MAX + 2 * (HEADER_BYTES_MAX + CONTROL_BYTES_MAX));
        byte[] drawn = new byte[KEY_BYTES];
        Incarnation.random().nextBytes(drawn);
        String key = Base64.getEncoder().encodeToString(drawn);
        expectedAccept = accept(key);
        String host = relay.name().indexOf(':') >= 0 ? "[" + relay.name() + "]" : relay.name();
        String request = "GET " + relay.path() + " HTTP/1.1\r\n"
                + "Host: " + host + (relay.port() == relay.scheme().defaultPort() ? "" : ":" + relay.port()) + "\r\n"
                + "Upgrade: websocket\r\n"
                + "Connection: Upgrade\r\n"
                + "Sec-WebSocket-Key: " + key + "\r\n"
                + "Sec-WebSocket-Version: 13\r\n\r\n";
        room().put(request.getBytes(StandardCharsets.ISO_8859_1));
        filled();
    }

    private static String accept(String key) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-1")
                    .digest((key + ACCEPT_SUFFIX).getBytes(StandardCharsets.US_ASCII));
            return Base64.getEncoder().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-1", e);
        }
    }

    // ---- handshake

    @Override
    boolean handshake() throws IOException {
        flush();
        int end = HttpHead.end(in.bytes, in.writeAt);
        while (end < 0) {
            int bytes = under().read(in.bytes, in.writeAt, HttpHead.BYTES_MAX);
            in.bytes.clear();
            if (bytes < 0) {
                throw new IOException("the connection ended");
            }
            if (bytes == 0) {
                return false;
            }
            in.writeAt += bytes;
            end = HttpHead.end(in.bytes, in.writeAt);
        }
        check(HttpHead.read(in.bytes, end));
        in.readAt = end;
        in.starved = in.readAt == in.writeAt;
        opened = true;
        return true;
    }

    private void check(HttpHead answer) throws IOException {
        if (answer.status() != SWITCHING_PROTOCOLS) {
            String said = "the answer is '" + answer.statusLine() + "'";
            if (answer.status() >= SERVER_ERROR || answer.status() == TOO_MANY_REQUESTS) {
                throw new IOException(said);
            }
            throw new RelayRefusal(said + ": is it the relay's port and path?");
        }
        if (!answer.field("upgrade").equalsIgnoreCase("websocket")
                || !answer.field("sec-websocket-accept").equals(expectedAccept)
                || !answer.field("sec-websocket-extensions").isEmpty()) {
            throw new RelayRefusal("the answer does not fit the request: something in between changed or kept it");
        }
    }

    // ---- out

    @Override
    public long write(ByteBuffer[] sources, int count) throws IOException {
        checkFailure();
        long taken = 0;
        while (flush()) {
            int bytes = addFrame(sources, count);
            if (bytes == 0) {
                break;
            }
            taken += bytes;
        }
        return taken;
    }

    /** Puts a frame into the empty output. Returns the number of its bytes. */
    private int addFrame(ByteBuffer[] sources, int count) {
        long wanted = 0;
        for (int i = 0; i < count; i++) {
            wanted += sources[i].remaining();
        }
        int bytes = (int) Math.min(wanted, FRAME_BYTES_MAX);
        if (bytes == 0) {
            return 0;
        }
        ByteBuffer out = room();
        int key = addHeader(out, BINARY, bytes);
        int added = 0;
        for (int i = 0; i < count && added < bytes; i++) {
            int some = Math.min(bytes - added, sources[i].remaining());
            Masks.copy(sources[i], out, some, Masks.from(key, added));
            added += some;
        }
        filled();
        return bytes;
    }

    /** Returns the key by which the payload is to be masked. */
    private int addHeader(ByteBuffer out, int opcode, int bytes) {
        out.put((byte) (FIN | opcode));
        if (bytes < SHORT_LENGTH) {
            out.put((byte) (MASKED | bytes));
        } else if (bytes <= 0xffff) {
            out.put((byte) (MASKED | SHORT_LENGTH)).put((byte) (bytes >>> 8)).put((byte) bytes);
        } else {
            out.put((byte) (MASKED | LONG_LENGTH)).put(new byte[Integer.BYTES]);
            Masks.putKey(out, bytes);
        }
        int key = masks.next();
        Masks.putKey(out, key);
        return key;
    }

    private void addControl(int opcode, byte[] payload) {
        ByteBuffer out = room();
        int key = addHeader(out, opcode, payload.length);
        Masks.copy(ByteBuffer.wrap(payload), out, payload.length, key);
        filled();
    }

    @Override
    boolean hasOwnOutput() {
        return pong != null && !closeSaid;
    }

    @Override
    void addOwnOutput() {
        byte[] due = pong;
        pong = null;
        addControl(PONG, due);
    }

    // ---- in

    @Override
    boolean hasOwnInput() {
        return !in.starved;
    }

    @Override
    public int read(ByteBuffer target, int position, int limit) throws IOException {
        checkFailure();
        if (isPending() || pong != null) {
            flush();
        }
        int at = position;
        boolean drained = false;
        while (at < limit && !inputEnded) {
            if (!in.starved) {
                at += takeStaged(target, at, limit);
            } else if (drained) {
                break;
            } else {
                int room = readsDirectly(limit - at) ? (int) Math.min(payloadLeft, limit - at) : 0;
                int bytes = room > 0 ? under().read(target, at, at + room) : in.fill(under());
                if (bytes == 0 || (bytes < 0 && at > position)) {
                    break;
                }
                if (bytes < 0) {
                    throw new IOException("the connection was cut off: no end was announced");
                }
                drained = bytes < (room > 0 ? room : in.bytes.capacity() - (in.writeAt - bytes));
                if (room > 0) {
                    at += bytes;
                    payloadLeft -= bytes;
                }
            }
        }
        if (pong != null && !flush()) {
            refresh();
        }
        return at == position && inputEnded ? -1 : at - position;
    }

    private boolean readsDirectly(int room) {
        return in.readAt == in.writeAt
                && control == 0
                && payloadLeft >= DIRECT_READ_BYTES_MIN
                && room >= DIRECT_READ_BYTES_MIN;
    }

    /** Takes what has come in. Returns the number of bytes above. */
    private int takeStaged(ByteBuffer target, int at, int limit) throws IOException {
        if (in.readAt == in.writeAt) {
            in.starved = true;
            return 0;
        }
        if (control != 0) {
            takeControl();
            return 0;
        }
        if (payloadLeft == 0) {
            in.starved = !header();
            return 0;
        }
        int bytes = (int) Math.min(payloadLeft, Math.min(in.writeAt - in.readAt, limit - at));
        target.limit(limit).position(at);
        target.put(at, in.bytes, in.readAt, bytes);
        in.readAt += bytes;
        payloadLeft -= bytes;
        return bytes;
    }

    /** Reads a frame's header; false if it has not come in yet. */
    private boolean header() throws IOException {
        int there = in.writeAt - in.readAt;
        if (there < 2) {
            return false;
        }
        int first = in.bytes.get(in.readAt) & 0xff;
        int length = in.bytes.get(in.readAt + 1) & 0xff;
        int more = length == LONG_LENGTH ? Long.BYTES : length == SHORT_LENGTH ? Short.BYTES : 0;
        if ((first & RESERVED) != 0 || (length & MASKED) != 0) {
            throw new ProtocolException("a WebSocket frame that begins with " + first + ", " + length);
        }
        if (there < 2 + more) {
            return false;
        }
        long bytes = more == Long.BYTES
                ? in.bytes.getLong(in.readAt + 2)
                : more == Short.BYTES ? in.bytes.getShort(in.readAt + 2) & 0xffff : length;
        in.readAt += 2 + more;
        begin(first & 0xf, (first & FIN) != 0, bytes);
        return true;
    }

    private void begin(int opcode, boolean whole, long bytes) throws IOException {
        if (opcode >= CLOSE) {
            if (opcode > PONG || !whole || bytes < 0 || bytes > CONTROL_BYTES_MAX) {
                throw new ProtocolException("a WebSocket control frame " + opcode + " of " + bytes + " bytes");
            }
            control = opcode;
            controlBytes = (int) bytes;
            controlPayload.clear();
            takeControl();
            return;
        }
        if (bytes < 0 || opcode != (fragmented ? CONTINUATION : BINARY)) {
            throw new ProtocolException("a WebSocket frame of kind " + opcode + " with " + bytes + " bytes");
        }
        fragmented = !whole;
        payloadLeft = bytes;
    }

    private void takeControl() {
        int bytes = Math.min(controlBytes - controlPayload.position(), in.writeAt - in.readAt);
        for (int i = 0; i < bytes; i++) {
            controlPayload.put(in.bytes.get(in.readAt + i));
        }
        in.readAt += bytes;
        if (controlPayload.position() < controlBytes) {
            return;
        }
        if (control == PING) {
            pong = new byte[controlBytes];
            controlPayload.flip().get(pong);
        }
        inputEnded |= control == CLOSE;
        control = 0;
    }

    // ---- the end

    @Override
    void sayEnd() {
        if (!closeSaid && opened) {
            closeSaid = true;
            addControl(CLOSE, new byte[] {(byte) (NORMAL_END >>> 8), (byte) NORMAL_END});
        }
    }

    /** The other end answers by ending the connection; to end the output below would end the whole at some proxies. */
    @Override
    void outputEnded() {
        // It has been said.
    }
}
