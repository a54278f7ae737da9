package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.util.ReferenceCountUtil;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The relay's own handlers, from a connection's first byte on, in one thread and without sockets; it counts every byte. */
final class FuzzRelay {

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
    private final RelayState state;
    private final RelayCertificates certificates;
    private final FuzzChannel home = new FuzzChannel(allocator);
    private final Shard shard;

    /** What became of connections, for a test to see that it gets anywhere. */
    final AtomicInteger refused = new AtomicInteger();

    /** A rank of a complete group. */
    static final class Rank {
        final FuzzChannel control;
        FuzzChannel data;
        Admitted admitted;
        GroupReady view;

        Rank(FuzzChannel control) {
            this.control = control;
        }
    }

    FuzzRelay(RelaySettings.Builder settings) {
        state = new RelayState(settings.set(RelayOption.ADDRESS_HANDSHAKES_PER_SECOND, "2000000000")
                .set(RelayOption.RESUME_GRACE, "0")
                .build());
        certificates = state.settings().door().tlsCert().isPresent()
                ? new RelayCertificates(state.settings().door())
                : null;
        EventLoop loop = home.eventLoop();
        shard = new Shard(loop, state, new AtomicInteger(), allocator);
    }

    UnpooledByteBufAllocator allocator() {
        return allocator;
    }

    /** A connection that was accepted. */
    FuzzChannel connect() {
        FuzzChannel channel = new FuzzChannel(allocator);
        Gate.Pass pass =
                state.gate().enter(((InetSocketAddress) channel.remoteAddress()).getAddress(), System.nanoTime());
        channel.closeFuture().addListener(closed -> pass.left());
        Handshake handshake = new Handshake(state, name -> shard, pass);
        channel.pipeline().addLast(new FirstBytes(state, certificates, handshake, false), handshake);
        return channel;
    }

    /** Says something, if there is still anybody to say it to. */
    static void say(FuzzChannel channel, ByteBuf what) {
        if (channel.isOpen()) {
            channel.writeInbound(what);
        } else {
            what.release();
        }
        assertEquals(0, channel.inboundMessages().size(), "nobody took it");
    }

    void say(FuzzChannel channel, ToRelay message) {
        byte[] frame = RawConnection.controlFrame(message);
        say(channel, allocator.directBuffer(frame.length).writeBytes(frame));
    }

    /** The next message that the relay has sent; null if there is none. */
    static ToRank heard(FuzzChannel channel) {
        ByteBuf piece = channel.readOutbound();
        while (piece != null && !piece.isReadable()) {
            // The end of what is said.
            piece.release();
            piece = channel.readOutbound();
        }
        if (piece == null) {
            return null;
        }
        byte[] header = new byte[Frame.HEADER_BYTES];
        piece.readBytes(header);
        assertEquals(FrameType.CONTROL.number(), header[Frame.TYPE_OFFSET]);
        byte[] payload = new byte[Frame.payloadBytes(ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN), 0)];
        int taken = 0;
        while (true) {
            // What all ranks of a group are told follows in pieces of its own.
            int count = Math.min(payload.length - taken, piece.readableBytes());
            piece.readBytes(payload, taken, count);
            piece.release();
            taken += count;
            if (taken == payload.length) {
                break;
            }
            piece = channel.readOutbound();
            assertNotNull(piece, "a message without its end");
        }
        try {
            return ToRank.parseFrom(payload);
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    /** What goes out on a control connection or in a handshake: whole messages, each refusal with its reason. */
    void hearAll(FuzzChannel channel) {
        channel.runPendingTasks();
        for (ToRank told = heard(channel); told != null; told = heard(channel)) {
            if (told.hasRefused()) {
                refused.incrementAndGet();
                assertTrue(!told.getRefused().getReason().isEmpty(), "a refusal without reason");
                assertNotNull(ErrorCode.of(told.getRefused().getCode()));
            }
        }
    }

    /** A complete group. */
    List<Rank> group(String session, int size) {
        return group(TestRank.join(session, size, 0));
    }

    /** A complete group of ranks that say this, each with its number. */
    List<Rank> group(Join.Builder join) {
        // The group of that name before this one is over.
        settle();
        List<Rank> group = new ArrayList<>();
        for (int rank = 0; rank < join.getSize(); rank++) {
            Rank one = new Rank(connect());
            say(one.control, TestRank.message(join.setRank(rank)));
            one.admitted = heard(one.control).getAdmitted();
            one.data = connect();
            say(one.data, attach(join.getSession(), one.admitted));
            assertTrue(heard(one.data).hasAttached());
            group.add(one);
        }
        for (Rank one : group) {
            one.view = heard(one.control).getGroupReady();
        }
        return group;
    }

    static ToRelay attach(String session, Admitted admitted) {
        return ToRelay.newBuilder()
                .setAttach(Attach.newBuilder()
                        .setVersion(admitted.getVersion())
                        .setSession(session)
                        .setRank(admitted.getRank())
                        .setTicket(admitted.getTicket()))
                .build();
    }

    /** Does what the event loop has to do, between connections. */
    void turn() {
        home.runPendingTasks();
    }

    /** Does all that is due: a relay that stood still, as one does to which nobody speaks, waits for ranks once more. */
    private void settle() {
        turn();
        turn();
    }

    /** Ends a connection and throws away what it would have sent. */
    static void end(FuzzChannel channel) {
        channel.close().syncUninterruptibly();
        channel.runPendingTasks();
        channel.outboundMessages().forEach(ReferenceCountUtil::release);
        channel.outboundMessages().clear();
        channel.checkException();
    }

    /** Nothing is there and nothing is kept; nothing went wrong in the relay itself. */
    void assertEmpty() {
        settle();
        RelayStats stats = state.counters().stats(false);
        assertEquals(0, stats.defects(), "defects in the relay: see the log");
        assertEquals(0, stats.connections());
        assertEquals(0, stats.handshakes());
        assertEquals(0, stats.sessions());
        assertEquals(0, stats.ranks());
        assertEquals(0, stats.bytesWaiting());
        assertEquals(0, stats.controlBytesWaiting());
        assertEquals(0, stats.hubOperationsOpen());
        assertEquals(0, allocator.metric().usedDirectMemory(), "bytes of buffers that nobody released");
        assertEquals(0, allocator.metric().usedHeapMemory(), "bytes of buffers that nobody released");
    }

    long expelled() {
        return state.counters().stats(false).membersExpelled();
    }

    long groupsCompleted() {
        return state.counters().stats(false).groupsCompleted();
    }

    long sessionsOpened() {
        return state.counters().stats(false).sessionsOpened();
    }
}
