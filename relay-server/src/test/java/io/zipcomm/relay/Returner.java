package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.SessionKey;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Recall;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.net.InetSocketAddress;

/** A rank of a group that began at one relay, as it comes back to another on raw connections. */
final class Returner implements AutoCloseable {

    private final TestRank before;
    private final InetSocketAddress relay;
    final RawConnection control;
    RawConnection data;

    /** What it says that it knows. */
    final Recall.Builder recall;

    private int epoch;
    private String token = "";

    Returner(TestRank before, InetSocketAddress relay) {
        this.before = before;
        this.relay = relay;
        control = new RawConnection(relay);
        epoch = before.epoch();
        GroupReady view = before.view;
        recall = Recall.newBuilder()
                .setSize(view.getMembersCount())
                .setFlowWindowBytes(view.getFlowWindowBytes())
                .setFragmentBytesMax(view.getFragmentBytesMax())
                .setHubWindowBytes(view.getHubWindowBytes())
                .setHubReduces(view.getHubReduces());
    }

    /** As if its group had gone on to another epoch. */
    Returner ofEpoch(int number) {
        epoch = number;
        return this;
    }

    Returner withToken(String text) {
        token = text;
        return this;
    }

    int rank() {
        return before.rank();
    }

    int epoch() {
        return epoch;
    }

    Returner knowsGone(int rank, Cause cause, String detail) {
        recall.addGone(MemberGone.newBuilder()
                .setEpoch(epoch)
                .setRank(rank)
                .setCause(cause)
                .setDetail(detail));
        return this;
    }

    Continues.Builder continues() {
        byte[] key = before.view.getSessionKey().toByteArray();
        return Continues.newBuilder()
                .setKind(Continues.Kind.SAME_EPOCH)
                .setEpoch(epoch)
                .setRank(rank())
                .setTicket(before.admitted.getTicket())
                .setGroup(ByteString.copyFrom(new SessionKey(key).membership(epoch)));
    }

    /** Says that it comes back, and waits for no answer. */
    Returner ask() {
        return ask(continues());
    }

    Returner ask(Continues.Builder continues) {
        Join.Builder join = before.joined.toBuilder().setToken(token).setContinues(continues);
        control.send(TestRank.message(join));
        return this;
    }

    /** As one that asks several relays, and has no data connection. */
    Returner askElsewhere() {
        Join.Builder join =
                before.joined.toBuilder().setElsewhere(true).setRelayed(false).setContinues(continues());
        control.send(TestRank.message(join));
        return this;
    }

    /** Is asked for what it knows. */
    Returner awaitRestoring() {
        control.expect(ToRank.MessageCase.RESTORING);
        return this;
    }

    /** Says what it knows. */
    Returner recall() {
        control.send(ToRelay.newBuilder().setRecall(recall).build());
        return this;
    }

    /** Comes back as far as it can for itself. */
    Returner comeBack() {
        return ask().awaitRestoring().recall();
    }

    Returner awaitAdmitted() {
        assertEquals(
                before.admitted.getTicket(),
                control.expect(ToRank.MessageCase.ADMITTED).getAdmitted().getTicket());
        return this;
    }

    Returner attach() {
        data = new RawConnection(relay);
        sendAttach(data);
        data.expect(ToRank.MessageCase.ATTACHED);
        return this;
    }

    void sendAttach(RawConnection connection) {
        connection.send(ToRelay.newBuilder()
                .setAttach(Attach.newBuilder()
                        .setVersion(Frame.VERSION)
                        .setSession(before.session)
                        .setRank(before.admitted.getRank())
                        .setTicket(before.admitted.getTicket())
                        .setAgain(true))
                .build());
    }

    byte[] frame(FrameType type, int destination, byte[] payload) {
        return RawConnection.frame(type, epoch, rank(), destination, payload);
    }

    /** The next message is about a rank that is gone. */
    MemberGone expectGone(int rank, Cause cause) {
        MemberGone gone = control.expect(ToRank.MessageCase.MEMBER_GONE).getMemberGone();
        assertEquals(rank, gone.getRank(), gone::toString);
        assertEquals(cause, gone.getCause(), gone::toString);
        assertEquals(epoch, gone.getEpoch());
        return gone;
    }

    void say(ToRelay message) {
        control.send(message);
    }

    /** Everything the relay had to do for this rank's control connection before now is done. */
    void roundTrip() {
        before.heartbeatOn(control);
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
