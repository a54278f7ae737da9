package io.zipcomm.internal;

import io.zipcomm.buffer.DataType;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;

/**
 * Compares what arrives on one link with the checksum in its frame: memory is read again when all is in it; what is combined with
 * something is looked at as it comes. One frame after the other. Engine holder only.
 */
final class Arrival {

    private final PayloadChecksum checksum;
    private final int peer;

    /** By type of the elements, made when they are needed first. */
    private final Map<DataType, CheckedPayload> combining = new EnumMap<>(DataType.class);

    private int expected;

    /** Null if the payload that is coming in can be read again. */
    private CheckedPayload watched;

    private Arrival(PayloadChecksum checksum, int peer) {
        this.checksum = checksum;
        this.peer = peer;
    }

    /** Null if payloads carry no checksums. */
    static Arrival of(PayloadChecksum checksum, int peer) {
        return checksum == null ? null : new Arrival(checksum, peer);
    }

    /** The header of a frame is in, and it is known where its payload goes. */
    void begin(ByteBuffer header, int at, InboundFrame frame) {
        expected = Frame.checksum(header, at);
        watched = null;
        if (frame.payload.isCombining()) {
            watched = combining.get(frame.payload.type());
            if (watched == null) {
                watched = new CheckedPayload(frame.payload.type());
                combining.put(frame.payload.type(), watched);
            }
            watched.begin(frame.payload);
            frame.payload = watched;
        }
    }

    /** The frame is all in: what is wrong with it, or null. */
    ZipException problem(Transfer receive, int bytes) {
        int actual =
                watched != null ? watched.end() : checksum.of(receive.payload, receive.offset + receive.moved, bytes);
        return actual == expected ? null : corrupt(receive, receive.moved, bytes, expected, actual);
    }

    /** A message that had come before its receive goes to where it belongs: what is wrong with it, or null. */
    ZipException deliver(Transfer receive, Unexpected early) {
        int bytes = (int) early.bytes;
        boolean combines = receive.payload.isCombining();
        // What is wrong is not combined with anything.
        int actual = combines ? checksum.of(early.payload, 0, bytes) : 0;
        boolean refused = combines && actual != early.checksum;
        if (bytes > 0 && !refused) {
            receive.payload.copyIn(receive.offset, early.memory, 0, bytes);
        }
        if (!combines) {
            actual = checksum.of(receive.payload, receive.offset, bytes);
        }
        return actual == early.checksum ? null : corrupt(receive, 0, bytes, early.checksum, actual);
    }

    private ZipException corrupt(Transfer receive, long offset, int bytes, int expected, int actual) {
        String message = CollectiveTag.is(receive.tag)
                ? "a message of collective " + CollectiveTag.number(receive.tag)
                : "the message with tag " + receive.tag;
        return ZipException.of(
                        ErrorCode.CORRUPT,
                        message + " from rank " + peer + " came in changed: checksum " + Integer.toHexString(actual)
                                + " of " + bytes + " bytes at " + offset + " of " + receive.bytes + ", its sender's is "
                                + Integer.toHexString(expected))
                .peer(peer)
                .build();
    }
}
