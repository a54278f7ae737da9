package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.TokenRequest.Quota;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What limits do that {@link AbuseTest} does not show: quotas of tokens, slow readers that read, reloads. */
@Tag("once")
final class LimitTest {

    private static final RelaySecret SECRET = RelaySecret.random();

    private RelayFixture fixture;

    private RelayFixture start(RelaySettings.Builder settings) {
        fixture = new RelayFixture(settings);
        return fixture;
    }

    private void startWith(RelayOption option, long value) {
        start(RelayFixture.insecure().set(option, Long.toString(value)));
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    private void expectLimit(RelayOption option, String reason) {
        assertTrue(reason.endsWith(" (" + option.key() + ")"), reason);
        assertTrue(fixture.relay.stats().limitsReached().getOrDefault(option, 0L) > 0, option.key());
    }

    // Sessions

    private static String token(String session, Quota quota, long limit) {
        TokenRequest request = TokenRequest.forSession(session).quota(quota, limit);
        return RelayTokens.mint(TokenKey.of(SECRET), request);
    }

    @Test
    void shouldKeepSessionsAndRanksWithinTheQuotasOfTheToken() {
        start(RelaySettings.builder().listen("127.0.0.1:0").secret(SECRET));
        String ranks = token("*", Quota.RANKS_MAX, 2);
        String told = fixture.opened(TestRank.asking(fixture.at, join("s", 3, 0).setToken(ranks)))
                .expectRefusal(ErrorCode.LIMIT);
        assertEquals("session of 3 ranks, the token allows 2 (ranks_max)", told);

        String sessions = token("acme-*", Quota.SESSIONS_MAX, 2);
        TestRank one = fixture.opened(
                TestRank.admitted(fixture.at, join("acme-1", 2, 0).setToken(sessions)));
        fixture.opened(TestRank.admitted(fixture.at, join("acme-2", 2, 0).setToken(sessions)));
        // A session that is there is not opened again.
        fixture.opened(TestRank.admitted(fixture.at, join("acme-2", 2, 1).setToken(sessions)));
        told = fixture.opened(TestRank.asking(fixture.at, join("acme-3", 2, 0).setToken(sessions)))
                .expectRefusal(ErrorCode.LIMIT);
        assertEquals("there are 2 sessions under 'acme-*', and the token allows no more (sessions_max)", told);
        fixture.opened(
                TestRank.admitted(fixture.at, join("other", 2, 0).setToken(token("other*", Quota.SESSIONS_MAX, 2))));
        one.close();
        Await.until("the session is gone", () -> fixture.relay.stats().sessions() == 2);
        fixture.opened(TestRank.admitted(fixture.at, join("acme-3", 2, 0).setToken(sessions)));
    }

    /** Whoever has both tokens would double what the quota allows. */
    @Test
    void shouldCountSessionsOfTokensWithoutQuotaTowardsTheQuota() {
        start(RelaySettings.builder().listen("127.0.0.1:0").secret(SECRET));
        String open = RelayTokens.mint(TokenKey.of(SECRET), TokenRequest.forSession("acme-*"));
        String limited = token("acme-*", Quota.SESSIONS_MAX, 2);
        TestRank one = fixture.opened(
                TestRank.admitted(fixture.at, join("acme-1", 2, 0).setToken(open)));
        fixture.opened(TestRank.admitted(fixture.at, join("acme-2", 2, 0).setToken(open)));
        assertTrue(
                fixture.opened(TestRank.asking(fixture.at, join("acme-3", 2, 0).setToken(limited)))
                        .expectRefusal(ErrorCode.LIMIT)
                        .endsWith("(sessions_max)"));
        // Without the quota there may be more, and joining what is there opens nothing.
        fixture.opened(TestRank.admitted(fixture.at, join("acme-4", 2, 0).setToken(open)));
        fixture.opened(TestRank.admitted(fixture.at, join("acme-2", 2, 1).setToken(limited)));
        one.close();
        Await.until("the session is gone", () -> fixture.relay.stats().sessions() == 2);
        fixture.opened(TestRank.asking(fixture.at, join("acme-3", 2, 0).setToken(limited)))
                .expectRefusal(ErrorCode.LIMIT);
        fixture.opened(
                TestRank.admitted(fixture.at, join("acme-3", 2, 0).setToken(token("acme-*", Quota.SESSIONS_MAX, 3))));
    }

    /** One that went away before the group began has no say in what the group may do. */
    @Test
    void shouldForgetTheQuotaOfWhoLeavesBeforeTheGroupIsComplete() {
        start(RelaySettings.builder().listen("127.0.0.1:0").secret(SECRET));
        String open = RelayTokens.mint(TokenKey.of(SECRET), TokenRequest.forSession("s"));
        String slow = token("s", Quota.SESSION_BYTES_PER_SECOND, 1);
        TestRank first =
                fixture.opened(TestRank.attached(fixture.at, join("s", 2, 0).setToken(open)));
        TestRank leaves =
                fixture.opened(TestRank.admitted(fixture.at, join("s", 2, 1).setToken(slow)));
        leaves.close();
        Await.until("it is gone", () -> fixture.relay.stats().ranks() == 1);
        TestRank second =
                fixture.opened(TestRank.attached(fixture.at, join("s", 2, 1).setToken(open)));
        first.awaitReady();
        second.awaitReady();
        // At its rate this would take hours.
        for (int i = 0; i < 3; i++) {
            first.send(1, new byte[10_000]);
            assertEquals(10_000, second.receive().payload().length);
        }
    }

    // Epochs

    @Test
    void shouldCountAllWhoMayJoinTowardsTheQuotaOfTheToken() {
        start(RelaySettings.builder().listen("127.0.0.1:0").secret(SECRET));
        String ranks = token("*", Quota.RANKS_MAX, 3);
        String told = fixture.opened(TestRank.asking(
                        fixture.at, join("s", 3, 0).setSizeMax(4).setToken(ranks)))
                .expectRefusal(ErrorCode.LIMIT);
        assertEquals("session of 4 ranks, the token allows 3 (ranks_max)", told);
        fixture.opened(
                TestRank.admitted(fixture.at, join("s", 2, 0).setSizeMax(3).setToken(ranks)));
    }

    /** What newcomers may do counts once they are members; members do what they could do before. */
    @Test
    void shouldHoldQuotasInEachEpochByThoseWhoAreInIt() throws Exception {
        start(RelaySettings.builder().listen("127.0.0.1:0").secret(SECRET));
        String open = RelayTokens.mint(TokenKey.of(SECRET), TokenRequest.forSession("s"));
        String slow = token("s", Quota.SESSION_BYTES_PER_SECOND, BYTES_PER_SECOND);
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            group.add(fixture.opened(TestRank.attached(
                    fixture.at, join("s", 2, rank).setSizeMin(1).setSizeMax(3).setToken(open))));
        }
        group.forEach(TestRank::awaitReady);
        TestRank newcomer = fixture.opened(TestRank.attached(
                fixture.at, join("s", 2, -1).setSizeMin(1).setSizeMax(3).setToken(slow)));
        // At the newcomer's rate these would take a minute.
        for (int i = 0; i < 1000; i++) {
            group.get(0).send(1, new byte[60_000]);
            group.get(1).receive();
        }
        assertEquals(0, stats(RelayOption.SESSION_BYTES_PER_SECOND));
        List<TestRank> grown = new ArrayList<>();
        for (TestRank member : group) {
            grown.add(fixture.opened(TestRank.attached(fixture.at, member.joinNext(3))));
        }
        grown.forEach(TestRank::awaitReady);
        newcomer.awaitReady();
        for (int i = 0; i < 4; i++) {
            grown.get(0).send(1, new byte[60_000]);
            grown.get(1).receive();
        }
        assertTrue(stats(RelayOption.SESSION_BYTES_PER_SECOND) > 0, "nobody is read more slowly");
        newcomer.close();
        grown.get(0).expectGone(2, Cause.LOST);
        grown.get(1).expectGone(2, Cause.LOST);
        List<TestRank> alone = new ArrayList<>();
        for (TestRank member : grown) {
            alone.add(fixture.opened(TestRank.attached(fixture.at, member.joinNext(0))));
        }
        alone.forEach(TestRank::awaitReady);
        // Who was slowed down pays for what came before, and for nothing else.
        long before = stats(RelayOption.SESSION_BYTES_PER_SECOND);
        for (int i = 0; i < 1000; i++) {
            alone.get(0).send(1, new byte[60_000]);
            alone.get(1).receive();
        }
        assertEquals(before, stats(RelayOption.SESSION_BYTES_PER_SECOND));
    }

