package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.TokenRequest.Quota;
import io.zipcomm.relay.admin.RelayMetricsLimits;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.ToRank;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every limit of the relay that has a name: a refusal that names it, or back pressure. Part of {@link AbuseTest}. */
abstract class LimitAbuse extends AbuseTest.Abuse {

    /** Reached by other attacks of the suite. */
    private static final Map<RelayOption, String> ELSEWHERE = Map.of(
            RelayOption.HANDSHAKE_TIMEOUT, "HandshakeAbuse.shouldEndSlowHandshakesInTime",
            RelayOption.HUB_OPERATIONS_MAX, "FrameAbuse.shouldBoundOperationsThatNobodyComesTo",
            RelayOption.CONTROL_WAITING_MAX, "FloodAbuse.shouldExpelRankThatReadsNothing",
            RelayOption.CONTROL_MEMORY, "FloodAbuse.shouldBoundWhatWaitsForAllRanksTogether");

    /** Connections of the healthy session. */
    private static final int THERE = 8;

    /** Goes to a limit, and sees what comes of it. */
    private interface Scenario {
        void run() throws Exception;
    }

    private final Map<RelayOption, Scenario> scenarios = new EnumMap<>(RelayOption.class);

    LimitAbuse() {
        scenarios.put(RelayOption.CONNECTIONS_MAX, () -> tooManyConnections(RelayOption.CONNECTIONS_MAX));
        scenarios.put(
                RelayOption.ADDRESS_CONNECTIONS_MAX, () -> tooManyConnections(RelayOption.ADDRESS_CONNECTIONS_MAX));
        scenarios.put(RelayOption.HANDSHAKES_MAX, () -> tooManyHandshakes(RelayOption.HANDSHAKES_MAX));
        scenarios.put(RelayOption.ADDRESS_HANDSHAKES_MAX, () -> tooManyHandshakes(RelayOption.ADDRESS_HANDSHAKES_MAX));
        scenarios.put(RelayOption.ADDRESS_HANDSHAKES_PER_SECOND, this::connectionsTooFast);
        scenarios.put(RelayOption.SESSIONS_MAX, this::tooManySessions);
        scenarios.put(RelayOption.RANKS_MAX, this::tooManyRanks);
        scenarios.put(RelayOption.RANK_BYTES_PER_SECOND, () -> tooManyBytes(Quota.BYTES_PER_SECOND));
        scenarios.put(RelayOption.SESSION_BYTES_PER_SECOND, () -> tooManyBytes(Quota.SESSION_BYTES_PER_SECOND));
        scenarios.put(RelayOption.CONTROL_MESSAGES_PER_SECOND, this::tooManyMessages);
        scenarios.put(RelayOption.FRAGMENT_BYTES_MAX, this::frameTooLong);
        scenarios.put(RelayOption.CONTROL_BYTES_MAX, this::messageTooLong);
        scenarios.put(RelayOption.SESSION_MEMORY, this::tooMuchWaitsInSession);
        scenarios.put(RelayOption.MEMORY, this::tooMuchWaitsInAll);
        scenarios.put(RelayOption.SLOW_CONSUMER_TIMEOUT, this::readsNothing);
        scenarios.put(RelayOption.JOIN_TIMEOUT_MAX, this::joinsForTooLong);
        scenarios.put(RelayOption.HEARTBEAT_TIMEOUT, this::saysNothing);
        scenarios.put(RelayOption.RESUME_GRACE, this::staysAway);
        scenarios.put(RelayOption.SESSION_IDLE_MAX, this::idlesForTooLong);
    }

    static Set<RelayOption> limits() {
        Set<RelayOption> limits = EnumSet.copyOf(RelayMetricsLimits.options());
        limits.removeAll(ELSEWHERE.keySet());
        return limits;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.zipcomm.relay.LimitAbuse#limits")
    void shouldServeOthersAtTheLimitOf(RelayOption option) throws Exception {
        long before = suite.reached(option);
        scenarios.get(option).run();
        assertTrue(suite.reached(option) > before, "the metric does not show it");
    }

    /** Nobody counts those that are turned away, so they must not pile up. */
    @Test
    void shouldHoldNoSurplusConnections() {
        suite.limit(RelayOption.CONNECTIONS_MAX, THERE);
        List<RawConnection> surplus = new ArrayList<>();
        for (int i = 0; i < 1500; i++) {
            surplus.add(suite.connect());
        }
        assertEquals(THERE, suite.relay.stats().connections());
        assertTrue(suite.relay.stats().surplus() <= 256, suite.relay.stats().surplus() + " at once");
        surplus.forEach(RawConnection::awaitEnd);
    }

    private void tooManyConnections(RelayOption option) {
        suite.limit(option, THERE + 2);
        suite.asking(suite.join("s", 1, 0)).awaitAdmitted().attach().awaitReady();
        suite.expectLimit(option, suite.connect().expectRefusal(ErrorCode.LIMIT));
    }

    private void tooManyHandshakes(RelayOption option) {
        suite.limit(option, 3);
        List<RawConnection> silent = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            silent.add(suite.connect());
        }
        suite.expectLimit(option, silent.get(0).expectRefusal(ErrorCode.LIMIT));
        assertTrue(suite.relay.stats().handshakes() <= 3);
        suite.group("s", 2);
    }

