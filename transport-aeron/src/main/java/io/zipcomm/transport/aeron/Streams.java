package io.zipcomm.transport.aeron;

import io.aeron.ChannelUriStringBuilder;
import io.aeron.CommonContext;
import io.aeron.ExclusivePublication;
import io.aeron.Image;
import io.aeron.Subscription;
import io.zipcomm.membership.Incarnation;
import org.agrona.CloseHelper;

/**
 * The two streams between a pair of ranks at one media driver. The one that comes in has a number that its reader has chosen
 * at random, so that groups that share a driver do not meet.
 *
 * <p>Engine holder only. Nothing blocks: what the driver has to make is asked for, and looked for later.
 */
final class Streams implements AutoCloseable {

    private static final int MTU_BYTES = IpcOutput.MESSAGE_BYTES_MAX + 32;

    private final DriverClient client;
    private final int number;
    private final long subscriptionId;

    /** 0 before it was asked for. */
    private long publicationId;

    private Subscription subscription;
    private ExclusivePublication publication;

    /** Asks for the stream that comes in. */
    Streams(DriverClient client) {
        this.client = client;
        number = Incarnation.random().nextInt(1, Integer.MAX_VALUE);
        subscriptionId = client.aeron().asyncAddSubscription(CommonContext.IPC_CHANNEL, number);
    }

    DriverClient client() {
        return client;
    }

    /** The stream that comes in. */
    int number() {
        return number;
    }

    /** Whether the stream that comes in can be sent on. */
    boolean isListening() {
        if (subscription == null) {
            subscription = client.aeron().getSubscription(subscriptionId);
        }
        return subscription != null;
    }

    /**
     * Whether the peer's stream can be sent on; asks for it if that has not been done.
     *
     * @param peersNumber the stream on which the peer wants to be sent to
     * @param termBytes   of its buffers
     */
    boolean reach(int peersNumber, int termBytes) {
        if (publicationId == 0) {
            publicationId = client.aeron().asyncAddExclusivePublication(channel(termBytes), peersNumber);
        }
        if (publication == null) {
            publication = client.aeron().getExclusivePublication(publicationId);
        }
        return publication != null && publication.isConnected();
    }

    private static String channel(int termBytes) {
        return new ChannelUriStringBuilder()
                .media(CommonContext.IPC_MEDIA)
                .termLength(termBytes)
                .mtu(MTU_BYTES)
                .sparse(false)
                .build();
    }

    /** The stream to the peer, once it is {@link #reach reached}. */
    ExclusivePublication publication() {
        return publication;
    }

    /** The stream of the peer; null before it has come. */
    Image image() {
        return isListening() && subscription.imageCount() > 0 ? subscription.imageAtIndex(0) : null;
    }

    @Override
    public void close() {
        if (client.aeron().isClosed()) {
            return;
        }
        if (publication == null && publicationId != 0) {
            client.aeron().asyncRemovePublication(publicationId);
        }
        if (subscription == null) {
            client.aeron().asyncRemoveSubscription(subscriptionId);
        }
        CloseHelper.closeAll(publication, subscription);
    }
}
