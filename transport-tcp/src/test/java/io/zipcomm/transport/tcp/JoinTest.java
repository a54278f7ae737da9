package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelaySecret;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.relay.RelayTokens;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Groups that form through a real relay, as a user's program joins them; ranks are threads. */
@Timeout(60)
final class JoinTest extends WithRelay {

    private static final String SESSION = "s";

    private ZipSettings.Builder settings(int size) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session(SESSION)
                .size(size)
                .joinTimeout(Duration.ofSeconds(20))
                .operationTimeout(Duration.ofSeconds(20));
    }

    private List<Communicator> join(int size, TransportChoice choice, boolean explicit) throws Exception {
        List<Communicator> group = Threads.each(size, rank -> {
            ZipSettings.Builder settings = settings(size).transport(choice);
            return Zip.join(explicit ? settings.rank(rank).build() : settings.build());
        });
        List<Communicator> byRank = new ArrayList<>(group);
        byRank.sort(Comparator.comparingInt(Communicator::rank));
        return byRank;
    }

    private static void closeAll(List<Communicator> group) throws Exception {
        Threads.each(group.size(), rank -> {
            group.get(rank).close();
            return null;
        });
    }

    /** Everybody sends to the next rank, a short message and one that needs a rendezvous. */
    private static void exchangeInRing(List<Communicator> group) throws Exception {
        int size = group.size();
        Threads.each(size, rank -> {
            Communicator world = group.get(rank);
            for (int count : new int[] {3, 50_000}) {
                int[] mine = IntStream.range(0, count).map(i -> i * 31 + rank).toArray();
                int[] theirs = new int[count];
                int before = (rank + size - 1) % size;
                ZipFuture<Void> sent = world.sendAsync((rank + 1) % size, count, Payload.of(mine));
                assertEquals(4L * count, world.receive(before, count, theirs));
                sent.await();
                assertArrayEquals(
                        IntStream.range(0, count).map(i -> i * 31 + before).toArray(), theirs);
            }
            return null;
        });
    }

    static Stream<Arguments> groups() {
        return Stream.of(TransportChoice.AUTO, TransportChoice.TCP, TransportChoice.RELAY)
                .flatMap(choice -> IntStream.of(1, 2, 4, 8)
                        .boxed()
                        .flatMap(size ->
                                Stream.of(Arguments.of(choice, size, true), Arguments.of(choice, size, false))));
    }

    @ParameterizedTest(name = "{0}, {1} ranks, explicit: {2}")
    @MethodSource("groups")
    void shouldFormAGroupWhoseRanksReachEachOther(TransportChoice choice, int size, boolean explicit) throws Exception {
        List<Communicator> group = join(size, choice, explicit);
        for (int rank = 0; rank < size; rank++) {
            assertEquals(rank, group.get(rank).rank());
            assertEquals(size, group.get(rank).size());
            assertEquals(group.get(0).view().members(), group.get(rank).view().members());
            assertEquals(group.get(0).view().epoch(), group.get(rank).view().epoch());
        }
        if (size > 1) {
            exchangeInRing(group);
        }
        closeAll(group);
    }

    @Test
    void shouldGiveTheFreeRanksToThoseWhoAskForNone() throws Exception {
        List<Communicator> group = Threads.each(3, rank -> {
            ZipSettings.Builder settings = settings(3);
            return Zip.join(rank == 0 ? settings.rank(1).build() : settings.build());
        });
        assertEquals(1, group.get(0).rank());
        assertEquals(
                List.of(0, 2),
                Stream.of(group.get(1).rank(), group.get(2).rank()).sorted().toList());
        closeAll(group);
    }

    @Test
    void shouldRefuseARankThatComesLate() throws Exception {
        List<Communicator> group = join(2, TransportChoice.RELAY, true);
        ZipException assigned = refusal(settings(2));
        assertEquals(ErrorCode.GROUP_FULL, assigned.code());
        ZipException explicit = refusal(settings(2).rank(1));
        assertEquals(ErrorCode.GROUP_FULL, explicit.code());
        assertTrue(explicit.getMessage().contains(SESSION), explicit.getMessage());
        exchangeInRing(group);
        closeAll(group);
    }

    @Test
    void shouldRefuseARankThatIsTakenAndASizeOfItsOwn() throws Exception {
        List<Future<Communicator>> waiting =
                Threads.start(1, rank -> Zip.join(settings(3).rank(1).build()));
        ZipException taken = untilRefused(settings(3).rank(1), ErrorCode.RANK_TAKEN);
        assertTrue(taken.getMessage().contains("rank 1"), taken.getMessage());
        ZipException mismatch = refusal(settings(4).rank(2));
        assertEquals(ErrorCode.SIZE_MISMATCH, mismatch.code());
        assertTrue(mismatch.getMessage().contains("3") && mismatch.getMessage().contains("4"), mismatch.getMessage());
        ZipException differs = refusal(settings(3).rank(2).eagerBytes(1000));
        assertEquals(ErrorCode.BAD_SETTING, differs.code());
        assertTrue(differs.getMessage().contains("ZIP_EAGER_BYTES"), differs.getMessage());
        assertTrue(differs.getMessage().contains("1000"), differs.getMessage());
        // Whether ranks cast decides which algorithm they choose.
        ZipException casts = refusal(settings(3).rank(2).set(Setting.AERON_UDP, "on"));
        assertEquals(ErrorCode.BAD_SETTING, casts.code());
        assertTrue(casts.getMessage().contains("ZIP_AERON_UDP"), casts.getMessage());
        // Nothing of this disturbs the group.
        List<Communicator> rest =
                Threads.each(2, rank -> Zip.join(settings(3).rank(2 * rank).build()));
        List<Communicator> group = List.of(rest.get(0), waiting.get(0).get(), rest.get(1));
        exchangeInRing(group);
        closeAll(group);
    }

    /** The first to join may be the one that is expected to wait, so tries until the group exists. */
    private ZipException untilRefused(ZipSettings.Builder settings, ErrorCode code) {
        while (relay.stats().ranks() == 0) {
            Thread.onSpinWait();
        }
        ZipException refusal = refusal(settings);
        assertEquals(code, refusal.code());
        return refusal;
    }

    private static ZipException refusal(ZipSettings.Builder settings) {
        try (Communicator joined = Zip.join(settings.build())) {
            throw new AssertionError("joined as rank " + joined.rank());
        } catch (ZipException e) {
            return e;
        }
    }

    @Test
    void shouldRefuseTheSurplus() throws Exception {
        List<Future<Communicator>> joining =
                Threads.start(3, rank -> Zip.join(settings(2).build()));
        List<Communicator> group = new ArrayList<>();
        int refused = 0;
        for (Future<Communicator> one : joining) {
            try {
                group.add(one.get());
            } catch (java.util.concurrent.ExecutionException e) {
                assertEquals(ErrorCode.GROUP_FULL, ((ZipException) e.getCause()).code());
                refused++;
            }
        }
        assertEquals(1, refused);
        closeAll(group);
    }

    /** Some would begin their links on the relay, to which the others have no data connection. */
    @Test
    void shouldRefuseAMixOfRanksWithAndWithoutTheRelay() throws Exception {
        List<Future<Communicator>> joining = Threads.start(
                2,
                rank -> Zip.join(settings(2)
                        .rank(rank)
                        .transport(rank == 0 ? TransportChoice.AUTO : TransportChoice.TCP)
                        .joinTimeout(Duration.ofSeconds(1))
                        .build()));
        List<ErrorCode> codes = new ArrayList<>();
        for (Future<Communicator> one : joining) {
            ZipException refusal = Threads.thrown(ZipException.class, one);
            codes.add(refusal.code());
            if (refusal.code() == ErrorCode.BAD_SETTING) {
                assertTrue(refusal.getMessage().contains("ZIP_TRANSPORT=tcp"), refusal.getMessage());
            }
        }
        // Whoever came first waits in vain.
        assertTrue(codes.contains(ErrorCode.BAD_SETTING) && codes.contains(ErrorCode.JOIN_TIMEOUT), codes.toString());
    }

    @Test
    void shouldEndABlockingCallWhenAnotherThreadClosesTheCommunicator() throws Exception {
        List<Communicator> group = join(2, TransportChoice.AUTO, true);
        List<Communicator> copies = Threads.each(2, rank -> group.get(rank).duplicate());
        Future<Long> receive = Threads.start(1, unused -> copies.get(0).receive(1, 1, new byte[1]))
                .get(0);
        Thread.sleep(50);
        long beganNs = System.nanoTime();
        copies.get(0).close();
        assertEquals(
                ErrorCode.CLOSED, Threads.thrown(ZipException.class, receive).code());
        assertTrue(System.nanoTime() - beganNs < 2_000_000_000L);
        closeAll(group);
    }

    @Test
    void shouldNameWhoIsMissing() throws Exception {
        List<Future<Communicator>> joining = Threads.start(
                2,
                rank -> Zip.join(settings(4)
                        .rank(2 * rank)
                        .joinTimeout(Duration.ofMillis(500))
                        .build()));
        for (Future<Communicator> one : joining) {
            ZipException failure = Threads.thrown(ZipException.class, one);
            assertEquals(ErrorCode.JOIN_TIMEOUT, failure.code());
            assertTrue(failure.getMessage().contains("missing ranks 1, 3"), failure.getMessage());
            assertTrue(failure.elapsedMs() >= 400 && failure.elapsedMs() < 5000, failure.getMessage());
        }
    }

    /** At one relay, and with two to choose from. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldWaitNoLongerForOthersThanThePlatformLeaves(boolean choice) throws Exception {
        String address = "127.0.0.1:" + relay.address().getPort() + (choice ? ",127.0.0.1:" + closedPort() : "");
        List<ZipSettings> three = IntStream.range(0, 3)
                .mapToObj(rank -> settings(3).relay(address).rank(rank).build())
                .toList();
        // It sets the session's time, which is longer.
        Future<Communicator> first =
                Threads.start(1, rank -> Zip.join(three.get(0))).get(0);
        awaitOneRank();
        long beginNs = System.nanoTime();
        Supplier<Duration> remaining = () -> Duration.ofSeconds(5).minusNanos(System.nanoTime() - beginNs);
        ZipException late = assertThrows(ZipException.class, () -> Zip.join(three.get(1), remaining));
        long tookMs = (System.nanoTime() - beginNs) / 1_000_000;
        assertEquals(ErrorCode.JOIN_TIMEOUT, late.code(), late.getMessage());
        assertEquals(1, late.rank(), late.getMessage());
        assertTrue(late.operation().contains("join of session " + SESSION), late.getMessage());
        assertTrue(late.elapsedMs() >= 2500 && late.elapsedMs() <= tookMs, late.getMessage());
        // On a busy machine ending it may take a while, but nothing like the session's time.
        assertTrue(tookMs < 12_000, "took " + tookMs + " ms: " + late.getMessage());
        // Its place is free again.
        List<Communicator> group = new ArrayList<>(Threads.each(2, rank -> Zip.join(three.get(1 + rank))));
        group.add(0, first.get(20, TimeUnit.SECONDS));
        exchangeInRing(group);
        closeAll(group);
    }

    private void awaitOneRank() throws InterruptedException {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (relay.stats().ranks() == 0) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "the rank does not come");
            Thread.sleep(1);
        }
    }

    private static int closedPort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    @Test
    void shouldBoundTheWorldThatItJoinedInThePlatformsTime() throws Exception {
        AtomicInteger leftMs = new AtomicInteger(20_000);
        List<Communicator> group = Threads.each(
                2, rank -> Zip.join(settings(2).rank(rank).build(), () -> Duration.ofMillis(leftMs.get())));
        exchangeInRing(group);
        leftMs.set(400);
        ZipException late = assertThrows(ZipException.class, () -> group.get(0).receive(1, 9, new byte[1]));
        assertEquals(ErrorCode.DEADLINE, late.code(), late.getMessage());
        assertTrue(late.elapsedMs() >= 400 && late.elapsedMs() < 10_000, late.getMessage());
        leftMs.set(0);
        assertEquals(
                ErrorCode.DEADLINE,
                assertThrows(ZipException.class, () -> group.get(0).send(1, 9, new byte[1]))
                        .code());
        closeAll(group);
    }

    @Test
    void shouldNotAskTheRelayWhenNothingIsLeft() {
        List<Supplier<Duration>> nothing = List.of(() -> Duration.ZERO, () -> Duration.ofMillis(-3), () -> null, () -> {
            throw new IllegalStateException("no context");
        });
        for (Supplier<Duration> one : nothing) {
            ZipException none = assertThrows(
                    ZipException.class, () -> Zip.join(settings(2).rank(1).build(), one));
            assertEquals(ErrorCode.DEADLINE, none.code(), none.getMessage());
            assertEquals(1, none.rank());
            assertTrue(none.getMessage().contains("join of session " + SESSION), none.getMessage());
        }
        assertEquals(0, relay.stats().ranks());
        assertEquals(
                ErrorCode.BAD_ARGUMENT,
                assertThrows(ZipException.class, () -> Zip.join(settings(2).build(), null))
                        .code());
    }

    @Test
    void shouldSayByItsDeadlineThatNoRelayListens() throws Exception {
        int port = closedPort();
        for (String io : List.of("epoll", "nio")) {
            long beginNs = System.nanoTime();
            ZipException failure = refusal(settings(2)
                    .relay("127.0.0.1:" + port)
                    .joinTimeout(Duration.ofMillis(700))
                    .set(Setting.IO, io));
            long tookMs = (System.nanoTime() - beginNs) / 1_000_000;
            assertEquals(ErrorCode.RELAY_UNREACHABLE, failure.code());
            assertTrue(
                    failure.getMessage().matches("(?s).*127\\.0\\.0\\.1:" + port + ".* tries.*"), failure.getMessage());
            assertTrue(failure.elapsedMs() <= tookMs && failure.elapsedMs() > 0, failure.getMessage());
            assertTrue(tookMs < 5000, "took " + tookMs + " ms");
        }
    }

    @Test
    void shouldNotWaitForEverForARelayThatSaysNothing() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            ZipException failure = refusal(
                    settings(2).relay("127.0.0.1:" + silent.getLocalPort()).joinTimeout(Duration.ofMillis(100)));
            assertEquals(ErrorCode.RELAY_UNREACHABLE, failure.code());
            assertTrue(failure.elapsedMs() >= 100, failure.getMessage());
        }
    }

    @Test
    void shouldRefuseAWrongToken() throws Exception {
        RelaySecret secret = RelaySecret.random();
        try (RelayServer strict = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").secret(secret).build())) {
            String address = "127.0.0.1:" + strict.address().getPort();
            String right = RelayTokens.mint(secret, SESSION, Optional.empty(), Optional.empty());
            String forged = RelayTokens.mint(RelaySecret.random(), SESSION, Optional.empty(), Optional.empty());
            String other = RelayTokens.mint(secret, "another", Optional.empty(), Optional.empty());
            for (String wrong : List.of("", "nonsense", forged, other)) {
                ZipException failure = refusal(settings(1).relay(address).token(wrong));
                assertEquals(ErrorCode.UNAUTHORIZED, failure.code(), failure.getMessage());
            }
            Zip.join(settings(1).relay(address).token(right).build()).close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"012", "021", "102", "120", "201", "210"})
    void shouldCloseInAnyOrder(String order) throws Exception {
        List<Communicator> group = join(3, TransportChoice.AUTO, true);
        exchangeInRing(group);
        CountDownLatch[] begun =
                Stream.generate(() -> new CountDownLatch(1)).limit(4).toArray(CountDownLatch[]::new);
        begun[0].countDown();
        Threads.each(3, turn -> {
            begun[turn].await();
            begun[turn + 1].countDown();
            group.get(order.charAt(turn) - '0').close();
            return null;
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"TCP", "RELAY", "AUTO"})
    void shouldTellThoseWhoWaitThatAPeerHasLeft(String choice) throws Exception {
        List<Communicator> group = join(2, TransportChoice.valueOf(choice), true);
        exchangeInRing(group);
        Threads.each(2, rank -> {
            if (rank == 0) {
                // A message that was sent before the leave still arrives.
                group.get(0).send(1, 1, new long[] {42});
                group.get(0).close();
                return null;
            }
            long[] last = new long[1];
            group.get(1).receive(0, 1, last);
            assertEquals(42, last[0]);
            try {
                group.get(1).receive(0, 2, last);
                throw new AssertionError("received from a rank that left");
            } catch (ZipException e) {
                assertEquals(ErrorCode.PEER_LEFT, e.code(), e.getMessage());
                assertEquals(0, e.peer());
            }
            return null;
        });
        closeAll(group);
    }

    @Test
    void shouldSplitAndDuplicate() throws Exception {
        List<Communicator> group = join(4, TransportChoice.AUTO, true);
        Threads.each(4, rank -> {
            Communicator world = group.get(rank);
            // Odd and even ranks, each backwards.
            try (Communicator half = world.split(rank % 2, -rank)) {
                assertEquals(2, half.size());
                assertEquals(rank < 2 ? 1 : 0, half.rank());
                assertEquals((rank + 2) % 4, half.worldRank(1 - half.rank()));
                try (Communicator copy = half.duplicate()) {
                    // The same tag on three communicators: nothing mixes.
                    int peer = 1 - half.rank();
                    int[] onHalf = new int[1];
                    int[] onCopy = new int[1];
                    int[] onWorld = new int[1];
                    ZipFuture<Void> third = world.sendAsync((rank + 2) % 4, 5, Payload.of(new int[] {300 + rank}));
                    ZipFuture<Void> second = copy.sendAsync(peer, 5, Payload.of(new int[] {200 + rank}));
                    ZipFuture<Void> first = half.sendAsync(peer, 5, Payload.of(new int[] {100 + rank}));
                    half.receive(peer, 5, onHalf);
                    copy.receive(peer, 5, onCopy);
                    world.receive((rank + 2) % 4, 5, onWorld);
                    first.await();
                    second.await();
                    third.await();
                    int other = (rank + 2) % 4;
                    assertEquals(100 + other, onHalf[0]);
                    assertEquals(200 + other, onCopy[0]);
                    assertEquals(300 + other, onWorld[0]);
                }
            }
            Communicator some = world.split(rank == 3 ? -1 : 7, 0);
            if (rank == 3) {
                assertNull(some);
            } else {
                assertNotNull(some);
                assertEquals(3, some.size());
                assertEquals(rank, some.rank());
                some.close();
            }
            return null;
        });
        closeAll(group);
    }
}
