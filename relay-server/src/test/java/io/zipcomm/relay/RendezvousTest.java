package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Candidate;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.ToRank;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How ranks find each other. */
@Tag("once")
final class RendezvousTest {

    private RelayServer relay;
    private InetSocketAddress at;
    private final List<TestRank> opened = new ArrayList<>();

    @BeforeEach
    void start() {
        relay = RelayServer.start(RelaySettings.builder()
                .listen("127.0.0.1:0")
                .insecure(true)
                .set(RelayOption.SESSIONS_MAX, "4")
                .set(RelayOption.RANKS_MAX, "64")
                .set(RelayOption.RESUME_GRACE, "100")
                .build());
        at = relay.address();
    }

    @AfterEach
    void stop() {
        TestRank.closeAll(opened);
        Await.until(
                "sessions are gone",
                () -> relay.stats().sessions() == 0 && relay.stats().ranks() == 0);
        relay.close();
        assertEquals(0, relay.stats().connections());
    }

    private TestRank opened(TestRank rank) {
        opened.add(rank);
        return rank;
    }

    private List<TestRank> group(String session, int size) {
        List<TestRank> group = TestRank.group(at, session, size);
        opened.addAll(group);
        return group;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 16, 64})
    void shouldPublishOneViewToAllRanks(int size) {
        List<TestRank> group = group("s", size);

        GroupReady view = group.get(0).view;
        for (TestRank rank : group) {
            assertEquals(view.toBuilder().setRank(rank.rank()).build(), rank.view);
        }
        assertEquals(0, view.getRanksBeforeCount());
        assertTrue(view.getEpoch() > 0);
        assertEquals(32, view.getSessionKey().size());
        assertEquals(
                IntStream.range(0, size).boxed().toList(),
                view.getMembersList().stream()
                        .map(io.zipcomm.wire.proto.Member::getRank)
                        .toList());
        assertEquals(size <= 16 ? 1 << 20 : (256 << 20) / (64 * 63), view.getFlowWindowBytes());
        assertEquals(size <= 16 ? 1 << 16 : view.getFlowWindowBytes() / 2 - 64, view.getFragmentBytesMax());
        // Seen on the loopback interface, so there is no observed address.
        assertEquals(1, view.getMembers(0).getCandidatesCount());
        assertEquals(
                Candidate.Kind.LOOPBACK, view.getMembers(0).getCandidates(0).getKind());
    }

    @Test
    void shouldShrinkTheWindowWithTheNumberOfFlows() {
        relay.close();
        relay = RelayServer.start(RelaySettings.builder()
                .listen("127.0.0.1:0")
                .insecure(true)
                .set(RelayOption.SESSION_MEMORY, "1200000")
                .build());
        at = relay.address();
        GroupReady view = group("s", 4).get(0).view;
        assertEquals(100_000, view.getFlowWindowBytes());
        assertTrue(2L * (view.getFragmentBytesMax() + 64) <= view.getFlowWindowBytes());
    }

    @Test
    void shouldNeverReuseAnEpochOrKey() {
        GroupReady first = group("a", 2).get(0).view;
        GroupReady second = group("b", 2).get(0).view;
        assertNotEquals(first.getEpoch(), second.getEpoch());
        assertNotEquals(first.getSessionKey(), second.getSessionKey());
    }

    @Test
    void shouldAssignRanksInOrderOfJoining() {
        List<TestRank> ranks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            TestRank rank = opened(TestRank.asking(at, join("s", 3, -1)));
            ranks.add(rank);
            int present = i + 1;
            Await.until("joined", () -> relay.stats().ranks() == present);
        }
        for (int i = 0; i < 3; i++) {
            assertEquals(i, ranks.get(i).awaitAdmitted().rank());
            ranks.get(i).attach();
        }
        ranks.forEach(TestRank::awaitReady);
    }

    @Test
    void shouldServeAskedForAndAssignedRanksInAnyOrder() {
        Random random = new Random(11);
        for (int round = 0; round < 20; round++) {
            int size = 2 + random.nextInt(7);
            List<Integer> wanted =
                    new ArrayList<>(IntStream.range(0, size).boxed().toList());
            Collections.shuffle(wanted, random);
            for (int i = random.nextInt(size + 1); i > 0; i--) {
                wanted.set(i - 1, -1);
            }
            Collections.shuffle(wanted, random);
            List<TestRank> ranks = new ArrayList<>();
            for (int rank : wanted) {
                ranks.add(TestRank.asking(at, join("mixed" + round, size, rank)));
            }
            boolean[] given = new boolean[size];
            for (int i = 0; i < size; i++) {
                int rank = ranks.get(i).awaitAdmitted().rank();
                assertTrue(wanted.get(i) == -1 || wanted.get(i) == rank);
                given[rank] = true;
                ranks.get(i).attach();
            }
            ranks.forEach(TestRank::awaitReady);
            assertArrayEquals(filled(size), given);
            TestRank.closeAll(ranks);
            Await.until("session is gone", () -> relay.stats().sessions() == 0);
        }
    }

    private static boolean[] filled(int size) {
        boolean[] all = new boolean[size];
        Arrays.fill(all, true);
        return all;
    }

    @Test
    void shouldNotWaitForRanksThatAttachNoDataConnection() {
        TestRank direct = opened(TestRank.admitted(at, join("s", 2, 0).setRelayed(false)));
        TestRank relayed = opened(TestRank.attached(at, join("s", 2, 1)));
        direct.awaitReady();
        relayed.awaitReady();
    }

    @Test
    void shouldRefuseRankThatIsTaken() {
        opened(TestRank.admitted(at, join("s", 3, 1)));
        String reason = opened(TestRank.asking(at, join("s", 3, 1))).expectRefusal(ErrorCode.RANK_TAKEN);
        assertTrue(reason.contains("rank 1 of session s"), reason);
    }

    /** All who asked for none have ranks, one goes away, and another comes. */
    @Test
    void shouldMoveWhoAskedForNoRankOutOfTheWay() {
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < 3; rank++) {
            group.add(opened(TestRank.asking(at, join("s", 3, -1))));
        }
        group.forEach(TestRank::awaitAdmitted);
        TestRank last =
                group.stream().filter(rank -> rank.rank() == 2).findFirst().orElseThrow();
        last.control.close();
        group.remove(last);
        Await.until("its place is free", () -> relay.stats().ranks() == 2);
        TestRank wanting = opened(TestRank.attached(at, join("s", 3, 0)));
        group.forEach(TestRank::attach);
        assertEquals(0, wanting.awaitReady().rank());
        group.forEach(TestRank::awaitReady);
        assertEquals(Set.of(1, 2), group.stream().map(TestRank::rank).collect(Collectors.toSet()));
    }

    /** As before, but the other waited as a newcomer. */
    @Test
    void shouldMoveWhoAskedForNoRankOutOfTheWayOfANewcomer() {
        List<TestRank> group = new ArrayList<>();
        for (int rank = 0; rank < 3; rank++) {
            group.add(opened(TestRank.asking(at, join("s", 3, -1).setSizeMax(4))));
        }
        group.forEach(TestRank::awaitAdmitted);
        TestRank wanting = opened(TestRank.attached(at, join("s", 3, 0).setSizeMax(4)));
        TestRank last =
                group.stream().filter(rank -> rank.rank() == 2).findFirst().orElseThrow();
        last.control.close();
        group.remove(last);
        group.forEach(TestRank::attach);
        assertEquals(0, wanting.awaitReady().rank());
        group.forEach(TestRank::awaitReady);
        assertEquals(Set.of(1, 2), group.stream().map(TestRank::rank).collect(Collectors.toSet()));
    }

    @Test
    void shouldRefuseSurplusAndLateRanks() {
        opened(TestRank.admitted(at, join("s", 2, 0)));
        TestRank second = opened(TestRank.admitted(at, join("s", 2, 1)));
        String reason = opened(TestRank.asking(at, join("s", 2, -1))).expectRefusal(ErrorCode.GROUP_FULL);
        assertTrue(reason.contains("all 2 ranks"), reason);
        opened.get(0).attach();
        second.attach().awaitReady();
        opened(TestRank.asking(at, join("s", 2, 1))).expectRefusal(ErrorCode.GROUP_FULL);
        second.roundTrip();
        assertEquals(2, relay.stats().refusals().get(ErrorCode.GROUP_FULL));
    }

    @Test
    void shouldRefuseOtherSizeNamingBoth() {
        opened(TestRank.admitted(at, join("s", 2, 0)));
        String reason = opened(TestRank.asking(at, join("s", 3, 1))).expectRefusal(ErrorCode.SIZE_MISMATCH);
        assertTrue(reason.contains("has 2 ranks") && reason.contains("expects 3"), reason);
    }

    @Test
    void shouldRefuseOtherGroupSettingsNamingThem() {
        opened(TestRank.admitted(
                at, join("s", 2, 0).putGroupSettings("eager-bytes", 32768).putGroupSettings("window-bytes", 1 << 20)));
        String reason = opened(TestRank.asking(
                        at,
                        join("s", 2, 1).putGroupSettings("eager-bytes", 32768).putGroupSettings("window-bytes", 7)))
                .expectRefusal(ErrorCode.BAD_SETTING);
        assertEquals("setting window-bytes is 1048576 in this session and 7 in this rank", reason);
        reason = opened(TestRank.asking(at, join("s", 2, 1).putGroupSettings("window-bytes", 1 << 20)))
                .expectRefusal(ErrorCode.BAD_SETTING);
        assertEquals("setting eager-bytes is 32768 in this session and not set in this rank", reason);
    }

    /** They are written to the log, where a name could pretend to be a line of its own. */
    @Test
    void shouldRefuseNamesOfSettingsThatAreNone() {
        for (String name : List.of("", "a\nconnection refused", "a b", "\u2028", "n\u00e4me", "x".repeat(101))) {
            assertEquals(
                    "name of a setting: expected 1 to 100 characters of ASCII without spaces",
                    opened(TestRank.asking(at, join("s", 2, 0).putGroupSettings(name, 1)))
                            .expectRefusal(ErrorCode.BAD_SETTING));
        }
        opened(TestRank.admitted(at, join("s", 2, 0).putGroupSettings("x".repeat(100), 1)));
    }

    @Test
    void shouldNameMissingRanksAtTheDeadline() {
        TestRank zero = opened(TestRank.admitted(at, join("s", 4, 0).setJoinTimeoutMs(300)));
        TestRank two = opened(TestRank.admitted(at, join("s", 4, 2)));
        for (TestRank rank : List.of(zero, two)) {
            String reason = rank.expectRefusal(ErrorCode.JOIN_TIMEOUT);
            assertEquals("session s after 300 ms: 2 of 4 ranks joined; missing ranks 1, 3", reason);
        }
        group("s", 4);
    }

    @Test
    void shouldSayAtTheDeadlineThatSomeAskedForNoRank() {
        TestRank zero = opened(TestRank.admitted(at, join("s", 4, 0).setJoinTimeoutMs(300)));
        TestRank any = opened(TestRank.asking(at, join("s", 4, -1)));
        String expected = "session s after 300 ms: 2 of 4 ranks joined, 1 of them without asking for a rank;"
                + " missing 2 of ranks 1-3";
        assertEquals(expected, zero.expectRefusal(ErrorCode.JOIN_TIMEOUT));
        assertEquals(expected, any.expectRefusal(ErrorCode.JOIN_TIMEOUT));
    }

    @Test
    void shouldSayAtTheDeadlineWhoDidNotAttach() {
        TestRank zero = opened(TestRank.attached(at, join("s", 2, 0).setJoinTimeoutMs(300)));
        TestRank one = opened(TestRank.admitted(at, join("s", 2, 1)));
        String expected = "session s after 300 ms: 2 of 2 ranks joined, but rank 1 did not attach a data connection";
        assertEquals(expected, zero.expectRefusal(ErrorCode.JOIN_TIMEOUT));
        assertEquals(expected, one.expectRefusal(ErrorCode.JOIN_TIMEOUT));
    }

    @Test
    void shouldCapTheJoinDeadline() {
        relay.close();
        relay = RelayServer.start(RelaySettings.builder()
                .listen("127.0.0.1:0")
                .insecure(true)
                .set(RelayOption.JOIN_TIMEOUT_MAX, "200")
                .build());
        at = relay.address();
        opened(TestRank.admitted(at, join("s", 2, 0).setJoinTimeoutMs(Long.MAX_VALUE)))
                .expectRefusal(ErrorCode.JOIN_TIMEOUT);
    }

    @Test
    void shouldFreeThePlaceOfJoinerThatGoesAway() {
        TestRank gone = TestRank.admitted(at, join("s", 2, 0));
        opened(TestRank.admitted(at, join("s", 2, 1))).attach();
        gone.control.reset();
        Await.until("place is free", () -> relay.stats().ranks() == 1);
        opened(TestRank.attached(at, join("s", 2, 0))).awaitReady();
        opened.get(0).awaitReady();
    }

    @Test
    void shouldFreeThePlaceOfJoinerWhoseDataConnectionEnds() {
        TestRank gone = opened(TestRank.attached(at, join("s", 2, 0)));
        TestRank waiting = opened(TestRank.admitted(at, join("s", 2, -1)));
        gone.data.close();
        assertEquals("data connection ended before the group was complete", gone.expectRefusal(ErrorCode.RELAY_LOST));
        TestRank next = opened(TestRank.attached(at, join("s", 2, 0)));
        waiting.attach().awaitReady();
        next.awaitReady();
    }

    @Test
    void shouldFreeThePlaceOfAttachedJoinerThatDies() {
        TestRank waiting = opened(TestRank.admitted(at, join("s", 2, 1)));
        for (int round = 0; round < 20; round++) {
            TestRank gone = TestRank.attached(at, join("s", 2, 0));
            // In either order, as it comes.
            (round % 2 == 0 ? gone.data : gone.control).reset();
            (round % 2 == 0 ? gone.control : gone.data).reset();
            Await.until("place is free", () -> relay.stats().ranks() == 1);
        }
        TestRank next = opened(TestRank.attached(at, join("s", 2, 0)));
        waiting.attach().awaitReady();
        next.awaitReady();
    }

    @Test
    void shouldFreeThePlaceOfJoinerWithoutRank() {
        TestRank gone = TestRank.asking(at, join("s", 3, -1));
        Await.until("joined", () -> relay.stats().ranks() == 1);
        TestRank zero = opened(TestRank.attached(at, join("s", 3, 0)));
        gone.close();
        Await.until("place is free", () -> relay.stats().ranks() == 1);
        TestRank one = opened(TestRank.attached(at, join("s", 3, 1)));
        opened(TestRank.attached(at, join("s", 3, -1))).awaitReady();
        zero.awaitReady();
        one.awaitReady();
    }

    @Test
    void shouldForgetSessionWhoseJoinersAllGoAway() {
        TestRank.admitted(at, join("s", 2, 0)).close();
        Await.until("session is gone", () -> relay.stats().sessions() == 0);
        TestRank other = opened(TestRank.admitted(at, join("s", 3, 0)));
        other.leave();
        other.control.expectEnd();
        Await.until("session is gone", () -> relay.stats().sessions() == 0);
    }

    @Test
    void shouldFreeTheNameWhenTheLastMemberIsGone() {
        List<TestRank> first = group("s", 2);
        first.get(0).close();
        first.get(1).expectGone(0, Cause.LOST);
        first.get(1).close();
        Await.until("session is gone", () -> relay.stats().sessions() == 0);
        assertTrue(group("s", 3).get(0).epoch() > first.get(0).epoch());
    }

    @Test
    void shouldRefuseBadJoins() {
        expectRefusal(join("s", 0, -1), ErrorCode.BAD_SETTING);
        expectRefusal(join("s", -1, -1), ErrorCode.BAD_SETTING);
        expectRefusal(join("s", 65537, -1), ErrorCode.BAD_SETTING);
        expectRefusal(join("s", 65, -1), ErrorCode.LIMIT);
        expectRefusal(join("s", 2, 2), ErrorCode.BAD_SETTING);
        expectRefusal(join("s", 2, -2), ErrorCode.BAD_SETTING);
        expectRefusal(join("", 2, 0), ErrorCode.BAD_SETTING);
        expectRefusal(join("a\nb", 2, 0), ErrorCode.BAD_SETTING);
        expectRefusal(join("x".repeat(201), 2, 0), ErrorCode.BAD_SETTING);
        expectRefusal(join("s", 2, 0).setJoinTimeoutMs(0), ErrorCode.BAD_SETTING);
        assertEquals(0, relay.stats().sessionsOpened());
    }

    private void expectRefusal(io.zipcomm.wire.proto.Join.Builder join, ErrorCode code) {
        opened(TestRank.asking(at, join)).expectRefusal(code);
    }

    @Test
    void shouldRefuseOtherVersions() {
        String reason = opened(
                        TestRank.asking(at, join("s", 2, 0).setVersionMin(2).setVersionMax(9)))
                .expectRefusal(ErrorCode.VERSION_MISMATCH);
        assertEquals("this relay speaks version 1, the rank versions 2 to 9", reason);
        opened(TestRank.asking(at, join("s", 2, 0).setVersionMin(0).setVersionMax(0)))
                .expectRefusal(ErrorCode.VERSION_MISMATCH);
        assertEquals(
                1,
                opened(TestRank.admitted(at, join("s", 2, 0).setVersionMin(0).setVersionMax(9)))
                        .admitted
                        .getVersion());
    }

    @Test
    void shouldRefuseMoreSessionsThanAllowed() {
        for (int i = 0; i < 4; i++) {
            opened(TestRank.admitted(at, join("s" + i, 2, 0)));
        }
        opened(TestRank.asking(at, join("s4", 2, 0))).expectRefusal(ErrorCode.LIMIT);
        opened(TestRank.admitted(at, join("s0", 2, 1)));
    }

    @Test
    void shouldRefuseWrongTicketsInTheSameWords() {
        TestRank rank = opened(TestRank.admitted(at, join("s", 2, 0)));
        var right = rank.attachMessage().getAttach();
        var wrong = List.of(
                right.toBuilder().setSession("t").build(),
                right.toBuilder().setRank(1).build(),
                right.toBuilder().setRank(-1).build(),
                right.toBuilder().setRank(9).build(),
                right.toBuilder()
                        .setTicket(com.google.protobuf.ByteString.EMPTY)
                        .build(),
                right.toBuilder()
                        .setTicket(com.google.protobuf.ByteString.copyFrom(new byte[32]))
                        .build());
        for (var attach : wrong) {
            try (RawConnection data = new RawConnection(at)) {
                data.send(io.zipcomm.wire.proto.ToRelay.newBuilder()
                        .setAttach(attach)
                        .build());
                assertEquals("there is no such place for this ticket", data.expectRefusal(ErrorCode.UNAUTHORIZED));
            }
        }
        rank.attach();
    }

    @Test
    void shouldRefuseTicketThatWasUsed() {
        List<TestRank> group = group("s", 2);
        try (RawConnection data = new RawConnection(at)) {
            data.send(group.get(0).attachMessage());
            assertEquals("rank 0 is attached already", data.expectRefusal(ErrorCode.UNAUTHORIZED));
        }
        group.get(0).send(1, new byte[] {1, 2, 3});
        assertArrayEquals(new byte[] {1, 2, 3}, group.get(1).receive().payload());
    }

    @Test
    void shouldRefuseDataConnectionOfRankThatWantedNone() {
        TestRank direct = opened(TestRank.admitted(at, join("s", 2, 0).setRelayed(false)));
        try (RawConnection data = new RawConnection(at)) {
            data.send(direct.attachMessage());
            data.expectRefusal(ErrorCode.PROTOCOL);
        }
    }

    @Test
    void shouldRefuseConnectionThatSaysNothing() {
        relay.close();
        relay = RelayServer.start(RelaySettings.builder()
                .listen("127.0.0.1:0")
                .insecure(true)
                .set(RelayOption.HANDSHAKE_TIMEOUT, "100")
                .build());
        at = relay.address();
        try (RawConnection silent = new RawConnection(at)) {
            assertEquals("no message within 100 ms (handshake-timeout)", silent.expectRefusal(ErrorCode.LIMIT));
        }
    }

    @Test
    void shouldTurnAwayConnectionsAboveTheLimit() {
        relay.close();
        relay = RelayServer.start(RelaySettings.builder()
                .listen("127.0.0.1:0")
                .insecure(true)
                .set(RelayOption.CONNECTIONS_MAX, "2")
                .build());
        at = relay.address();
        TestRank first = TestRank.attached(at, join("s", 1, 0)).awaitReady();
        try (RawConnection surplus = new RawConnection(at)) {
            surplus.expectRefusal(ErrorCode.LIMIT);
        }
        first.close();
        Await.until("connections are free", () -> relay.stats().connections() == 0);
        // The rank may still come back, so its session is there for a moment.
        opened(TestRank.attached(at, join("other", 1, 0))).awaitReady();
    }

    @Test
    void shouldAnswerHeartbeatsWithTheirNumber() {
        TestRank rank = opened(TestRank.admitted(at, join("s", 2, 0)));
        assertEquals(1000, rank.admitted.getHeartbeatIntervalMs());
        assertEquals(5000, rank.admitted.getHeartbeatTimeoutMs());
        for (long number : new long[] {0, 1, Long.MAX_VALUE}) {
            rank.heartbeat(number);
            assertEquals(
                    number,
                    rank.control
                            .expect(ToRank.MessageCase.HEARTBEAT)
                            .getHeartbeat()
                            .getNumber());
        }
    }

    @Test
    void shouldServeOneSessionInOneOfManyEventLoops() {
        for (RelaySettings.IoChoice io : List.of(RelaySettings.IoChoice.AUTO, RelaySettings.IoChoice.NIO)) {
            try (RelayServer many = RelayServer.start(RelaySettings.builder()
                    .listen("127.0.0.1:0")
                    .insecure(true)
                    .threads(3)
                    .io(io)
                    .heartbeat(Duration.ofMillis(500), Duration.ofSeconds(20))
                    .build())) {
                for (int session = 0; session < 9; session++) {
                    List<TestRank> group = TestRank.group(many.address(), "s" + session, 3);
                    for (TestRank from : group) {
                        byte[] payload = {(byte) session, (byte) from.rank()};
                        from.send((from.rank() + 1) % 3, payload);
                        assertArrayEquals(
                                payload,
                                group.get((from.rank() + 1) % 3).receive().payload());
                    }
                    TestRank.closeAll(group);
                }
                Await.until("sessions are gone", () -> many.stats().sessions() == 0);
                assertEquals(9, many.stats().groupsCompleted());
            }
        }
    }
}