    private void connectionsTooFast() {
        RelayOption option = RelayOption.ADDRESS_HANDSHAKES_PER_SECOND;
        suite.limit(option, 2);
        // Two seconds' worth may come at once, and some more while this runs.
        for (int i = 0; i < 20; i++) {
            suite.connectFrom("127.0.0.3");
        }
        suite.expectLimit(option, suite.connectFrom("127.0.0.3").expectRefusal(ErrorCode.LIMIT));
        // The others' rate is their own.
        suite.connectFrom("127.0.0.4").send(TestRank.message(suite.join("s", 2, 0)));
        Await.until("another address is served", () -> suite.relay.stats().sessions() == 2);
    }

    private void tooManySessions() {
        suite.limit(RelayOption.SESSIONS_MAX, 2);
        suite.group("s", 1);
        suite.expectLimit(
                RelayOption.SESSIONS_MAX, suite.asking(suite.join("t", 1, 0)).expectRefusal(ErrorCode.LIMIT));
    }

    private void tooManyRanks() {
        suite.limit(RelayOption.RANKS_MAX, 4);
        suite.expectLimit(
                RelayOption.RANKS_MAX, suite.asking(suite.join("s", 5, 0)).expectRefusal(ErrorCode.LIMIT));
        suite.asking(suite.join("s", 4, 0)).awaitAdmitted();
    }

