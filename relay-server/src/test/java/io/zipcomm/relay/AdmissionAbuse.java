package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/** Who gets in, and as whom. Part of {@link AbuseTest}. */
abstract class AdmissionAbuse extends AbuseTest.Abuse {

    private static final String NOT_VALID = "the token is not valid here";

    private void expectUnauthorized(String reason, int rank, String token) {
        Join.Builder join = TestRank.join("s", 2, rank).setToken(token);
        long before = suite.relay.stats().refusals().getOrDefault(ErrorCode.UNAUTHORIZED, 0L);
        long opened = suite.relay.stats().sessionsOpened();
        assertEquals(reason, suite.asking(join).expectRefusal(ErrorCode.UNAUTHORIZED));
        assertEquals(before + 1, suite.relay.stats().refusals().get(ErrorCode.UNAUTHORIZED));
        assertEquals(opened, suite.relay.stats().sessionsOpened());
    }

    private String mint(TokenRequest request) {
        return RelayTokens.mint(suite.pair, request);
    }

    private static Instant in(Duration time) {
        return Instant.now().plus(time);
    }

    @Test
    void shouldRefuseWhoHasNoToken() {
        expectUnauthorized("this relay wants a token", 0, "");
    }

    @Test
    void shouldRefuseTokenOfWrongKey() {
        RelaySecret foreign = RelaySecret.random();
        expectUnauthorized(NOT_VALID, 0, RelayTokens.mint(TokenKey.of(foreign), TokenRequest.forSession("s")));
        String right = suite.token("s");
        expectUnauthorized(NOT_VALID, 0, right.substring(0, right.lastIndexOf('.') + 1));
        expectUnauthorized(NOT_VALID, 0, "x".repeat(8000));
    }

    @Test
    void shouldRefuseTokenBeforeAndAfterItsTime() {
        expectUnauthorized(
                "the token has expired", 0, mint(TokenRequest.forSession("s").expires(in(Duration.ofSeconds(-6)))));
        expectUnauthorized(
                "the token is not valid yet",
                0,
                mint(TokenRequest.forSession("s").notBefore(in(Duration.ofMinutes(1)))));
    }

    @Test
    void shouldRefuseTokenForOtherSessionOrRank() {
        expectUnauthorized("the token is for another session", 0, suite.token("healthy"));
        expectUnauthorized("the token is for another session", 0, suite.token("s2*"));
        expectUnauthorized(
                "the token is not for rank 0",
                0,
                mint(TokenRequest.forSession("s").ranks("1")));
        expectUnauthorized(
                "the token is for ranks 1-1: ask for one of them",
                -1,
                mint(TokenRequest.forSession("s").ranks("1")));
    }

    @Test
    void shouldRefuseTokenOfNoOrAnotherAlgorithm() throws Exception {
        byte[] known = Files.readAllBytes(suite.publicKey);
        for (String header : List.of(
                "{\"alg\":\"none\"}",
                "{\"alg\":\"HS512\"}",
                "{\"alg\":\"HS256\"}",
                "{\"alg\":\"HS256\",\"kid\":\"signer\"}",
                "{\"alg\":\"EdDSA\",\"kid\":\"signer\"}")) {
            // With what everybody may know, the public key, as if it were a secret.
            expectUnauthorized(NOT_VALID, 0, forged(header, known));
            String unsigned = forged(header, known);
            expectUnauthorized(NOT_VALID, 0, unsigned.substring(0, unsigned.lastIndexOf('.') + 1));
        }
    }

