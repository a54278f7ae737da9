package io.zipcomm.transport.aeron;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wakes one neighbour: a connection to its bell, a Unix domain socket, made when it is first needed. A neighbour without a
 * bell sleeps for short times only.
 *
 * <p>Engine holder only. Nothing blocks.
 */
final class Doorbell implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Doorbell.class);

    private final Path bell;
    private final ByteBuffer ring = ByteBuffer.allocateDirect(1);
    private SocketChannel channel;

    /** The sleep for which this end has rung. */
    private long rungFor;

    Doorbell(Path bell) {
        this.bell = bell;
    }

    /**
     * Wakes the neighbour, unless this end has done so for the same sleep.
     *
     * @param sleep as {@link Door#sleep} tells it, not 0
     */
    void ring(long sleep) {
        if (sleep == rungFor) {
            return;
        }
        rungFor = sleep;
        try {
            if (channel == null) {
                channel = SocketChannel.open(StandardProtocolFamily.UNIX);
                channel.configureBlocking(false);
                channel.connect(UnixDomainSocketAddress.of(bell));
            }
            ring.clear();
            // If there is no room, there are rings that the neighbour has not heard yet.
            channel.write(ring);
        } catch (IOException | RuntimeException e) {
            LOG.debug("{} cannot be rung, its owner looks for itself soon", bell, e);
            close();
        }
    }

    @Override
    public void close() {
        if (channel == null) {
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("closing a connection to {}", bell, e);
        }
        channel = null;
    }
}
