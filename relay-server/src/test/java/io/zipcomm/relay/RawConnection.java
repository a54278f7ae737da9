package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Refused;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import javax.net.ssl.SSLSocketFactory;

/** A blocking connection to a relay that says what a test wants, right or wrong. Every read has a deadline. */
final class RawConnection implements AutoCloseable {

    static final int TIMEOUT_MS = 10_000;

    /** A frame as it came in. */
    static final class In {
        private final ByteBuffer header;
        private final byte[] payload;

        In(ByteBuffer header, byte[] payload) {
            this.header = header;
            this.payload = payload;
        }

        ByteBuffer header() {
            return header;
        }

        byte[] payload() {
            return payload;
        }

        FrameType type() {
            return FrameType.of(Frame.type(header, 0));
        }

        int source() {
            return Frame.source(header, 0);
        }

        long bytes() {
            return (long) Frame.HEADER_BYTES + payload.length;
        }
    }

    /** The connection itself, whatever it is wrapped in. */
    final Socket socket;

    private final OutputStream out;
    private final DataInputStream in;

    RawConnection(InetSocketAddress relay) {
        this(relay, 0);
    }

    /** With a receive buffer of its own size, if that is not 0. */
    RawConnection(InetSocketAddress relay, int receiveBytes) {
        this(new Socket(), relay, receiveBytes, null);
    }

    /** Over a socket that is not connected, in TLS unless that is null. */
    RawConnection(Socket socket, InetSocketAddress relay, int receiveBytes, SSLSocketFactory tls) {
        this.socket = socket;
        try {
            if (receiveBytes > 0) {
                socket.setReceiveBufferSize(receiveBytes);
            }
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(TIMEOUT_MS);
            socket.connect(relay, TIMEOUT_MS);
            Socket outermost = tls == null
                    ? socket
                    : tls.createSocket(socket, relay.getAddress().getHostAddress(), relay.getPort(), true);
            out = outermost.getOutputStream();
            in = new DataInputStream(new BufferedInputStream(outermost.getInputStream(), 1 << 16));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] frame(FrameType type, int epoch, int source, int destination, byte[] payload) {
        ByteBuffer frame =
                ByteBuffer.allocate(Frame.HEADER_BYTES + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        Frame.begin(frame, 0, type);
        Frame.payloadBytes(frame, 0, payload.length);
        Frame.epoch(frame, 0, epoch);
        Frame.source(frame, 0, source);
        Frame.destination(frame, 0, destination);
        if (type == FrameType.EAGER) {
            Frame.messageBytes(frame, 0, payload.length);
        }
        frame.put(Frame.HEADER_BYTES, payload);
        return frame.array();
    }

    static byte[] controlFrame(ToRelay message) {
        return frame(FrameType.CONTROL, 0, 0, 0, message.toByteArray());
    }

    /** Whether something has come. */
    boolean hasInput() {
        try {
            return in.available() > 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void send(ToRelay message) {
        write(controlFrame(message));
    }

    void write(byte[] bytes) {
        try {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next frame; null at the end of the connection. */
    In read() {
        try {
            byte[] header = new byte[Frame.HEADER_BYTES];
            in.readFully(header);
            ByteBuffer view = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
            assertNull(Frame.problem(view, 0));
            byte[] payload = new byte[Frame.payloadBytes(view, 0)];
            in.readFully(payload);
            return new In(view, payload);
        } catch (EOFException e) {
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next message, but for the relay's own word that a member goes on, which may come at any time. */
    ToRank readMessage() {
        ToRank message = readAnyMessage();
        while (message != null && saysThatOneGoesOn(message)) {
            message = readAnyMessage();
        }
        if (message == null) {
            throw new AssertionError("connection ended, expected a message");
        }
        return message;
    }

    /** The next message; null at the end. */
    ToRank readAnyMessage() {
        In frame = read();
        if (frame == null) {
            return null;
        }
        assertEquals(FrameType.CONTROL, frame.type());
        try {
            return ToRank.parseFrom(frame.payload());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean saysThatOneGoesOn(ToRank message) {
        return message.hasRevoke() && message.getRevoke().getReason().equals(Epoch.GOES_ON);
    }

    /** The next message, which must be of this kind. */
    ToRank expect(ToRank.MessageCase kind) {
        ToRank message = readMessage();
        assertEquals(kind, message.getMessageCase(), message::toString);
        return message;
    }

    /** The relay says no with this code and closes the connection. Of the end of a data connection it may have told before. */
    String expectRefusal(ErrorCode code) {
        ToRank message = readMessage();
        while (message.hasDetached()) {
            message = readMessage();
        }
        assertEquals(ToRank.MessageCase.REFUSED, message.getMessageCase(), message::toString);
        Refused refused = message.getRefused();
        assertEquals(code, ErrorCode.of(refused.getCode()), refused::getReason);
        expectEnd();
        return refused.getReason();
    }

    /** The end, where the relay may say before it that it has seen that of the data connection. */
    void expectEndAfterDetached() {
        ToRank message = readAnyMessage();
        while (message != null) {
            assertEquals(ToRank.MessageCase.DETACHED, message.getMessageCase(), message::toString);
            message = readAnyMessage();
        }
    }

    void expectEnd() {
        In frame = read();
        while (frame != null && frame.type() == FrameType.CONTROL && isWordOfOneThatGoesOn(frame)) {
            frame = read();
        }
        assertNull(frame, "a frame where the end of the connection is expected");
    }

    private static boolean isWordOfOneThatGoesOn(In frame) {
        try {
            return saysThatOneGoesOn(ToRank.parseFrom(frame.payload()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for the end, whatever comes before it and however it comes. */
    void awaitEnd() {
        try {
            while (in.read() >= 0) {
                in.skipNBytes(in.available());
            }
        } catch (SocketTimeoutException e) {
            throw new AssertionError("connection still open", e);
        } catch (IOException e) {
            // A reset is an end too.
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the connection as the system does when a process with unread input dies. */
    void reset() {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        close();
    }
}
