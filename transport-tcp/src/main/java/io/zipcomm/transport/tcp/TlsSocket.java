package io.zipcomm.transport.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/**
 * TLS, by the platform's engine. A long read is decrypted to where it belongs; what is left of a record waits here. Besides
 * what the engine itself makes, a record costs no object.
 */
final class TlsSocket extends LayeredSocket {

    /** Records that are encrypted, and read, with one call of the operating system. */
    private static final int RECORDS = 4;

    private static final String NEWEST = "TLSv1.3";

    private final SSLEngine engine;
    private final int packetBytes;

    /** Encrypted input; starved means that it is less than a record. */
    private final LayeredInput in;

    /** Decrypted input for which there was no room above, from {@link #plainRead} to {@link #plainWrite}. */
    private final ByteBuffer plain;

    private final ByteBuffer[] nothing = {ByteBuffer.allocateDirect(0)};
    private int plainRead;
    private int plainWrite;

    private boolean established;
    private boolean inputEnded;
    private boolean endSaid;

    /**
     * @param under  connected
     * @param engine of a client, which verifies whom it speaks to
     */
    TlsSocket(StreamSocket under, SSLEngine engine) {
        super(under, (RECORDS + 1) * engine.getSession().getPacketBufferSize());
        this.engine = engine;
        packetBytes = engine.getSession().getPacketBufferSize();
        in = new LayeredInput(RECORDS * packetBytes);
        plain = ByteBuffer.allocateDirect(engine.getSession().getApplicationBufferSize());
    }

    // ---- handshake

    @Override
    boolean handshake() throws IOException {
        if (engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING && !established) {
            engine.beginHandshake();
        }
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> runTasks();
                case NEED_WRAP -> {
                    wrap(nothing, 1);
                    if (!flush()) {
                        return false;
                    }
                }
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    if (!handshakeInput()) {
                        return false;
                    }
                }
                case FINISHED, NOT_HANDSHAKING -> {
                    if (inputEnded) {
                        throw new SSLException("the other end said goodbye");
                    }
                    established = true;
                    return flush();
                }
            }
        }
    }

    /** Takes one record; false if it has not come in yet. */
    private boolean handshakeInput() throws IOException {
        flush();
        if (in.starved) {
            int bytes = in.fill(under());
            if (bytes < 0) {
                throw new SSLException("the connection ended");
            }
            if (bytes == 0) {
                return false;
            }
        }
        plain.clear();
        unwrap(plain);
        plainWrite = plain.position();
        plain.clear();
        return true;
    }

    private void runTasks() {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    // ---- in

    @Override
    boolean hasOwnInput() {
        return plainRead < plainWrite || !in.starved;
    }

    @Override
    public int read(ByteBuffer target, int position, int limit) throws IOException {
        try {
            return readNow(target, position, limit);
        } catch (SSLException e) {
            // In TLS 1.3 a server says only now that it does not accept our certificate.
            throw new IOException(TlsProblem.of(e), e);
        }
    }

    private int readNow(ByteBuffer target, int position, int limit) throws IOException {
        checkFailure();
        if (isPending()) {
            flush();
        }
        int at = position + takePlain(target, position, limit);
        boolean drained = false;
        while (at < limit && !inputEnded) {
            if (!in.starved) {
                at += decrypt(target, at, limit);
            } else if (drained) {
                break;
            } else {
                int bytes = in.fill(under());
                if (bytes == 0 || (bytes < 0 && at > position)) {
                    break;
                }
                if (bytes < 0) {
                    throw new SSLException("the connection was cut off: no end was announced");
                }
                // Less than there was room for: that was all, and what comes later is announced.
                drained = in.writeAt < in.bytes.capacity();
            }
        }
        return at == position && inputEnded ? -1 : at - position;
    }

    private int takePlain(ByteBuffer target, int position, int limit) {
        int bytes = Math.min(plainWrite - plainRead, limit - position);
        if (bytes > 0) {
            target.limit(limit).position(position);
            target.put(position, plain, plainRead, bytes);
            plainRead += bytes;
        }
        return Math.max(0, bytes);
    }

    /** Decrypts one record. Returns the number of bytes above. */
    private int decrypt(ByteBuffer target, int at, int limit) throws IOException {
        target.limit(limit).position(at);
        SSLEngineResult result = unwrap(target);
        int bytes = result.bytesProduced();
        if (result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW) {
            plain.clear();
            result = unwrap(plain);
            plainRead = 0;
            plainWrite = plain.position();
            plain.clear();
            bytes = takePlain(target, at, limit);
        }
        if (result.getStatus() == SSLEngineResult.Status.OK) {
            afterRecord(result);
        }
        return bytes;
    }

    private SSLEngineResult unwrap(ByteBuffer target) throws SSLException {
        in.bytes.limit(in.writeAt).position(in.readAt);
        SSLEngineResult result = engine.unwrap(in.bytes, target);
        in.readAt = in.bytes.position();
        in.bytes.clear();
        boolean stuck = result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW
                || (result.bytesConsumed() == 0 && result.getStatus() == SSLEngineResult.Status.OK);
        if (in.readAt == in.writeAt) {
            in.readAt = 0;
            in.writeAt = 0;
            in.starved = true;
        } else if (stuck) {
            in.starved = true;
        }
        inputEnded |= result.getStatus() == SSLEngineResult.Status.CLOSED;
        return result;
    }

    /** New keys and tickets may come at any time in TLS 1.3; a second handshake of TLS 1.2 is not taken part in. */
    private void afterRecord(SSLEngineResult result) throws IOException {
        HandshakeStatus status = result.getHandshakeStatus();
        if (status == HandshakeStatus.NOT_HANDSHAKING || status == HandshakeStatus.FINISHED) {
            return;
        }
        if (!engine.getSession().getProtocol().equals(NEWEST)) {
            throw new SSLException("the other end wants to renegotiate");
        }
        runTasks();
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP && roomBytes() >= packetBytes) {
            wrap(nothing, 1);
            if (!flush()) {
                refresh();
            }
        }
    }

    // ---- out

    @Override
    public long write(ByteBuffer[] sources, int count) throws IOException {
        checkFailure();
        long taken = 0;
        while (flush()) {
            int before = 0;
            // One record's room stays free for the last words.
            while (before >= 0 && hasRemaining(sources, count) && roomBytes() >= 2 * packetBytes) {
                before = wrap(sources, count);
                taken += Math.max(0, before);
            }
            if (!isPending()) {
                break;
            }
        }
        return taken;
    }

    private static boolean hasRemaining(ByteBuffer[] sources, int count) {
        for (int i = 0; i < count; i++) {
            if (sources[i].hasRemaining()) {
                return true;
            }
        }
        return false;
    }

    /** Makes one record. Returns how many bytes went into it, -1 if there was no progress. */
    private int wrap(ByteBuffer[] sources, int count) throws IOException {
        SSLEngineResult result = engine.wrap(sources, 0, count, room());
        filled();
        if (result.getStatus() == SSLEngineResult.Status.CLOSED && !endSaid) {
            throw new SSLException("the other end ended the connection");
        }
        return result.bytesConsumed() == 0 && result.bytesProduced() == 0 ? -1 : result.bytesConsumed();
    }

    // ---- the end

    @Override
    void sayEnd() throws IOException {
        if (!endSaid) {
            endSaid = true;
            engine.closeOutbound();
            if (roomBytes() >= packetBytes) {
                wrap(nothing, 1);
            }
        }
    }

    @Override
    void outputEnded() throws IOException {
        under().shutdownOutput();
    }
}