    /** All of it arrives, not before its time. */
    private void tooManyBytes(Quota quota) {
        String token = RelayTokens.mint(suite.pair, TokenRequest.forSession("s").quota(quota, 400_000));
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            Join.Builder join = suite.join("s", 2, rank).setToken(token);
            group.add(suite.attached(join));
        }
        group.forEach(TestRank::awaitReady);
        long beganNs = System.nanoTime();
        for (int i = 0; i < 5; i++) {
            group.get(0).send(1, new byte[60_000]);
        }
        for (int i = 0; i < 5; i++) {
            assertEquals(60_000, group.get(1).receive().payload().length);
        }
        // A tenth of a second's worth may come at once, and the last read is not waited for.
        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs);
        assertTrue(tookMs >= 300, "300 kB took " + tookMs + " ms");
    }

    private void tooManyMessages() {
        suite.limit(RelayOption.CONTROL_MESSAGES_PER_SECOND, 400);
        List<TestRank> group = suite.group("s", 2);
        long beganNs = System.nanoTime();
        for (int number = 0; number < 700; number++) {
            group.get(0).heartbeat(number);
        }
        for (int number = 0; number < 700; number++) {
            ToRank answer = group.get(0).control.expect(ToRank.MessageCase.HEARTBEAT);
            assertEquals(number, answer.getHeartbeat().getNumber());
        }
        // Served while the other was not read.
        group.get(1).roundTrip();
        group.get(0).roundTrip();
        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs);
        assertTrue(tookMs >= 600, "701 messages took " + tookMs + " ms");
    }

    private void frameTooLong() {
        suite.limit(RelayOption.FRAGMENT_BYTES_MAX, 2048);
        List<TestRank> group = suite.group("s", 2);
        group.get(0).send(1, new byte[2048]);
        assertEquals(2048, group.get(1).receive().payload().length);
        group.get(0).send(1, new byte[2049]);
        suite.expectLimit(RelayOption.FRAGMENT_BYTES_MAX, group.get(0).expectRefusal(ErrorCode.LIMIT));
        group.get(1).expectGone(0, Cause.EXPELLED);
    }

    private void messageTooLong() {
        suite.limit(RelayOption.CONTROL_BYTES_MAX, 2048);
        String reason =
                suite.asking(suite.join("s", 2, 0).setHostId("x".repeat(2048))).expectRefusal(ErrorCode.LIMIT);
        suite.expectLimit(RelayOption.CONTROL_BYTES_MAX, reason);
        TestRank rank = suite.asking(suite.join("s", 2, 0)).awaitAdmitted();
        rank.control.write(RawConnection.frame(FrameType.CONTROL, 0, 0, 0, new byte[2049]));
        suite.expectLimit(RelayOption.CONTROL_BYTES_MAX, rank.expectRefusal(ErrorCode.LIMIT));
    }

    /** A rank with a small receive buffer that reads nothing, and others that fill their windows to it. */
    private List<TestRank> groupBehindDeafRank(int size) {
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            TestRank member = suite.asking(suite.join("s", size, rank)).awaitAdmitted();
            member.dataReceiveBytes = rank == 0 ? 4096 : 0;
            group.add(member.attach());
        }
        group.forEach(TestRank::awaitReady);
        return group;
    }

    private static void fillWindows(List<TestRank> group) {
        byte[] payload = new byte[group.get(0).view.getFragmentBytesMax()];
        long room = group.get(0).view.getFlowWindowBytes() / (payload.length + Frame.HEADER_BYTES);
        for (int from = 1; from < group.size(); from++) {
            for (int i = 0; i < room; i++) {
                group.get(from).send(0, payload);
            }
        }
    }

    /** Back pressure: nothing is lost, and the session goes on when it reads. */
    private void tooMuchWaitsInSession() {
        suite.limit(RelayOption.SESSION_MEMORY, 262_144);
        List<TestRank> group = groupBehindDeafRank(60);
        fillWindows(group);
        Await.until("the session is not read", () -> suite.reached(RelayOption.SESSION_MEMORY) > 0);
        int frames = 2 * (group.size() - 1);
        for (int i = 0; i < frames; i++) {
            assertEquals(FrameType.EAGER, group.get(0).receive().type());
        }
        group.get(1).send(2, new byte[] {3});
        assertEquals(3, group.get(2).receive().payload()[0]);
    }

    private void tooMuchWaitsInAll() {
        List<TestRank> group = groupBehindDeafRank(16);
        fillWindows(group);
        suite.expectLimit(RelayOption.MEMORY, group.get(0).expectRefusal(ErrorCode.LIMIT));
        for (int rank = 1; rank < group.size(); rank++) {
            String detail = group.get(rank).expectGone(0, Cause.EXPELLED).getDetail();
            suite.expectLimit(RelayOption.MEMORY, detail);
        }
        group.get(1).send(2, new byte[] {4});
        assertEquals(4, group.get(2).receive().payload()[0]);
    }

    private void readsNothing() {
        suite.limit(RelayOption.SLOW_CONSUMER_TIMEOUT, 600);
        List<TestRank> group = groupBehindDeafRank(8);
        fillWindows(group);
        String reason = group.get(0).expectRefusal(ErrorCode.LIMIT);
        assertTrue(reason.startsWith("does not read: for 600 ms it took nothing"), reason);
        suite.expectLimit(RelayOption.SLOW_CONSUMER_TIMEOUT, reason);
        for (int rank = 1; rank < group.size(); rank++) {
            assertEquals(
                    "LIMIT: " + reason,
                    group.get(rank).expectGone(0, Cause.EXPELLED).getDetail());
        }
        group.get(1).send(2, new byte[] {4});
        assertEquals(4, group.get(2).receive().payload()[0]);
    }

    private void joinsForTooLong() {
        suite.limit(RelayOption.JOIN_TIMEOUT_MAX, 300);
        String reason = suite.attached(suite.join("s", 2, 0)).expectRefusal(ErrorCode.JOIN_TIMEOUT);
        assertTrue(reason.startsWith("session s after 300 ms: 1 of 2 ranks joined; missing "), reason);
        suite.expectLimit(RelayOption.JOIN_TIMEOUT_MAX, reason);
    }

    private void saysNothing() {
        TestRank silent = suite.attached(suite.join("s", 1, 0)).awaitReady();
        suite.expectLimit(RelayOption.HEARTBEAT_TIMEOUT, silent.expectRefusal(ErrorCode.LIMIT));
    }

    private void staysAway() {
        List<TestRank> group = suite.group("s", 2);
        group.get(0).control.reset();
        group.get(1).expectGone(0, Cause.LOST);
        TestRank.closeAll(group);
        suite.awaitNoOtherSession();
    }

    private void idlesForTooLong() {
        suite.limit(RelayOption.SESSION_IDLE_MAX, 700);
        TestRank idle = suite.attached(suite.join("s", 1, 0)).awaitReady();
        suite.expectLimit(RelayOption.SESSION_IDLE_MAX, idle.expectRefusal(ErrorCode.LIMIT));
    }
}
