package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Pong;
import io.zipcomm.wire.proto.Suspect;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the relay says of members of a complete group: who is gone, and why. */
@Tag("once")
final class MembershipTest {

    /** Below the default heartbeat timeout by far, above the 500 ms that a lone data end may take. */
    private static final long AT_ONCE_MS = 2000;

    private RelayFixture fixture = new RelayFixture(RelayFixture.insecure());

    @AfterEach
    void stop() {
        fixture.close();
    }

    private void restart(RelaySettings.Builder settings) {
        fixture.close();
        fixture = new RelayFixture(settings);
    }

    private List<TestRank> group(int size) {
        return fixture.group("s", size);
    }

    private RelayStats stats() {
        return fixture.relay.stats();
    }

    private static void endOutput(TestRank rank) {
        try {
            rank.data.socket.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // Leaving

    @Test
    void shouldAnswerLeaveByEndingTheControlConnection() {
        List<TestRank> group = group(2);
        group.get(0).leave();
        group.get(0).control.expectEnd();
        // Not LEFT yet: frames may still come.
        group.get(0).send(1, new byte[] {9});
        assertEquals(9, group.get(1).receive().payload()[0]);
        group.get(1).roundTrip();
        endOutput(group.get(0));
        assertEquals("left", group.get(1).expectGone(0, Cause.LEFT).getDetail());
        group.get(0).data.awaitEnd();
    }

    @Test
    void shouldLetRanksLeaveInAnyOrder() {
        Random random = new Random(5);
        for (int round = 0; round < 10; round++) {
            List<TestRank> group = new ArrayList<>(group(5));
            Collections.shuffle(group, random);
            while (!group.isEmpty()) {
                TestRank leaver = group.remove(0);
                leaver.leave();
                leaver.control.expectEnd();
                leaver.data.close();
                group.forEach(rank -> rank.expectGone(leaver.rank(), Cause.LEFT));
            }
            Await.until("session is gone", () -> stats().sessions() == 0);
        }
        assertEquals(50, stats().membersLeft());
        assertEquals(0, stats().membersLost());
    }

    @Test
    void shouldSayLeftWhateverComesFirst() {
        for (int round = 0; round < 50; round++) {
            List<TestRank> group = group(2);
            TestRank leaver = group.get(0);
            // A client that does not wait for the answer: the end of the data connection may overtake Leave.
            if (round % 2 == 0) {
                leaver.leave();
                leaver.data.close();
            } else {
                leaver.data.close();
                leaver.leave();
            }
            leaver.control.expectEndAfterDetached();
            group.get(1).expectGone(0, Cause.LEFT);
            group.get(1).close();
            Await.until("session is gone", () -> stats().sessions() == 0);
        }
        assertEquals(50, stats().membersLeft());
    }

    @Test
    void shouldSayLeftOfRankThatDiesAfterLeave() {
        List<TestRank> group = group(2);
        group.get(0).leave();
        group.get(0).control.expectEnd();
        group.get(0).control.reset();
        group.get(0).data.reset();
        group.get(1).expectGone(0, Cause.LEFT);
    }

    @Test
    void shouldSayLeftOfRankWithoutDataConnectionAtOnce() {
        TestRank direct =
                fixture.opened(TestRank.admitted(fixture.at, join("s", 2, 0).setRelayed(false)));
        TestRank other =
                fixture.opened(TestRank.attached(fixture.at, join("s", 2, 1))).awaitReady();
        direct.awaitReady().leave();
        other.expectGone(0, Cause.LEFT);
        direct.control.expectEnd();
    }

    @Test
    void shouldNotWaitForeverForTheDataConnectionOfLeaver() {
        restart(RelayFixture.insecure().heartbeat(Duration.ofMillis(100), Duration.ofMillis(300)));
        List<TestRank> group = group(2);
        group.get(0).leave();
        group.get(0).control.expectEnd();
        awaitGone(group.get(1), 0, Cause.LEFT);
        group.get(0).data.awaitEnd();
    }

    // Dying

    @Test
    void shouldSayLostAtOnceWhenControlConnectionBreaks() {
        List<TestRank> group = group(3);
        long before = System.nanoTime();
        group.get(1).control.reset();
        for (int rank : new int[] {0, 2}) {
            MemberGone gone = group.get(rank).expectGone(1, Cause.LOST);
            assertTrue(gone.getDetail().startsWith("control connection "), gone::getDetail);
        }
        assertTrue(Duration.ofNanos(System.nanoTime() - before).toMillis() < AT_ONCE_MS);
        group.get(1).data.awaitEnd();
        assertEquals(1, stats().membersLost());
    }

    @Test
    void shouldSayLostWhenProcessDies() {
        for (int round = 0; round < 10; round++) {
            List<TestRank> group = group(2);
            TestRank dead = group.get(0);
            (round % 2 == 0 ? dead.data : dead.control).reset();
            (round % 2 == 0 ? dead.control : dead.data).reset();
            MemberGone gone = group.get(1).expectGone(0, Cause.LOST);
            assertTrue(gone.getDetail().contains(" connection "), gone::getDetail);
            group.get(1).close();
            Await.until("session is gone", () -> stats().sessions() == 0);
        }
    }

    @Test
    void shouldTellRankThatLosesItsDataConnection() {
        List<TestRank> group = group(2);
        group.get(0).data.close();
        assertEquals("data connection ended", group.get(0).expectRefusal(ErrorCode.RELAY_LOST));
        assertEquals(
                "data connection ended", group.get(1).expectGone(0, Cause.LOST).getDetail());
    }

    @Test
    void shouldTakeSilentRankForDeadAndTellIt() {
        restart(RelayFixture.insecure().heartbeat(Duration.ofMillis(100), Duration.ofMillis(400)));
        List<TestRank> group = group(3);
        // Rank 2 says nothing on its control connection but sends frames: it lives. Rank 0 says nothing at all.
        MemberGone gone = awaitGone(group.get(1), 0, Cause.SILENT, group.get(2));
        assertTrue(gone.getDetail().startsWith("no heartbeat for "), gone::getDetail);
        String reason = group.get(0).expectRefusal(ErrorCode.LIMIT);
        assertEquals(gone.getDetail(), reason);
        assertEquals(2, stats().ranks());
        assertEquals(1, stats().membersLost());
    }

    @Test
    void shouldTakeJoinerForDeadThatIsSilent() {
        restart(RelayFixture.insecure().heartbeat(Duration.ofMillis(50), Duration.ofMillis(150)));
        TestRank silent = fixture.opened(TestRank.attached(fixture.at, join("s", 2, 0)));
        assertTrue(silent.expectRefusal(ErrorCode.LIMIT).startsWith("no heartbeat for "));
        Await.until("session is gone", () -> stats().sessions() == 0);
    }

    private static MemberGone awaitGone(TestRank witness, int rank, Cause cause) {
        return awaitGone(witness, rank, cause, null);
    }

    /** Keeps the witness alive by heartbeats, and another rank by frames, until the verdict comes. */
    private static MemberGone awaitGone(TestRank witness, int rank, Cause cause, TestRank sender) {
        while (true) {
            witness.heartbeat(1);
            if (sender != null) {
                sender.send(witness.rank(), new byte[1]);
                witness.receive();
            }
            ToRank message = witness.control.readMessage();
            if (message.getMessageCase() != ToRank.MessageCase.HEARTBEAT) {
                assertEquals(rank, message.getMemberGone().getRank());
                assertEquals(cause, message.getMemberGone().getCause());
                return message.getMemberGone();
            }
        }
    }

    @Test
    void shouldTellSuspectButPassNoVerdict() {
        List<TestRank> group = group(3);
        group.get(0).suspect(group.get(0).epoch(), 2);
        Suspect told = group.get(2).control.expect(ToRank.MessageCase.SUSPECT).getSuspect();
        assertEquals(0, told.getRank());
        assertEquals("reset", told.getDetail());
        for (TestRank rank : group) {
            rank.roundTrip();
        }
        assertEquals(3, stats().ranks());
    }

    @Test
    void shouldEndSessionThatIsIdle() {
        restart(RelayFixture.insecure()
                .set(RelayOption.SESSION_IDLE_MAX, "300")
                .heartbeat(Duration.ofMillis(100), Duration.ofSeconds(20)));
        for (TestRank rank : group(2)) {
            assertEquals(
                    "session s sent nothing but heartbeats for 300 ms (session-idle-max)",
                    rank.expectRefusal(ErrorCode.LIMIT));
        }
    }

    // Failing

    private static Abort.Builder abort(TestRank from, String reason) {
        return Abort.newBuilder()
                .setEpoch(from.epoch())
                .setContext(3)
                .setCode(ErrorCode.LENGTH_MISMATCH.number())
                .setCulprit(2)
                .setReason(reason);
    }

    @Test
    void shouldForwardAbortInTheNameOfItsSender() {
        List<TestRank> group = group(3);
        // Says that it were rank 2.
        group.get(1).abort(abort(group.get(1), "why").setRank(2));
        Abort expected = abort(group.get(1), "why").setRank(1).build();
        for (int rank : new int[] {0, 2}) {
            assertEquals(
                    expected,
                    group.get(rank).control.expect(ToRank.MessageCase.ABORT).getAbort());
        }
        group.get(1).roundTrip();
    }

    @Test
    void shouldForwardAbortWithLongReason() {
        restart(RelayFixture.insecure().set(RelayOption.CONTROL_BYTES_MAX, "1024"));
        List<TestRank> group = group(2);
        for (String reason : List.of("\u20ac".repeat(2000), "x".repeat(8000))) {
            group.get(1).abort(abort(group.get(1), reason).setContext(reason.length()));
            Abort told = group.get(0).control.expect(ToRank.MessageCase.ABORT).getAbort();
            assertEquals(reason.substring(0, 2000), told.getReason());
            assertEquals(2, told.getCulprit());
        }
        // A character of two halves is not cut in two.
        group.get(1).abort(abort(group.get(1), "z" + "\ud83d\ude00".repeat(1500)));
        assertEquals(
                "z" + "\ud83d\ude00".repeat(999),
                group.get(0).control.expect(ToRank.MessageCase.ABORT).getAbort().getReason());
        group.get(1).roundTrip();
    }

    /** Who waits for a place says no heartbeats, and keeps a number from others. */
    @Test
    void shouldForgetRanksThatAreGoneBeforeTheyAreAdmitted() {
        restart(RelayFixture.insecure()
                .set(RelayOption.HEARTBEAT_INTERVAL, "100")
                .set(RelayOption.HEARTBEAT_TIMEOUT, "600"));
        TestRank silent =
                fixture.opened(TestRank.asking(fixture.at, join("s", 2, 0).setElsewhere(true)));
        ToRank last = silent.control.expect(ToRank.MessageCase.PING);
        while (last.hasPing()) {
            last = silent.control.readMessage();
        }
        assertTrue(last.getRefused().getReason().startsWith("no answer for "), last::toString);
        Await.until("the place is free", () -> stats().ranks() == 0);
        TestRank next =
                fixture.opened(TestRank.asking(fixture.at, join("s", 2, 0).setElsewhere(true)));
        for (int i = 0; i < 5; i++) {
            long number = next.control.expect(ToRank.MessageCase.PING).getPing().getNumber();
            next.control.send(ToRelay.newBuilder()
                    .setPong(Pong.newBuilder().setNumber(number))
                    .build());
        }
        assertEquals(1, stats().ranks());
    }

    @Test
    void shouldTellOnceThatCommunicatorFailed() {
        List<TestRank> group = group(2);
        for (int context : new int[] {5, 5, 6, 5}) {
            group.get(1).abort(abort(group.get(1), "why").setContext(context));
        }
        group.get(1).roundTrip();
        for (int context : new int[] {5, 6}) {
            assertEquals(
                    context,
                    group.get(0)
                            .control
                            .expect(ToRank.MessageCase.ABORT)
                            .getAbort()
                            .getContext());
        }
        group.get(0).roundTrip();
    }

    /** It would go to all, in whatever length. */
    @Test
    void shouldNotPassOnWhatItDoesNotKnow() {
        List<TestRank> group = group(2);
        UnknownFieldSet unknown = UnknownFieldSet.newBuilder()
                .addField(
                        99,
                        UnknownFieldSet.Field.newBuilder()
                                .addLengthDelimited(ByteString.copyFrom(new byte[4000]))
                                .build())
                .build();
        TestRank talker = group.get(1);
        talker.abort(abort(talker, "why").setUnknownFields(unknown));
        assertEquals(
                abort(talker, "why").setRank(1).build(),
                group.get(0).control.expect(ToRank.MessageCase.ABORT).getAbort());
        Suspect.Builder suspect =
                Suspect.newBuilder().setEpoch(talker.epoch()).setDetail("reset").setUnknownFields(unknown);
        talker.control.send(ToRelay.newBuilder().setSuspect(suspect.setRank(0)).build());
        assertEquals(
                suspect.setRank(1)
                        .setUnknownFields(UnknownFieldSet.getDefaultInstance())
                        .build(),
                group.get(0).control.expect(ToRank.MessageCase.SUSPECT).getSuspect());
    }

    /** However they come in: here all of them in one piece. */
    @Test
    void shouldCountWhatGoesToManyAsManyMessages() {
        restart(RelayFixture.insecure().set(RelayOption.CONTROL_MESSAGES_PER_SECOND, "100"));
        List<TestRank> group = group(6);
        TestRank talker = group.get(5);
        ByteArrayOutputStream aborts = new ByteArrayOutputStream();
        for (int context = 0; context < 60; context++) {
            aborts.writeBytes(RawConnection.controlFrame(ToRelay.newBuilder()
                    .setAbort(abort(talker, "").setContext(context))
                    .build()));
        }
        long beganNs = System.nanoTime();
        talker.control.write(aborts.toByteArray());
        for (int context = 0; context < 60; context++) {
            assertEquals(
                    context,
                    group.get(0)
                            .control
                            .expect(ToRank.MessageCase.ABORT)
                            .getAbort()
                            .getContext());
        }
        // They count as 360, of which 100 may come at once.
        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs);
        assertTrue(tookMs >= 2000, "60 messages to five ranks took " + tookMs + " ms");
        talker.roundTrip();
    }

    /** What ranks say of a failure is cut by them, so that nothing longer is to be kept until it has come in. */
    @Test
    void shouldExpelRankWhoseControlMessageIsLongerThanReasons() {
        restart(RelayFixture.insecure().set(RelayOption.CONTROL_BYTES_MAX, "1024"));
        List<TestRank> group = group(2);
        byte[] frame = RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[0]);
        Frame.payloadBytes(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN), 0, 8193);
        group.get(0).control.write(frame);
        assertEquals(
                "control message of 8193 bytes, the limit is 8192 (control-bytes-max)",
                group.get(0).expectRefusal(ErrorCode.LIMIT));
        group.get(1).expectGone(0, Cause.EXPELLED);
    }

    @Test
    void shouldExpelRankWhoseControlMessageIsLongerThanAnyFrame() {
        List<TestRank> group = group(2);
        byte[] frame = RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[0]);
        Frame.payloadBytes(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN), 0, (4 << 20) + 1);
        group.get(0).control.write(frame);
        group.get(0).expectRefusal(ErrorCode.PROTOCOL);
        group.get(1).expectGone(0, Cause.EXPELLED);
    }

    @Test
    void shouldExpelRankThatSpeaksOfAnotherEpoch() {
        List<TestRank> group = group(3);
        group.get(0).abort(abort(group.get(0), "why").setEpoch(77));
        assertEquals(
                "Abort of epoch 77 in epoch " + group.get(0).epoch(),
                group.get(0).expectRefusal(ErrorCode.STALE_EPOCH));
        group.get(2).expectGone(0, Cause.EXPELLED);
        group.get(2).suspect(78, 1);
        group.get(2).expectRefusal(ErrorCode.STALE_EPOCH);
        group.get(1).expectGone(0, Cause.EXPELLED);
        group.get(1).expectGone(2, Cause.EXPELLED);
    }

    @Test
    void shouldExpelRankThatDoesNotReadItsControlConnection() {
        // The other one only looks on, and that may take longer than a rank may be silent.
        restart(RelayFixture.insecure()
                .set(RelayOption.CONTROL_MESSAGES_PER_SECOND, "10000000")
                .set(RelayOption.HEARTBEAT_TIMEOUT, "60000"));
        List<TestRank> group = group(2);
        TestRank deaf = group.get(0);
        byte[] heartbeat = RawConnection.controlFrame(ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(Long.MAX_VALUE))
                .build());
        byte[] many = new byte[1000 * heartbeat.length];
        for (int i = 0; i < 1000; i++) {
            System.arraycopy(heartbeat, 0, many, i * heartbeat.length, heartbeat.length);
        }
        Thread flood = new Thread(() -> {
            try {
                while (true) {
                    deaf.control.write(many);
                }
            } catch (UncheckedIOException e) {
                // Expelled.
            }
        });
        flood.setDaemon(true);
        flood.start();
        MemberGone gone = group.get(1).expectGone(0, Cause.EXPELLED);
        assertTrue(
                gone.getDetail()
                        .matches("LIMIT: does not read its control connection: \\d+ bytes wait for it"
                                + " \\(control-waiting-max\\)"),
                gone.getDetail());
    }

    @Test
    void shouldDropEverybodyWithoutWordWhenRelayCloses() {
        List<TestRank> group = group(2);
        fixture.relay.close();
        for (TestRank rank : group) {
            rank.control.awaitEnd();
            rank.data.awaitEnd();
        }
        assertEquals(0, stats().sessions());
    }
}
