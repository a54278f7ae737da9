package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.netty.util.collection.IntObjectHashMap;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Set;

/** One rank's connection, as the hub uses it: takes its frames apart, and makes those for it. Event loop only. */
final class HubMember {

    /** Payloads up to this long go into one buffer with their header. */
    private static final int JOINED_BYTES_MAX = 4096;

    private final Hub hub;
    private final int rank;
    private final Outlet outlet;

    /** By the rank's number: operations in which it has a part to do, or that keep something of its. */
    private final IntObjectHashMap<HubSeat> seats = new IntObjectHashMap<>();

    /** With results for which the connection had no room. */
    private final Set<HubSeat> hungry = new LinkedHashSet<>();

    private int lastTransfer;

    /** Operations that it may still enter again, though nobody has asked it to: each makes the relay ask the others. */
    private int againLeft;

    /** The rank had another connection before, to this relay or to the one before it. */
    private boolean cameBack;

    // The frame that is coming in.
    private FrameType type;
    private HubSeat seat;
    private int payloadBytes;
    private HubEntry entry;
    private ByteBuf named;

    HubMember(Hub hub, int rank, Outlet outlet) {
        this.hub = hub;
        this.rank = rank;
        this.outlet = outlet;
        againLeft = hub.limits().operationsMax();
        outlet.feeds(this);
        hub.connected(this);
    }

    int rank() {
        return rank;
    }

    /** Operations in which this rank has something under way. */
    int operations() {
        return seats.size();
    }

    // ---- in

    /** A header has come in. Answers what is wrong with it, or null. */
    String begin(ByteBuffer header) {
        type = FrameType.of(Frame.type(header, 0));
        int transfer = Frame.transfer(header, 0);
        payloadBytes = Frame.payloadBytes(header, 0);
        seat = seats.get(transfer);
        return switch (type) {
            case ENTER -> {
                if (transfer - lastTransfer <= 0) {
                    yield "operation " + transfer + " after " + lastTransfer;
                }
                if (payloadBytes > hub.size() * Integer.BYTES) {
                    yield "an operation of " + payloadBytes / Integer.BYTES + " ranks of " + hub.size();
                }
                lastTransfer = transfer;
                entry = new HubEntry(header);
                named = payloadBytes == 0 ? null : hub.exchange().allocator().directBuffer(payloadBytes, payloadBytes);
                yield null;
            }
            case PART -> {
                if (transfer - lastTransfer > 0) {
                    yield "a part for operation " + transfer + ", the last was " + lastTransfer;
                }
                yield seat == null
                        ? null
                        : seat.operation.problem(
                                seat, Frame.offset(header, 0), payloadBytes, Frame.messageBytes(header, 0));
            }
            case WITHDRAW -> null;
            case GRANT -> {
                if (Frame.flags(header, 0) != Enter.DONE) {
                    yield "GRANT frame from a rank";
                }
                if (transfer - lastTransfer > 0) {
                    yield "DONE for operation " + transfer + ", the last was " + lastTransfer;
                }
                yield seat == null ? null : seat.operation.problemOfDone(seat);
            }
            default -> type + " frame from a rank";
        };
    }

    /** Whether the payload that comes is of use. */
    boolean wantsPayload() {
        return type == FrameType.ENTER || (seat != null && !seat.surplus && !seat.operation.hasEnded());
    }

    /** A piece of the payload. Takes it over. */
    void payload(ByteBuf piece) {
        if (type == FrameType.ENTER) {
            named.writeBytes(piece);
            piece.release();
        } else {
            HubOperation operation = seat.operation;
            try {
                operation.contributed(seat, piece);
            } catch (RuntimeException | Error e) {
                hub.defect(operation, e);
            }
        }
    }

    /** The frame is in. Answers what is wrong with it, or null. */
    String end() {
        HubSeat of = seat;
        seat = null;
        if (of != null && !of.operation.hasEnded()) {
            try {
                endOf(of);
            } catch (RuntimeException | Error e) {
                hub.defect(of.operation, e);
            }
        }
        if (type != FrameType.ENTER) {
            return null;
        }
        if (entry.isThrough()) {
            String problem = named == null ? hub.through(this, entry) : "a list of ranks from one that is through";
            forgetNamed();
            return problem;
        }
        String problem = entry.membersAre(named, hub.world());
        forgetNamed();
        return problem != null ? problem : hub.enter(this, entry);
    }

    private void endOf(HubSeat of) {
        switch (type) {
            case WITHDRAW -> of.operation.left(of, ErrorCode.PEER_FAILED, "rank " + rank + " has withdrawn");
            case GRANT -> of.operation.done(of);
            case PART -> of.arrived += of.surplus ? payloadBytes : 0;
            default -> {}
        }
    }

    private void forgetNamed() {
        if (named != null) {
            named.release();
            named = null;
        }
    }

    /** The connection ended. */
    void ended() {
        forgetNamed();
        hungry.clear();
        seat = null;
        hub.ended(this);
    }

    /** In place of a connection that ended: the rank is asked for what waits for it. */
    void isBack() {
        cameBack = true;
        hub.asks(this);
    }

