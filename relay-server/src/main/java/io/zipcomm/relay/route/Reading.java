package io.zipcomm.relay.route;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelConfig;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;

/**
 * How one connection is read. Little at a time, until it is a data connection: what comes then is many small things, each of
 * which wants an answer, and a stranger gets no memory for what it might say. Then as much as comes. Event loop only.
 */
public final class Reading extends DefaultMaxMessagesRecvByteBufAllocator {

    private static final int LITTLE_BYTES = 4 << 10;

    /** Buffers that are filled before other connections have their turn. */
    private static final int READS_AT_ONCE = 16;

    private final AdaptiveRecvByteBufAllocator sizes = new AdaptiveRecvByteBufAllocator();
    private boolean isMuch;

    /** For one connection. */
    public Reading() {
        super(1);
    }

    /** From the next read on. */
    void much() {
        isMuch = true;
        maxMessagesPerRead(READS_AT_ONCE);
    }

    @Override
    public ExtendedHandle newHandle() {
        return new Sizes((ExtendedHandle) sizes.newHandle());
    }

    private final class Sizes extends MaxMessageHandle {

        /** Learns from what comes. */
        private final ExtendedHandle much;

        Sizes(ExtendedHandle much) {
            this.much = much;
        }

        @Override
        public int guess() {
            return isMuch ? much.guess() : LITTLE_BYTES;
        }

        @Override
        public void reset(ChannelConfig config) {
            super.reset(config);
            much.reset(config);
        }

        @Override
        public void attemptedBytesRead(int bytes) {
            super.attemptedBytesRead(bytes);
            much.attemptedBytesRead(bytes);
        }

        @Override
        public void lastBytesRead(int bytes) {
            super.lastBytesRead(bytes);
            if (isMuch) {
                much.lastBytesRead(bytes);
            }
        }

        @Override
        public void readComplete() {
            if (isMuch) {
                much.readComplete();
            }
        }
    }
}
