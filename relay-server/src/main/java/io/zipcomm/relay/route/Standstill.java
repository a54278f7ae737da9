package io.zipcomm.relay.route;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.function.LongSupplier;

/**
 * Notices a peer that takes nothing of what waits for it. Looks at what the channel holds, now and then: it holds less than
 * before if the peer took something, since little or nothing is added while it is full. Event loop only.
 */
public final class Standstill {

    private final Channel channel;
    private final LongSupplier more;

    /** What the channel held when it was last looked at, and when it was last seen to hold less. */
    private long heldBytes;

    private long movedNs;
    private boolean looked;

    /** Begins to look at the first call. */
    public Standstill(Channel channel) {
        this(channel, () -> 0);
    }

    /**
     * The same where bytes wait for the channel.
     *
     * @param more how many
     */
    public Standstill(Channel channel, LongSupplier more) {
        this.channel = channel;
        this.more = more;
    }

    /** Bytes that the channel holds now, and that wait for it. */
    public long heldBytes() {
        ChannelOutboundBuffer held = channel.unsafe().outboundBuffer();
        return more.getAsLong() + (held == null ? 0 : held.totalPendingWriteBytes());
    }

    /**
     * Whether bytes have waited for longer than they may, and the peer took none.
     *
     * @param paused whether the relay itself stood still since the last call, so that there is nothing to be said
     */
    public boolean lasts(long nowNs, long timeoutNs, boolean paused) {
        long bytes = heldBytes();
        if (bytes == 0 || bytes < heldBytes || paused || !looked) {
            movedNs = nowNs;
            looked = true;
        }
        heldBytes = bytes;
        return nowNs - movedNs > timeoutNs;
    }
}