    /** Whether the rank may have been in operations on a connection before this one. */
    boolean cameBack() {
        return cameBack;
    }

    /** Whether it may enter an operation again though it was not asked to. */
    boolean takeAgain() {
        return --againLeft >= 0;
    }

    // ---- what operations say

    void seated(HubSeat one) {
        seats.put(one.transfer, one);
    }

    void unseated(HubSeat one) {
        seats.remove(one.transfer);
        hungry.remove(one);
    }

    /** Whether there is room for a part; if not, the operation is told when there is. */
    boolean takes(HubSeat one) {
        if (outlet.isHungry()) {
            return true;
        }
        hungry.add(one);
        return false;
    }

    /** The connection takes more. */
    void feed() {
        if (hungry.isEmpty()) {
            return;
        }
        for (HubSeat one : new ArrayList<>(hungry)) {
            if (!outlet.isHungry()) {
                return;
            }
            hungry.remove(one);
            try {
                one.operation.deliver(one);
            } catch (RuntimeException | Error e) {
                hub.defect(one.operation, e);
            }
        }
    }

    /** Sends a part of a result, which stays the caller's. */
    void send(HubSeat one, long offset, ByteBuf part) {
        int bytes = part.readableBytes();
        boolean joined = bytes <= JOINED_BYTES_MAX;
        ByteBuf frame = frame(FrameType.PART, one.transfer, joined ? bytes : 0);
        frame.setIntLE(Frame.PAYLOAD_BYTES_OFFSET, bytes);
        frame.setLongLE(Frame.TAG_OFFSET, offset);
        frame.setLongLE(Frame.MESSAGE_BYTES_OFFSET, one.operation.bytes());
        if (joined) {
            outlet.offer(frame.writeBytes(part, part.readerIndex(), bytes));
        } else {
            outlet.offer(frame, part.retainedDuplicate());
        }
        hub.exchange().counters().hubPartsSent.increment();
    }

    void grant(HubSeat one, long granted) {
        ByteBuf frame = frame(FrameType.GRANT, one.transfer, 0);
        frame.setLongLE(Frame.CREDIT_OFFSET, granted);
        outlet.offer(frame);
    }

    /** Says which rank an operation waits for. */
    void awaits(HubSeat one, int awaited) {
        ByteBuf frame = frame(FrameType.GRANT, one.transfer, 0);
        frame.setShortLE(Frame.FLAGS_OFFSET, Enter.AWAITS);
        frame.setIntLE(Frame.SOURCE_OFFSET, awaited);
        outlet.offer(frame);
    }

    /**
     * Asks the rank to enter an operation again, if it had entered. It says the last number that it has heard of: what the rank has entered
     * by a later one is on its way.
     */
    void asks(HubKey key) {
        againLeft++;
        ByteBuf frame = frame(FrameType.ENTER, lastTransfer, 0);
        frame.setShortLE(Frame.FLAGS_OFFSET, Enter.AGAIN);
        frame.setIntLE(Frame.CONTEXT_OFFSET, key.context());
        frame.setIntLE(Frame.SOURCE_OFFSET, key.leader());
        frame.setLongLE(Frame.TAG_OFFSET, key.tag());
        outlet.offer(frame);
    }

    void finished(HubSeat one) {
        ByteBuf frame = frame(FrameType.GRANT, one.transfer, 0);
        frame.setShortLE(Frame.FLAGS_OFFSET, Enter.FINISHED);
        outlet.offer(frame);
    }

    /** There are as many operations as may be. */
    void refuse(int transfer, String reason) {
        outlet.limitReached(ForwardLimit.HUB_OPERATIONS);
        verdict(transfer, ErrorCode.LIMIT, rank, 0, reason + " (hub-operations-max)");
    }

    void verdict(int transfer, ErrorCode code, int culprit, int signature, String reason) {
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        ByteBuf frame = frame(FrameType.VERDICT, transfer, text.length);
        frame.setIntLE(Frame.PAYLOAD_BYTES_OFFSET, text.length);
        frame.setShortLE(Frame.FLAGS_OFFSET, code.number());
        frame.setIntLE(Frame.SOURCE_OFFSET, culprit);
        frame.setIntLE(Frame.SIGNATURE_OFFSET, signature);
        frame.writeBytes(text);
        outlet.offer(frame);
    }

    private ByteBuf frame(FrameType kind, int transfer, int room) {
        ByteBuf frame = hub.exchange().allocator().directBuffer(Frame.HEADER_BYTES + room);
        frame.writeZero(Frame.HEADER_BYTES);
        frame.setByte(Frame.VERSION_OFFSET, Frame.VERSION);
        frame.setByte(Frame.TYPE_OFFSET, kind.number());
        frame.setIntLE(Frame.EPOCH_OFFSET, hub.epoch());
        frame.setIntLE(Frame.SOURCE_OFFSET, rank);
        frame.setIntLE(Frame.DESTINATION_OFFSET, rank);
        frame.setIntLE(Frame.TRANSFER_OFFSET, transfer);
        return frame;
    }
}
