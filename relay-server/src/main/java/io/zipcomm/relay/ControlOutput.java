package io.zipcomm.relay;

import io.netty.channel.Channel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.ssl.SslHandler;
import io.zipcomm.relay.route.Standstill;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What goes out on one control connection, in order. The channel gets as much as it takes soon; the rest waits here, where
 * what all ranks are told is there once for all of them. Event loop only.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class ControlOutput {

    private static final WriteBufferWaterMark CHANNEL_BYTES = new WriteBufferWaterMark(16 << 10, 32 << 10);
    private static final int SLICE_BYTES_MAX = 16 << 10;

    private final Channel channel;
    private final ControlBacklog backlog;
    private final Deque<ControlFrame> waiting = new ArrayDeque<>();
    private final Standstill standstill;

    /** TLS makes copies. */
    private final boolean copied;

    private long waitingBytes;

    /** Bytes of the oldest frame that the channel has been given. */
    private int begun;

    ControlOutput(Channel channel, ControlBacklog backlog) {
        this.channel = channel;
        this.backlog = backlog;
        standstill = new Standstill(channel, () -> waitingBytes);
        copied = channel.pipeline().get(SslHandler.class) != null;
        channel.config().setWriteBufferWaterMark(CHANNEL_BYTES);
    }

    /** Bytes that have not left, those that the channel holds included. */
    long heldBytes() {
        return standstill.heldBytes();
    }

    /** Bytes for which the channel has no room. */
    long waitingBytes() {
        return waitingBytes;
    }

    /** Whether bytes have waited for longer than they may, and the peer took none. */
    boolean standsStill(long nowNs, long timeoutNs, boolean paused) {
        return standstill.lasts(nowNs, timeoutNs, paused);
    }

    /** Puts a frame, which stays the caller's, behind what waits; {@link #flush} sends it. */
    void add(ControlFrame frame) {
        waiting.add(frame.retain());
        waitingBytes += frame.bytes();
    }

    /** Gives the channel what it takes. Also to be called when it takes more again. */
    void flush() {
        while (!waiting.isEmpty() && channel.isWritable()) {
            writeSome();
        }
        channel.flush();
    }

    /** Gives the channel all that waits, whether it takes that or not: the end follows. */
    void finish() {
        while (!waiting.isEmpty()) {
            writeSome();
        }
    }

    private void writeSome() {
        ControlFrame oldest = waiting.element();
        int from = begun;
        int count = Math.min(SLICE_BYTES_MAX, oldest.bytes() - from);
        oldest.retain();
        // Before the write, which may call flush.
        waitingBytes -= count;
        begun = from + count;
        if (begun == oldest.bytes()) {
            begun = 0;
            waiting.remove().release();
        }
        int copyBytes = copied ? count : 0;
        backlog.held(copyBytes);
        channel.write(oldest.slice(from, count)).addListener(done -> {
            backlog.held(-copyBytes);
            oldest.release();
        });
    }

    /** Throws away what waits. */
    void clear() {
        waiting.forEach(ControlFrame::release);
        waiting.clear();
        waitingBytes = 0;
        begun = 0;
    }
}
