package io.zipcomm.transport.aeron;

import io.aeron.AeronCounters;
import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.exceptions.AeronException;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.zipcomm.buffer.Payload;
import java.util.ArrayList;
import java.util.List;
import org.agrona.BitUtil;
import org.agrona.concurrent.status.ReadablePosition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stream in which a rank casts: the driver sends what is written to it to each peer, and again until it has arrived. Made
 * when it is asked for first.
 *
 * <p>Engine holder only. Nothing is allocated once it is open.
 */
final class UdpCastStream implements UdpCast.Stream {

    private static final Logger LOG = LoggerFactory.getLogger(UdpCastStream.class);

    /** A claim that meets the end of a term is repeated; that it meets another at once cannot be. */
    private static final int CLAIMS_MAX = 3;

    private static final long NOT_BEGUN = -1;

    /** Of a message that is nothing but there, for {@link UdpTail}. */
    private static final int WORD_BYTES = Long.BYTES;

    /** A destination that cannot be sent to stops all of them. So long it may, as when a route is missing for a moment. */
    private static final long STANDSTILL_NS_MAX = 1_000_000_000;

    private final UdpEndpoint endpoint;
    private final BufferClaim claim = new BufferClaim();
    private final StreamMemory memory = new StreamMemory();

    private boolean wanted;
    private long sentBefore;
    private boolean failed;
    private long registration = NOT_BEGUN;

    // Null until made.
    private ExclusivePublication publication;
    private ReadablePosition sent;

    /** How far the driver may send: as far as all readers have room. */
    private ReadablePosition limit;

    private UdpTail tail;

    private final List<Reader> readers = new ArrayList<>();
    private final Standstill standstill = new Standstill();

    /** A peer, to which the stream goes as long as the peer can be sent to. */
    private static final class Reader {
        final UdpPath path;
        final String channel;
        final Standstill standstill = new Standstill();
        boolean isDestination;

        Reader(UdpPath path) {
            this.path = path;
            channel = "aeron:udp?endpoint=" + path.address();
        }

        /** Whether it is to be one from now on. What it lacks then is sent again. */
        boolean deserves(boolean allStand, long nowNs) {
            if (path.isOver()) {
                return false;
            }
            // Others may wait for what they lack, and have no room for more.
            UdpOutput way = path.way();
            long standsNs = standstill.look(way.isDue(), way.sentPosition(), nowNs);
            return isDestination ? !allStand || standsNs <= STANDSTILL_NS_MAX : standsNs == 0;
        }
    }

    UdpCastStream(UdpEndpoint endpoint) {
        this.endpoint = endpoint;
    }

    // ---- making

    /** Whether somebody has asked for it, and it is not made yet. */
    boolean isDue() {
        return wanted && publication == null && !failed;
    }

    /**
     * Takes the next step towards it, if that is possible.
     *
     * @param paths   to all peers
     * @param isLocal whether all of them are on this host
     */
    void make(List<UdpPath> paths, boolean isLocal) {
        try {
            if (registration == NOT_BEGUN) {
                boolean isV6 = paths.stream().anyMatch(path -> path.address().startsWith("["));
                registration = endpoint.publishCast(paths.size(), isLocal, isV6);
                return;
            }
            // Asked first: each question takes one of the driver's answers, which may be that the stream is made.
            boolean mayCome = endpoint.aeron().isCommandActive(registration);
            ExclusivePublication made = endpoint.aeron().getExclusivePublication(registration);
            if (made != null) {
                take(made, paths);
            } else if (!mayCome) {
                failed = true;
            }
        } catch (AeronException e) {
            LOG.info("nothing is sent to all peers at once: {}", e.getMessage());
            failed = true;
        }
    }