    private long stats(RelayOption option) {
        return fixture.relay.stats().limitsReached().getOrDefault(option, 0L);
    }

    /** A rank that goes on has what it sent too much behind it on another connection. */
    @Test
    void shouldNotForgiveMembersWhatTheySentTooFast() {
        startWith(RelayOption.RANK_BYTES_PER_SECOND, BYTES_PER_SECOND);
        TestRank first =
                fixture.opened(TestRank.attached(fixture.at, join("s", 2, 0).setSizeMin(1)));
        TestRank second =
                fixture.opened(TestRank.attached(fixture.at, join("s", 2, 1).setSizeMin(1)));
        first.awaitReady();
        second.awaitReady();
        long beganNs = System.nanoTime();
        int epochs = 8;
        for (int epoch = 0; epoch < epochs; epoch++) {
            first.send(1, new byte[60_000]);
            first.send(1, new byte[60_000]);
            second.receive();
            second.receive();
            TestRank firstNext = fixture.opened(TestRank.attached(fixture.at, first.joinNext(0)));
            TestRank secondNext = fixture.opened(TestRank.attached(fixture.at, second.joinNext(0)));
            first = firstNext.awaitReady();
            second = secondNext.awaitReady();
        }
        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs);
        // With 100 ms' worth at once in each epoch, and nothing to pay for in the next, it would be none of that.
        assertTrue(tookMs >= 500, "960 kB in " + epochs + " epochs took " + tookMs + " ms");
    }

    /** A reload that allows less holds for sessions that come. */
    @Test
    void shouldLetMembersGoOnWhereLargerSessionsAreNotAllowedAnyMore() {
        start(RelayFixture.insecure());
        List<TestRank> group = fixture.group("s", 3);
        fixture.relay.reload(
                RelayFixture.insecure().set(RelayOption.RANKS_MAX, "2").build());
        List<TestRank> next = new ArrayList<>();
        for (TestRank member : group) {
            next.add(fixture.opened(TestRank.attached(fixture.at, member.joinNext(0))));
        }
        next.forEach(TestRank::awaitReady);
        fixture.opened(TestRank.asking(fixture.at, join("t", 3, 0))).expectRefusal(ErrorCode.LIMIT);
    }

    // Rates

    private static final int BYTES_PER_SECOND = 1_000_000;

    @Test
    void shouldReadRankMoreSlowlyThatSendsTooMuch() throws Exception {
        startWith(RelayOption.RANK_BYTES_PER_SECOND, BYTES_PER_SECOND);
        expectSlow(fixture.group("s", 2), fixture.group("t", 2), RelayOption.RANK_BYTES_PER_SECOND);
    }

    @Test
    void shouldReadSessionMoreSlowlyThatSendsTooMuch() throws Exception {
        startWith(RelayOption.SESSION_BYTES_PER_SECOND, BYTES_PER_SECOND);
        expectSlow(fixture.group("s", 2), fixture.group("t", 2), RelayOption.SESSION_BYTES_PER_SECOND);
    }

    /** Everything arrives, not before its time, while another session is served. */
    private void expectSlow(List<TestRank> slow, List<TestRank> other, RelayOption option) throws Exception {
        byte[] payload = new byte[60_000];
        int frames = 15;
        long beganNs = System.nanoTime();
        Thread sender = new Thread(() -> {
            for (int i = 0; i < frames; i++) {
                slow.get(0).send(1, payload);
            }
        });
        sender.start();
        Thread receiver = new Thread(() -> {
            for (int i = 0; i < frames; i++) {
                slow.get(1).receive();
            }
        });
        receiver.start();
        int rounds = 0;
        while (receiver.isAlive()) {
            other.get(0).send(1, new byte[] {1});
            other.get(1).receive();
            other.get(1).send(0, new byte[] {1});
            other.get(0).receive();
            rounds++;
            slow.get(0).roundTrip();
            // Keeps what the other session sends itself far below the limit.
            TimeUnit.MILLISECONDS.sleep(2);
        }
        sender.join(10_000);
        receiver.join(10_000);
        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs);
        // All but the burst, 100 ms' worth, and the last read, which is not waited for.
        assertTrue(tookMs >= 600, "900 kB took " + tookMs + " ms");
        assertTrue(rounds >= 20, rounds + " rounds of the other session in " + tookMs + " ms");
        assertTrue(fixture.relay.stats().limitsReached().getOrDefault(option, 0L) > 0, option.key());
    }

    // Slow consumers

    /** A rank with a small receive buffer, and seven others that fill their windows to it. */
    private List<TestRank> groupBehindSlowRank() {
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < 8; rank++) {
            TestRank member = fixture.opened(TestRank.admitted(fixture.at, join("s", 8, rank)));
            member.dataReceiveBytes = rank == 0 ? 4096 : 0;
            group.add(member.attach());
        }
        group.forEach(TestRank::awaitReady);
        byte[] payload = new byte[group.get(0).view.getFragmentBytesMax()];
        long room = group.get(0).view.getFlowWindowBytes() / (payload.length + 64);
        for (int from = 1; from < 8; from++) {
            for (int i = 0; i < room; i++) {
                group.get(from).send(0, payload);
            }
        }
        return group;
    }

    @Test
    void shouldExpelRankThatTakesNothingFromItsControlConnection() {
        start(RelayFixture.insecure()
                .set(RelayOption.SLOW_CONSUMER_TIMEOUT, "600")
                .set(RelayOption.CONTROL_MESSAGES_PER_SECOND, "15000")
                // The other one says nothing while it looks on.
                .set(RelayOption.HEARTBEAT_TIMEOUT, "60000"));
        List<TestRank> group = fixture.group("s", 2);
        // Lives, and reads nothing: more than systems hold, and less than the relay does.
        Thread flood = new Thread(() -> {
            try {
                for (long number = 0; ; number++) {
                    group.get(0).heartbeat(Long.MAX_VALUE - number);
                }
            } catch (UncheckedIOException e) {
                // Expelled.
            }
        });
        flood.setDaemon(true);
        flood.start();
        String detail = group.get(1).expectGone(0, Cause.EXPELLED).getDetail();
        assertEquals("LIMIT: does not read its control connection (slow-consumer-timeout)", detail);
    }

    @Test
    void shouldNotExpelRankThatIsSlowButReads() throws Exception {
        startWith(RelayOption.SLOW_CONSUMER_TIMEOUT, 1500);
        List<TestRank> group = groupBehindSlowRank();
        Await.until("bytes wait", () -> fixture.relay.stats().bytesWaiting() > 0);
        // Every pause is shorter than the limit, and all together are longer; a system shows room by the megabyte.
        for (int pause = 0; pause < 5; pause++) {
            for (int i = 0; i < 20; i++) {
                group.get(0).receive();
            }
            TimeUnit.MILLISECONDS.sleep(400);
            for (TestRank rank : group) {
                rank.roundTrip();
            }
        }
        assertEquals(8, fixture.relay.stats().ranks());
    }

    // Memory

    /** They are kept until they end, in memory that has an end, too. */
    @Test
    void shouldBoundFramesThatDoNotEnd() {
        startWith(RelayOption.MEMORY, 1 << 20);
        List<TestRank> group = fixture.group("s", 20);
        for (TestRank rank : group) {
            byte[] frame = rank.frame(FrameType.EAGER, (rank.rank() + 1) % 20, new byte[65_000]);
            rank.data.write(Arrays.copyOf(frame, 60_000));
        }
        Await.until(
                "one is expelled",
                () -> fixture.relay.stats().limitsReached().getOrDefault(RelayOption.MEMORY, 0L) > 0);
        assertTrue(fixture.relay.stats().ranks() > 10, "no more than necessary");
    }

    // Reload

    @Test
    void shouldFollowLimitsOfReload() {
        startWith(RelayOption.RANK_BYTES_PER_SECOND, 1);
        List<TestRank> group = fixture.group("s", 2);
        for (int i = 0; i < 3; i++) {
            group.get(0).send(1, new byte[10_000]);
        }
        group.get(0).roundTrip();
        // At the old rate the rest would take hours.
        fixture.relay.reload(
                RelayFixture.insecure().set(RelayOption.SESSIONS_MAX, "1").build());
        for (int i = 0; i < 3; i++) {
            assertEquals(10_000, group.get(1).receive().payload().length);
        }
        expectLimit(
                RelayOption.SESSIONS_MAX,
                fixture.opened(TestRank.asking(fixture.at, join("t", 2, 0))).expectRefusal(ErrorCode.LIMIT));
    }

    /** What came at the old rate is paid for at the new one: it would stay away for hours otherwise. */
    @Test
    void shouldFreeWhoIsInDebtWhenTheRateIsRaised() {
        startWith(RelayOption.RANK_BYTES_PER_SECOND, 1);
        List<TestRank> group = fixture.group("s", 2);
        for (int i = 0; i < 3; i++) {
            group.get(0).send(1, new byte[10_000]);
        }
        group.get(0).roundTrip();
        fixture.relay.reload(RelayFixture.insecure()
                .set(RelayOption.RANK_BYTES_PER_SECOND, "10000000")
                .build());
        for (int i = 0; i < 3; i++) {
            assertEquals(10_000, group.get(1).receive().payload().length);
        }
        group.get(0).send(1, new byte[] {7});
        assertEquals(7, group.get(1).receive().payload()[0]);
    }

    @Test
    void shouldKeepWhatTakesRestart() {
        start(RelayFixture.insecure());
        RelaySettings before = fixture.relay.settings();
        RelaySettings.Builder fresh = RelayFixture.insecure()
                .listen("127.0.0.1:1")
                .threads(7)
                .set(RelayOption.HEARTBEAT_TIMEOUT, "9999")
                .set(RelayOption.HANDSHAKES_MAX, "9");
        assertEquals(
                EnumSet.of(RelayOption.LISTEN, RelayOption.THREADS, RelayOption.HEARTBEAT_TIMEOUT),
                fixture.relay.reload(fresh.build()));
        RelaySettings after = fixture.relay.settings();
        assertEquals(before.listen(), after.listen());
        assertEquals(before.threads(), after.threads());
        assertEquals(before.heartbeatTimeout(), after.heartbeatTimeout());
        assertEquals(9, after.limits().handshakesMax());
        assertEquals(Set.of(), fixture.relay.reload(after));
    }

    /** Who reloads hears of each. */
    @Test
    void shouldNameWhateverTakesRestart() {
        start(RelayFixture.insecure());
        RelaySettings.Builder fresh = RelayFixture.insecure();
        Set<RelayOption> fixed = EnumSet.noneOf(RelayOption.class);
        for (RelayOption option : RelayOption.values()) {
            // A reload that changes whether everybody is admitted fails.
            if (option.fixed() && option != RelayOption.INSECURE) {
                fixed.add(option);
                fresh.set(
                        option,
                        switch (option.unit()) {
                            case "host:port" -> "127.0.0.1:1";
                            case "path" -> "/other";
                            case "name" -> "nio";
                            case "true, false or auto" -> "true";
                            default -> "9999";
                        });
            }
        }
        fresh.set(RelayOption.THREADS, "2").set(RelayOption.HEARTBEAT_INTERVAL, "2000");
        assertEquals(fixed, fixture.relay.reload(fresh.build()));
    }

    @Test
    void shouldAnswerHeartbeatOfRankThatIsReadSlowly() {
        startWith(RelayOption.RANK_BYTES_PER_SECOND, 1);
        List<TestRank> group = fixture.group("s", 2);
        group.get(0).send(1, new byte[10_000]);
        group.get(0)
                .control
                .send(ToRelay.newBuilder()
                        .setHeartbeat(Heartbeat.newBuilder().setNumber(5))
                        .build());
        ToRank answer = group.get(0).control.expect(ToRank.MessageCase.HEARTBEAT);
        assertEquals(5, answer.getHeartbeat().getNumber());
    }
}