    private static String forged(String header, byte[] key) throws Exception {
        String signed = base64(header.getBytes(StandardCharsets.UTF_8)) + "."
                + base64("{\"session\":\"s\"}".getBytes(StandardCharsets.UTF_8));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return signed + "." + base64(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII)));
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    // Replays: what a stranger who has recorded a connection can do with it

    @Test
    void shouldNotAdmitRecordedJoinTwice() {
        Join.Builder recorded = suite.join("s", 2, 0);
        TestRank rank = suite.attached(recorded);
        String reason = suite.asking(recorded).expectRefusal(ErrorCode.RANK_TAKEN);
        assertTrue(reason.matches("rank 0 of session s is taken by /127\\.0\\.0\\.1:\\d+"), reason);
        TestRank other = suite.attached(suite.join("s", 2, 1));
        rank.awaitReady();
        other.awaitReady();
        suite.asking(recorded).expectRefusal(ErrorCode.GROUP_FULL);
        rank.send(1, new byte[] {1});
        assertEquals(1, other.receive().payload()[0]);
    }

    /** A token admits whoever shows it, for its time: it is what TLS and expiry are for. A ticket is worth nothing by then. */
    @Test
    void shouldGiveNothingOfAnEndedSessionForItsRecording() {
        Join.Builder join = TestRank.join("s", 1, 0)
                .setToken(mint(TokenRequest.forSession("s").expires(in(Duration.ofSeconds(-3)))));
        TestRank first = suite.attached(join).awaitReady();
        ToRelay attach = first.attachMessage();
        first.leave();
        first.close();
        suite.awaitNoOtherSession();
        expectNoPlace(attach);
        // As long as the token is good, the Join is one for a new session of that name, with which the old ticket does
        // not go.
        TestRank again = suite.asking(join).awaitAdmitted();
        assertNotEquals(first.admitted.getTicket(), again.admitted.getTicket());
        expectNoPlace(attach);
        again.attach().awaitReady();
        assertNotEquals(first.view.getEpoch(), again.view.getEpoch());
        assertNotEquals(first.view.getSessionKey(), again.view.getSessionKey());
        again.close();
        suite.awaitNoOtherSession();
        Instant over = in(Duration.ofSeconds(3));
        Await.until("the token's time is over", () -> Instant.now().isAfter(over));
        assertEquals("the token has expired", suite.asking(join).expectRefusal(ErrorCode.UNAUTHORIZED));
    }

    private void expectNoPlace(ToRelay attach) {
        RawConnection data = suite.connect();
        data.send(attach);
        assertEquals("there is no such place for this ticket", data.expectRefusal(ErrorCode.UNAUTHORIZED));
    }

    @Test
    void shouldNotAttachByRecordedAttach() {
        List<TestRank> group = suite.group("s", 2);
        ToRelay recorded = group.get(0).attachMessage();
        RawConnection replay = suite.connect();
        replay.send(recorded);
        assertEquals("rank 0 is attached already", replay.expectRefusal(ErrorCode.UNAUTHORIZED));
        // Nor when the data connection is gone, and the rank about to be.
        group.get(0).data.close();
        Await.until("its data connection is gone", () -> {
            try (RawConnection late = new RawConnection(suite.at)) {
                late.send(recorded);
                return late.expectRefusal(ErrorCode.UNAUTHORIZED).equals("there is no such place for this ticket");
            }
        });
        group.get(1).expectGone(0, Cause.LOST);
    }

    /** All that a rank said in TLS, said again: the relay has another key for each connection. */
    @Test
    void shouldMakeNothingOfRecordedTls() {
        Recorder recorder = suite.opened(new Recorder());
        RawConnection control = suite.opened(new RawConnection(recorder, suite.at, 0, suite.tls));
        control.send(TestRank.message(suite.join("s", 2, 0)));
        control.expect(ToRank.MessageCase.ADMITTED);
        control.close();
        suite.awaitNoOtherSession();
        long opened = suite.relay.stats().sessionsOpened();
        RawConnection replay = suite.connect();
        replay.write(recorder.said.toByteArray());
        replay.awaitEnd();
        assertEquals(opened, suite.relay.stats().sessionsOpened());
    }

    private static final class Recorder extends Socket {
        private final ByteArrayOutputStream said = new ByteArrayOutputStream();

        @Override
        public OutputStream getOutputStream() throws IOException {
            return new FilterOutputStream(super.getOutputStream()) {
                @Override
                public void write(byte[] bytes, int from, int count) throws IOException {
                    said.write(bytes, from, count);
                    out.write(bytes, from, count);
                }
            };
        }
    }

    // Hijacks: a rank, or whoever has its session's token, takes the part of another

    @Test
    void shouldGiveNobodyTheDataConnectionOfAnother() {
        TestRank victim = suite.asking(suite.join("s", 3, 0)).awaitAdmitted();
        TestRank thief = suite.asking(suite.join("s", 3, 1)).awaitAdmitted();
        TestRank elsewhere = suite.asking(suite.join("t", 3, 0)).awaitAdmitted();
        Attach own = thief.attachMessage().getAttach();
        expectNoPlace(attach(own.toBuilder().setRank(0)));
        expectNoPlace(attach(own.toBuilder().setRank(2)));
        expectNoPlace(attach(own.toBuilder().setSession("t").setRank(0)));
        expectNoPlace(attach(own.toBuilder().clearTicket().setRank(0)));
        expectNoPlace(attach(elsewhere.attachMessage().getAttach().toBuilder().setSession("s")));
        victim.attach();
    }

    private static ToRelay attach(Attach.Builder attach) {
        return ToRelay.newBuilder().setAttach(attach).build();
    }

    /** It would send for another, take its credit back, or send its link back to the relay. */
    @Test
    void shouldExpelWhoSpeaksForAnother() {
        for (FrameType type : List.of(FrameType.EAGER, FrameType.FLOW, FrameType.RESUME, FrameType.BYE)) {
            List<TestRank> group = suite.group("s", 3);
            byte[] frame = group.get(0).frame(type, 2, new byte[0]);
            Frame.source(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN), 0, 1);
            group.get(0).data.write(frame);
            assertEquals("frame in the name of rank 1", group.get(0).expectRefusal(ErrorCode.PROTOCOL));
            group.get(1).expectGone(0, Cause.EXPELLED);
            group.get(2).expectGone(0, Cause.EXPELLED);
            group.get(1).send(2, new byte[] {9});
            assertEquals(9, group.get(2).receive().payload()[0]);
            TestRank.closeAll(group);
            suite.awaitNoOtherSession();
        }
    }

    @Test
    void shouldExpelWhoJoinsOrAttachesAgain() {
        for (int what = 0; what < 2; what++) {
            List<TestRank> group = suite.group("s", 2);
            ToRelay again = what == 0
                    ? TestRank.message(suite.join("s", 2, 1))
                    : group.get(1).attachMessage();
            group.get(0).control.send(again);
            assertEquals(
                    "message " + again.getMessageCase() + " on a control connection",
                    group.get(0).expectRefusal(ErrorCode.PROTOCOL));
            group.get(1).expectGone(0, Cause.EXPELLED);
            TestRank.closeAll(group);
            suite.awaitNoOtherSession();
        }
    }

    /** A rank that wants its number from the relay, or another size, gets neither somebody's place nor somebody's group. */
    @Test
    void shouldNotLetInSurplusRanks() {
        suite.group("s", 2);
        suite.asking(suite.join("s", 2, -1)).expectRefusal(ErrorCode.GROUP_FULL);
        suite.asking(suite.join("s", 3, 2)).expectRefusal(ErrorCode.SIZE_MISMATCH);
        for (int rank : new int[] {-2, 2, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            suite.asking(suite.join("s", 2, rank)).expectRefusal(ErrorCode.BAD_SETTING);
        }
        for (int size : new int[] {0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            suite.asking(suite.join("t", size, -1)).expectRefusal(ErrorCode.BAD_SETTING);
        }
        assertEquals(2, suite.relay.stats().sessions());
    }
}
