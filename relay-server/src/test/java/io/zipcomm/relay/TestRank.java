package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Candidate;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.Leave;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.Pong;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.Suspect;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** One rank of a test's group, spoken on raw connections. */
final class TestRank implements AutoCloseable {

    private final IntFunction<RawConnection> dial;
    final String session;
    RawConnection control;
    RawConnection data;

    /** What it joined with; null before. */
    Join joined;

    Admitted admitted;
    GroupReady view;

    /** Receive buffer of the data connection; 0 leaves it to the system. */
    int dataReceiveBytes;

    /** Whether it says so when it attaches. */
    boolean answersPing;

    private final Map<Integer, Long> taken = new HashMap<>();

    TestRank(InetSocketAddress relay, String session) {
        this(receiveBytes -> new RawConnection(relay, receiveBytes), session);
    }

    /** Connects as it is told, with a receive buffer of some size, or the system's if that is 0. */
    TestRank(IntFunction<RawConnection> dial, String session) {
        this.dial = dial;
        this.session = session;
        control = dial.apply(0);
    }

    /** A Join as a correct rank would say it. */
    static Join.Builder join(String session, int size, int rank) {
        return Join.newBuilder()
                .setVersionMin(Frame.VERSION)
                .setVersionMax(Frame.VERSION)
                .setSession(session)
                .setSize(size)
                .setRank(rank)
                .setJoinTimeoutMs(30_000)
                .setHostId("host")
                .addTransports("relay")
                .addCandidates(Candidate.newBuilder()
                        .setKind(Candidate.Kind.LOOPBACK)
                        .setTransport("tcp")
                        .setHost("127.0.0.1")
                        .setPort(1000 + Math.max(0, rank)))
                .setRelayed(true);
    }

    static ToRelay message(Join.Builder join) {
        return ToRelay.newBuilder().setJoin(join).build();
    }

    /** Says Join and waits for no answer. */
    static TestRank asking(InetSocketAddress relay, Join.Builder join) {
        return new TestRank(relay, join.getSession()).ask(join);
    }

    TestRank ask(Join.Builder join) {
        joined = join.build();
        control.send(message(join));
        return this;
    }

    /** Joins and is admitted. */
    static TestRank admitted(InetSocketAddress relay, Join.Builder join) {
        return asking(relay, join).awaitAdmitted();
    }

    /** Joins and attaches; the group need not be complete. */
    static TestRank attached(InetSocketAddress relay, Join.Builder join) {
        return admitted(relay, join).attach();
    }

