package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.Attached;
import io.zipcomm.wire.proto.Detached;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.Ping;
import io.zipcomm.wire.proto.PunchAt;
import io.zipcomm.wire.proto.Refused;
import io.zipcomm.wire.proto.Restoring;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.Suspect;
import io.zipcomm.wire.proto.ToRank;

/** Makes the CONTROL frames that the relay sends. */
final class ControlWriter {
    private ControlWriter() {}

    /** One CONTROL frame in a buffer of its own, which the caller owns. */
    static ByteBuf frame(ByteBufAllocator allocator, ToRank message) {
        return begin(allocator, message.toByteArray(), 0);
    }

    /** A frame that ends with bytes which follow it, and are not in the buffer. */
    private static ByteBuf begin(ByteBufAllocator allocator, byte[] payload, int bytesToFollow) {
        ByteBuf frame = allocator.directBuffer(Frame.HEADER_BYTES + payload.length);
        frame.writeZero(Frame.HEADER_BYTES);
        frame.setByte(Frame.VERSION_OFFSET, Frame.VERSION);
        frame.setByte(Frame.TYPE_OFFSET, FrameType.CONTROL.number());
        frame.setIntLE(Frame.PAYLOAD_BYTES_OFFSET, payload.length + bytesToFollow);
        return frame.writeBytes(payload);
    }

    /**
     * The beginning of a frame by which a rank is told a GroupReady: says which rank it is. The rest is the same for all, and is
     * shared by them. To whoever reads it both are one message, since parts of a message that follow each other are put
     * together.
     *
     * @param restBytes length of what follows, see {@link #bytes}
     */
    static ByteBuf rankOf(ByteBufAllocator allocator, int rank, int restBytes) {
        return begin(allocator, rankMessage(rank).toByteArray(), restBytes);
    }

    private static ToRank rankMessage(int rank) {
        return message(GroupReady.newBuilder().setRank(rank).build());
    }

    /** A message without a frame around it. The caller owns the buffer. */
    static ByteBuf bytes(ByteBufAllocator allocator, ToRank message) {
        byte[] bytes = message.toByteArray();
        return allocator.directBuffer(bytes.length).writeBytes(bytes);
    }

    /** Payload of the longest frame by which anybody is told this GroupReady. */
    static int viewBytesMax(ToRank view) {
        return view.getSerializedSize()
                + rankMessage(view.getGroupReady().getMembersCount()).getSerializedSize();
    }

    static ToRank message(Admitted admitted) {
        return ToRank.newBuilder().setAdmitted(admitted).build();
    }

    static ToRank attached(long silenceMs, int number) {
        return ToRank.newBuilder()
                .setAttached(Attached.newBuilder().setSilenceMs(silenceMs).setNumber(number))
                .build();
    }

    static ToRank detached(int number, String reason) {
        return ToRank.newBuilder()
                .setDetached(Detached.newBuilder().setNumber(number).setReason(reason))
                .build();
    }

    static ToRank restoring(long timeoutMs) {
        return ToRank.newBuilder()
                .setRestoring(Restoring.newBuilder().setTimeoutMs(timeoutMs))
                .build();
    }

    static ToRank refused(Refusal refusal) {
        return ToRank.newBuilder()
                .setRefused(
                        Refused.newBuilder().setCode(refusal.code().number()).setReason(refusal.reason()))
                .build();
    }

    static ToRank message(GroupReady ready) {
        return ToRank.newBuilder().setGroupReady(ready).build();
    }

    static ToRank heartbeat(long number) {
        return ToRank.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(number))
                .build();
    }

    static ToRank message(MemberGone gone) {
        return ToRank.newBuilder().setMemberGone(gone).build();
    }

    static ToRank message(Abort abort) {
        return ToRank.newBuilder().setAbort(abort).build();
    }

    static ToRank message(Revoke revoke) {
        return ToRank.newBuilder().setRevoke(revoke).build();
    }

    static ToRank message(Agreed agreed) {
        return ToRank.newBuilder().setAgreed(agreed).build();
    }

    static ToRank message(Suspect suspect) {
        return ToRank.newBuilder().setSuspect(suspect).build();
    }

    static ToRank message(Ping ping) {
        return ToRank.newBuilder().setPing(ping).build();
    }

    static ToRank message(PunchAt punch) {
        return ToRank.newBuilder().setPunchAt(punch).build();
    }
}