    private void take(ExclusivePublication made, List<UdpPath> paths) {
        sent = endpoint.position(AeronCounters.DRIVER_SENDER_POSITION_TYPE_ID, made.registrationId());
        limit = endpoint.position(AeronCounters.DRIVER_SENDER_LIMIT_TYPE_ID, made.registrationId());
        failed = sent == null || limit == null;
        publication = made;
        tail = new UdpTail(made.position());
        for (UdpPath path : paths) {
            Reader reader = new Reader(path);
            readers.add(reader);
            destine(reader, true);
        }
    }

    private void destine(Reader reader, boolean isDestination) {
        reader.isDestination = isDestination;
        if (isDestination) {
            publication.asyncAddDestination(reader.channel);
        } else {
            publication.asyncRemoveDestination(reader.channel);
        }
    }

    /** Looks whether all get what is in it; to be called every few milliseconds. */
    void look(long nowNs) {
        if (publication == null || failed) {
            return;
        }
        boolean allStand = standstill.look(isUnsent(), sent.getVolatile(), nowNs) > STANDSTILL_NS_MAX;
        // By index: an iterator is garbage.
        for (int i = 0; i < readers.size(); i++) {
            Reader reader = readers.get(i);
            boolean deserves = reader.deserves(allStand, nowNs);
            if (deserves != reader.isDestination) {
                LOG.debug("what all get alike is {} sent to {}", deserves ? "again" : "not", reader.channel);
                destine(reader, deserves);
            }
        }
        // Readers pass it with the next payload that is referred to.
        if (tail.isDue(publication.position(), nowNs) && publication.isConnected() && hasRoom(WORD_BYTES)) {
            if (claim(WORD_BYTES) > 0) {
                claim.commit();
            }
            tail.said(publication.position(), nowNs);
        }
    }

    // ---- writing

    @Override
    public boolean isOpen() {
        wanted = true;
        return publication != null && !failed && publication.isConnected();
    }

    @Override
    public boolean hasRoom(int bytes) {
        long position = publication.position();
        long room = Math.min(limit.getVolatile() - position, publication.availableWindow());
        return room >= logBytesMax(bytes);
    }

    /** What some bytes take in the stream at most, the rest of a term that is left empty included. */
    private long logBytesMax(int bytes) {
        int longest = publication.maxPayloadLength();
        int whole = (bytes - 1) / longest;
        int needed = whole * logBytes(longest) + logBytes(bytes - whole * longest);
        int left = publication.termBufferLength() - publication.termOffset();
        return needed <= left ? needed : needed + Math.min(left, logBytes(longest));
    }

    @Override
    public long write(Payload payload, long offset, int bytes) {
        long begin = -1;
        int moved = 0;
        while (moved < bytes) {
            int length = Math.min(publication.maxPayloadLength(), bytes - moved);
            long end = claim(length);
            if (end < 0) {
                LOG.warn("nothing is sent to all peers at once any more: {}", Publication.errorString(end));
                failed = true;
                return -1;
            }
            payload.copyOut(
                    offset + moved,
                    memory.of(claim.buffer()),
                    claim.buffer().wrapAdjustment() + claim.offset(),
                    length);
            claim.commit();
            begin = moved == 0 ? end - logBytes(length) : begin;
            moved += length;
        }
        return begin;
    }

    /** What a message takes in the stream. */
    static int logBytes(int payloadBytes) {
        return BitUtil.align(payloadBytes + DataHeaderFlyweight.HEADER_LENGTH, FrameDescriptor.FRAME_ALIGNMENT);
    }

    private long claim(int bytes) {
        long end = publication.tryClaim(bytes, claim);
        for (int i = 1; i < CLAIMS_MAX && end == Publication.ADMIN_ACTION; i++) {
            end = publication.tryClaim(bytes, claim);
        }
        return end;
    }

    /** Whether the driver has sent something since this was asked last. */
    boolean hasMoved() {
        if (publication == null || failed) {
            return false;
        }
        long now = sent.getVolatile();
        boolean moved = now != sentBefore;
        sentBefore = now;
        return moved;
    }

    /** Whether the driver has not sent all that is in it. */
    boolean isUnsent() {
        return publication != null && !failed && sent.getVolatile() < publication.position();
    }
}
