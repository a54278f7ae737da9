package io.zipcomm.relay.route;

import io.netty.buffer.ByteBufAllocator;

/** One rank's place in an operation of the hub. Event loop only. */
final class HubSeat {

    final HubOperation operation;
    final HubMember member;

    /** Place among the operation's members. */
    final int place;

    /** The rank's number for the operation. */
    final int transfer;

    final boolean contributes;
    final boolean receives;

    /** The relay has all that the rank contributes: what it sends once more is thrown away. */
    final boolean surplus;

    final Contribution kept;

    /** Bytes that have come in. */
    long arrived;

    /** Bytes that may come in. */
    long granted;

    /** Bytes that have gone into the result. */
    long folded;

    /** Parts of the result that it was sent. */
    long sentParts;

    HubSeat(
            HubOperation operation,
            HubMember member,
            int place,
            int transfer,
            boolean contributes,
            boolean receives,
            boolean surplus,
            long granted,
            ByteBufAllocator allocator) {
        this.operation = operation;
        this.member = member;
        this.place = place;
        this.transfer = transfer;
        this.contributes = contributes;
        this.receives = receives;
        this.surplus = surplus;
        this.granted = granted;
        kept = contributes ? new Contribution(allocator) : null;
    }
}
