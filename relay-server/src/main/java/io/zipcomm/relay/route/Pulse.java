package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.epoll.EpollTcpInfo;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.util.concurrent.TimeUnit;

/**
 * Keeps a data connection from being idle, and notices that nobody is at its other end: asks by PING, which the rank answers
 * by PONG. A rank that is busy may be late with that, but its system acknowledges what comes. Event loop only.
 */
public final class Pulse {

    /** So many probes of a full receiver in a row without an answer: its system is gone. A frozen process' system answers. */
    private static final int UNANSWERED_PROBES = 3;

    /** What a look found. */
    enum Finding {
        /** Nothing to be done. */
        NOTHING,
        /** The rank is to be asked. */
        ASK,
        /** Nobody is there. */
        DEAD
    }

    private final long intervalMs;
    private final long timeoutMs;
    private boolean heard = true;
    private long heardNs;
    private long askedNs;
    private int unanswered;

    /**
     * Made when the rank attaches.
     *
     * @param intervalMs time between questions
     * @param timeoutMs  silence after which nobody is there
     */
    public Pulse(long intervalMs, long timeoutMs, long nowNs) {
        this.intervalMs = intervalMs;
        this.timeoutMs = timeoutMs;
        heardNs = nowNs;
        askedNs = nowNs;
    }

    long timeoutMs() {
        return timeoutMs;
    }

    /** Something came in. */
    void heard() {
        heard = true;
    }

    /** PONG came in: whether anything was asked. */
    boolean answered() {
        if (unanswered == 0) {
            return false;
        }
        unanswered--;
        return true;
    }

    /**
     * Looks.
     *
     * @param excused whether silence means nothing now
     */
    Finding look(long nowNs, boolean excused, Channel channel) {
        if (heard || excused) {
            heard = false;
            heardNs = nowNs;
        }
        boolean silent = nowNs - heardNs > TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        if (silent && unanswered > 0 && !systemAnswers(channel)) {
            return Finding.DEAD;
        }
        if (nowNs - askedNs < TimeUnit.MILLISECONDS.toNanos(intervalMs)) {
            return Finding.NOTHING;
        }
        askedNs = nowNs;
        return Finding.ASK;
    }

    /** Whether the rank's operating system is known to have taken what it was sent, or to answer that there is no room. */
    private boolean systemAnswers(Channel channel) {
        if (!(channel instanceof EpollSocketChannel socket) || !socket.isOpen()) {
            return false;
        }
        EpollTcpInfo info = socket.tcpInfo();
        return info.unacked() > 0 ? info.lastAckRecv() < timeoutMs / 2 : info.probes() < UNANSWERED_PROBES;
    }

    /** Makes a PING, which counts as asked. */
    ByteBuf ask(Channel channel, int rank, int epoch) {
        unanswered++;
        ByteBuf frame = channel.alloc().directBuffer(Frame.HEADER_BYTES).writeZero(Frame.HEADER_BYTES);
        frame.setByte(Frame.VERSION_OFFSET, Frame.VERSION);
        frame.setByte(Frame.TYPE_OFFSET, FrameType.PING.number());
        frame.setIntLE(Frame.EPOCH_OFFSET, epoch);
        frame.setIntLE(Frame.SOURCE_OFFSET, rank);
        frame.setIntLE(Frame.DESTINATION_OFFSET, rank);
        return frame;
    }
}
