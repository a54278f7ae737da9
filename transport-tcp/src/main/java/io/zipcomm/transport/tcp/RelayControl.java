package io.zipcomm.transport.tcp;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The control connection to a relay. It has a thread of its own, so that a rank that computes is still seen to be alive.
 */
final class RelayControl implements ControlChannel, Runnable {

    /** Longest message. */
    private static final int MESSAGE_BYTES_MAX = Frame.PAYLOAD_BYTES_MAX;

    private static final long CLOSE_NS = 1_000_000_000;

    private final RelayAddress relay;
    private final Listener listener;
    private final Poller poller;
    private final ControlStream stream = new ControlStream();
    private final ConcurrentLinkedQueue<byte[]> outbox = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private final InetSocketAddress local;
    private final InetSocketAddress remote;
    private volatile boolean closing;
    private String ended;

    private RelayControl(
            Poller poller,
            ZipSettings settings,
            RelayAddress relay,
            int localPort,
            Listener listener,
            long deadlineNs,
            boolean patient) {
        this.relay = relay;
        this.listener = listener;
        this.poller = poller;
        try {
            StreamSocket socket =
                    RelaySockets.connect(poller, settings.access(), relay, localPort, stream, deadlineNs, patient);
            local = socket.local();
            remote = socket.remote();
            stream.open(socket);
        } catch (RuntimeException | Error e) {
            poller.close();
            throw e;
        }
        thread = poller.thread(this, "zip-control");
    }

    /** Takes a poller over, whatever comes of it. */
    static RelayControl open(
            Poller poller,
            ZipSettings settings,
            RelayAddress relay,
            int localPort,
            Listener listener,
            long deadlineNs,
            boolean patient) {
        RelayControl control = new RelayControl(poller, settings, relay, localPort, listener, deadlineNs, patient);
        control.thread.start();
        return control;
    }

    @Override
    public void send(byte[] message) {
        if (message.length > MESSAGE_BYTES_MAX) {
            throw new ZipException(ErrorCode.LIMIT, "a control message of " + message.length + " bytes");
        }
        outbox.add(message);
        poller.wakeup();
    }

    @Override
    public InetSocketAddress local() {
        return local;
    }

    @Override
    public InetSocketAddress remote() {
        return remote;
    }

    @Override
    public void run() {
        long nextTickNs = poller.nanoTime();
        long closeNs = 0;
        try {
            while (ended == null) {
                stream.flushStream();
                stream.readOn();
                long nowNs = poller.nanoTime();
                if (closing) {
                    closeNs = closeNs == 0 ? nowNs + CLOSE_NS : closeNs;
                    if (stream.isFlushed() || nowNs - closeNs >= 0) {
                        break;
                    }
                }
                if (nowNs - nextTickNs >= 0) {
                    nextTickNs = nowNs + listener.tickMs() * 1_000_000;
                    listener.tick();
                }
                long leftNs = Math.min(nextTickNs - nowNs, closing ? CLOSE_NS / 100 : Long.MAX_VALUE);
                // Other threads wake the poller; asking here for what they did would spin while the socket is full.
                poller.await(leftNs, () -> ended != null || stream.streams().hasToRead());
            }
        } catch (RuntimeException e) {
            ended = "failed: " + e;
            org.slf4j.LoggerFactory.getLogger(RelayControl.class).error("control connection to {} failed", relay, e);
        }
        stream.closeStream();
        poller.close();
        if (ended != null && !closing) {
            listener.ended(ended);
        } else if (ended != null) {
            listener.ended("closed");
        }
    }

    @Override
    public void close() {
        closing = true;
        poller.wakeup();
        if (Thread.currentThread() == thread) {
            return;
        }
        poller.join(thread, 2 * CLOSE_NS);
    }

    /** Frames of the control connection. The thread's only. */
    private final class ControlStream extends FrameStream {
        ControlStream() {
            super(new Streams(), true);
        }

        /** Reads what no event of the operating system will announce. */
        void readOn() {
            if (streams().hasToRead()) {
                streams().readNow();
            }
        }

        boolean isFlushed() {
            return outbox.isEmpty() && !hasOutput();
        }

        @Override
        boolean nextFrame(ByteBuffer header, int at, OutboundFrame frame) {
            byte[] message = outbox.poll();
            if (message == null) {
                return false;
            }
            frame.clear();
            Frame.begin(header, at, FrameType.CONTROL);
            Frame.payloadBytes(header, at, message.length);
            if (message.length > 0) {
                frame.payload = Payload.of(message);
                frame.bytes = message.length;
            }
            return true;
        }

        @Override
        void payloadTaken(OutboundFrame frame) {
            throw new IllegalStateException("nobody waits for a message to be copied");
        }

        @Override
        void headerReceived(ByteBuffer header, int at, InboundFrame frame) {
            if (Frame.type(header, at) != FrameType.CONTROL.number()) {
                throw new ZipException(ErrorCode.PROTOCOL, "the relay sent " + Frame.describe(header, at));
            }
            ByteBuffer message = ByteBuffer.allocate(frame.bytes);
            frame.payload = Payload.of(message, DataType.INT8);
            frame.attachment = message;
        }

        @Override
        void frameReceived(InboundFrame frame) {
            listener.message((ByteBuffer) frame.attachment);
        }

        @Override
        void streamEnded(ZipException failure) {
            ended = failure == null ? "closed by the relay" : failure.getMessage();
        }

        @Override
        String describe() {
            return "the relay at " + relay;
        }
    }
}
