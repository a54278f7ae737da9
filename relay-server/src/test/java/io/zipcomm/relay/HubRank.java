package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.buffer.DataType;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.internal.Signature;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/** A rank that speaks to the relay's hub, frame by frame. */
final class HubRank {

    static final int SUM_OF_FLOATS = Signature.of(Signature.ALL_REDUCE, DataType.FLOAT32, SumCombiner.SUM, 0, 0, 0, 0);

    final TestRank rank;

    /** What the last ENTER said, to be changed before it is sent. */
    int kind = Enter.ALL_REDUCE;

    boolean again;
    int root;
    int context;
    long tag = 1;
    int signature = SUM_OF_FLOATS;
    long bytes;
    int[] members = {};

    HubRank(TestRank rank) {
        this.rank = rank;
    }

    int partBytes() {
        return Enter.partBytes(rank.view.getFragmentBytesMax());
    }

    int windowBytes() {
        return rank.view.getHubWindowBytes();
    }

    HubRank enters(int transfer) {
        rank.data.write(enter(transfer));
        return this;
    }

    byte[] enter(int transfer) {
        ByteBuffer named = ByteBuffer.allocate(members.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.stream(members).forEach(named::putInt);
        return frame(FrameType.ENTER, transfer, named.array(), header -> {
            Frame.flags(header, 0, again ? kind | Enter.AGAIN : kind);
            Frame.destination(header, 0, root);
            Frame.context(header, 0, context);
            Frame.tag(header, 0, tag);
            Frame.signature(header, 0, signature);
            Frame.messageBytes(header, 0, bytes);
        });
    }

    byte[] frame(FrameType type, int transfer) {
        return frame(type, transfer, new byte[0], header -> {});
    }

    private byte[] frame(FrameType type, int transfer, byte[] payload, Consumer<ByteBuffer> more) {
        byte[] frame = rank.frame(type, rank.rank(), payload);
        ByteBuffer header = ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN);
        Frame.transfer(header, 0, transfer);
        more.accept(header);
        return frame;
    }

    void contributes(int transfer, long offset, byte[] payload) {
        rank.data.write(part(transfer, offset, payload));
    }

    byte[] part(int transfer, long offset, byte[] payload) {
        return frame(FrameType.PART, transfer, payload, header -> {
            Frame.offset(header, 0, offset);
            Frame.messageBytes(header, 0, bytes);
        });
    }

    /** It has the whole result. */
    HubRank done(int transfer) {
        rank.data.write(grant(transfer, Enter.DONE));
        return this;
    }

    byte[] grant(int transfer, int flags) {
        return frame(FrameType.GRANT, transfer, new byte[0], header -> Frame.flags(header, 0, flags));
    }

    /** Says what is said of an operation that this rank is through with. */
    void through(int transfer, int leader) {
        rank.data.write(frame(FrameType.ENTER, transfer, new byte[0], header -> {
            Frame.flags(header, 0, Enter.THROUGH);
            Frame.destination(header, 0, leader);
            Frame.context(header, 0, context);
            Frame.tag(header, 0, tag);
        }));
    }

    /** The relay asks for an operation once more; what came of it before is skipped. */
    void expectAsked(long expectedTag, int heard) {
        RawConnection.In in = next(FrameType.GRANT);
        while (in.type() == FrameType.PART) {
            in = next(FrameType.GRANT);
        }
        assertEquals(FrameType.ENTER, in.type());
        assertEquals(Enter.AGAIN, Frame.flags(in.header(), 0));
        assertEquals(context, Frame.context(in.header(), 0));
        assertEquals(members.length == 0 ? 0 : members[0], in.source());
        assertEquals(expectedTag, Frame.tag(in.header(), 0));
        assertEquals(heard, Frame.transfer(in.header(), 0));
    }

    void withdraws(int transfer) {
        rank.data.write(frame(FrameType.WITHDRAW, transfer));
    }

    /** The next part, which must be of this operation and place; GRANTs that come before it are skipped. */
    byte[] expectPart(int transfer, long offset) {
        RawConnection.In in = next(FrameType.GRANT);
        assertEquals(FrameType.PART, in.type());
        assertEquals(transfer, Frame.transfer(in.header(), 0));
        assertEquals(offset, Frame.offset(in.header(), 0));
        assertEquals(bytes, Frame.messageBytes(in.header(), 0));
        return in.payload();
    }

    long expectGrant(int transfer) {
        RawConnection.In in = next(null);
        assertEquals(FrameType.GRANT, in.type());
        assertEquals(transfer, Frame.transfer(in.header(), 0));
        assertEquals(0, Frame.flags(in.header(), 0));
        return Frame.credit(in.header(), 0);
    }

    void expectFinished(int transfer) {
        RawConnection.In in = next(null);
        while (in.type() == FrameType.GRANT && Frame.flags(in.header(), 0) == 0) {
            in = next(null);
        }
        assertEquals(FrameType.GRANT, in.type());
        assertEquals(transfer, Frame.transfer(in.header(), 0));
        assertEquals(Enter.FINISHED, Frame.flags(in.header(), 0));
    }

    /** The operation fails by the fault of a rank; what came of it before is skipped. */
    String expectVerdict(int transfer, ErrorCode code, int culprit) {
        RawConnection.In in = next(FrameType.GRANT);
        while (in.type() == FrameType.PART) {
            in = next(FrameType.GRANT);
        }
        assertEquals(FrameType.VERDICT, in.type());
        assertEquals(transfer, Frame.transfer(in.header(), 0));
        assertEquals(code, ErrorCode.of(Frame.flags(in.header(), 0)));
        assertEquals(culprit, in.source());
        return new String(in.payload(), StandardCharsets.UTF_8);
    }

    /** The relay says that the operation waits for a rank. */
    void expectAwaits(int transfer, int awaited) {
        RawConnection.In in = rank.receiveWithoutCredit();
        assertEquals(FrameType.GRANT, in.type());
        assertEquals(transfer, Frame.transfer(in.header(), 0));
        assertEquals(Enter.AWAITS, Frame.flags(in.header(), 0));
        assertEquals(awaited, in.source());
    }

    /** The next frame, but for some that are skipped; who is awaited, or has another connection, may be said at any time. */
    private RawConnection.In next(FrameType skipped) {
        RawConnection.In in = rank.receiveWithoutCredit();
        while (in.type() == skipped || in.type() == FrameType.RESET || saysWhoIsAwaited(in)) {
            in = rank.receiveWithoutCredit();
        }
        return in;
    }

    private static boolean saysWhoIsAwaited(RawConnection.In in) {
        return in.type() == FrameType.GRANT && Frame.flags(in.header(), 0) == Enter.AWAITS;
    }

    static byte[] floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    static byte[] filled(int bytes, float value) {
        float[] values = new float[bytes / Float.BYTES];
        Arrays.fill(values, value);
        return floats(values);
    }
}