    /** A complete group of ranks that ask for their numbers. */
    static List<TestRank> group(InetSocketAddress relay, String session, int size) {
        List<TestRank> ranks = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            ranks.add(attached(relay, join(session, size, rank)));
        }
        ranks.forEach(TestRank::awaitReady);
        return ranks;
    }

    static void closeAll(Iterable<TestRank> ranks) {
        ranks.forEach(TestRank::close);
    }

    TestRank awaitAdmitted() {
        ToRank told = control.readMessage();
        while (told.hasPing()) {
            control.send(ToRelay.newBuilder()
                    .setPong(Pong.newBuilder().setNumber(told.getPing().getNumber()))
                    .build());
            told = control.readMessage();
        }
        assertEquals(ToRank.MessageCase.ADMITTED, told.getMessageCase(), told::toString);
        admitted = told.getAdmitted();
        return this;
    }

    ToRelay attachMessage() {
        return ToRelay.newBuilder()
                .setAttach(Attach.newBuilder()
                        .setVersion(admitted.getVersion())
                        .setSession(session)
                        .setRank(admitted.getRank())
                        .setTicket(admitted.getTicket())
                        .setAnswersPing(answersPing))
                .build();
    }

    TestRank attach() {
        data = dial.apply(dataReceiveBytes);
        data.send(attachMessage());
        data.expect(ToRank.MessageCase.ATTACHED);
        return this;
    }

    TestRank awaitReady() {
        view = control.expect(ToRank.MessageCase.GROUP_READY).getGroupReady();
        return this;
    }

    /** Its rank in the group or, as long as there is none, the number that it was admitted with. */
    int rank() {
        return view == null ? admitted.getRank() : view.getRank();
    }

    /** A Join as this member says it on its way to the next epoch. */
    Join.Builder joinNext(int sizeWanted) {
        return joined.toBuilder()
                .setContinues(Continues.newBuilder()
                        .setKind(Continues.Kind.NEXT_EPOCH)
                        .setEpoch(epoch())
                        .setRank(rank())
                        .setTicket(admitted.getTicket())
                        .setSizeWanted(sizeWanted));
    }

    int epoch() {
        return view.getEpoch();
    }

    byte[] frame(FrameType type, int destination, byte[] payload) {
        return RawConnection.frame(type, epoch(), rank(), destination, payload);
    }

    /** Sends an EAGER frame. */
    void send(int destination, byte[] payload) {
        data.write(frame(FrameType.EAGER, destination, payload));
    }

    /** A frame from a peer, whose credit is returned at once; credit that comes in is skipped. */
    RawConnection.In receive() {
        RawConnection.In in = receiveWithoutCredit();
        long bytes = taken.merge(in.source(), in.bytes(), Long::sum);
        sendCredit(in.source(), bytes);
        return in;
    }

    RawConnection.In receiveWithoutCredit() {
        while (true) {
            RawConnection.In in = data.read();
            if (in == null) {
                throw new AssertionError("data connection ended, expected a frame");
            }
            if (in.type() != FrameType.FLOW) {
                return in;
            }
        }
    }

    void sendCredit(int source, long bytes) {
        ByteBuffer flow =
                ByteBuffer.wrap(frame(FrameType.FLOW, source, new byte[0])).order(ByteOrder.LITTLE_ENDIAN);
        Frame.credit(flow, 0, bytes);
        data.write(flow.array());
    }

    void heartbeat(long number) {
        control.send(ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(number))
                .build());
    }

    /** Everything the relay had to do for this rank's control connection before now is done. */
    void roundTrip() {
        heartbeatOn(control);
    }

    /** The same on a connection by which it came back. */
    void heartbeatOn(RawConnection connection) {
        connection.send(ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(7))
                .build());
        assertEquals(
                7,
                connection.expect(ToRank.MessageCase.HEARTBEAT).getHeartbeat().getNumber());
    }

    void leave() {
        control.send(ToRelay.newBuilder().setLeave(Leave.getDefaultInstance()).build());
    }

    void abort(Abort.Builder abort) {
        control.send(ToRelay.newBuilder().setAbort(abort).build());
    }

    void suspect(int epoch, int rank) {
        control.send(ToRelay.newBuilder()
                .setSuspect(Suspect.newBuilder().setEpoch(epoch).setRank(rank).setDetail("reset"))
                .build());
    }

    void revoke(int context, String reason) {
        control.send(ToRelay.newBuilder()
                .setRevoke(Revoke.newBuilder()
                        .setEpoch(epoch())
                        .setContext(context)
                        .setReason(reason))
                .build());
    }

    void agree(Agree.Builder agree) {
        control.send(ToRelay.newBuilder().setAgree(agree.setEpoch(epoch())).build());
    }

    Agreed expectAgreed() {
        return control.expect(ToRank.MessageCase.AGREED).getAgreed();
    }

    MemberGone expectGone(int rank, MemberGone.Cause cause) {
        MemberGone gone = control.expect(ToRank.MessageCase.MEMBER_GONE).getMemberGone();
        assertEquals(rank, gone.getRank(), gone::toString);
        assertEquals(cause, gone.getCause(), gone::toString);
        assertEquals(epoch(), gone.getEpoch());
        return gone;
    }

    String expectRefusal(ErrorCode code) {
        return control.expectRefusal(code);
    }

    @Override
    public void close() {
        control.close();
        if (data != null) {
            data.close();
        }
    }
}
