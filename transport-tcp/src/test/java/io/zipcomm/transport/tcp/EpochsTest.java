package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Agreement;
import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.Joining;
import io.zipcomm.internal.MembershipClient;
import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Groups that go on after deaths, and grow, through a real relay; ranks are threads. */
@Tag("once")
@Timeout(120)
final class EpochsTest extends WithRelay {

    private static final String SESSION = "s";
    private static final int LONG_BYTES = 300_000;
    private static final Duration SHORT = Duration.ofMillis(700);
    private static final Duration LONG = Duration.ofSeconds(19);
    private static final Duration HEARTBEAT_TIMEOUT = Duration.ofMillis(1500);

    /** One process. */
    private static final class Rank {
        final MortalProvider provider = new MortalProvider();
        Communicator world;
        final List<Communicator> before = new ArrayList<>();

        /** Takes the world of the next epoch for its own. */
        void went(Communicator next) {
            before.add(world);
            world = next;
        }
    }

    private final List<Rank> everybody = new ArrayList<>();

    @Override
    @BeforeEach
    void startRelay() {
        startRelay(HEARTBEAT_TIMEOUT);
    }

    private void startRelay(Duration heartbeatTimeout) {
        relay = RelayServer.start(RelaySettings.builder()
                .listen("127.0.0.1:0")
                .insecure(true)
                .set(RelayOption.HEARTBEAT_INTERVAL, "300")
                .set(RelayOption.HEARTBEAT_TIMEOUT, Long.toString(heartbeatTimeout.toMillis()))
                .build());
    }

    private ZipSettings.Builder settings(int size, TransportChoice choice) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session(SESSION)
                .size(size)
                .sizeMin(1)
                .sizeMax(size)
                .transport(choice)
                .joinTimeout(Duration.ofSeconds(20))
                .operationTimeout(Duration.ofSeconds(20))
                .set(Setting.CLOSE_TIMEOUT, "300")
                .set(Setting.HOST_ID, "here");
    }

    private Rank join(ZipSettings settings) {
        Rank rank = new Rank();
        rank.world = Joining.join(settings, rank.provider, System::nanoTime);
        synchronized (everybody) {
            everybody.add(rank);
        }
        return rank;
    }

    private List<Rank> join(int size, ZipSettings.Builder settings) throws Exception {
        List<Rank> group = new ArrayList<>(Threads.each(size, one -> join(settings.build())));
        group.sort(Comparator.comparingInt(one -> one.world.rank()));
        return group;
    }

    private static List<Rank> without(List<Rank> group, int... ranks) {
        return IntStream.range(0, group.size())
                .filter(rank -> IntStream.of(ranks).noneMatch(one -> one == rank))
                .mapToObj(group::get)
                .toList();
    }

    private interface Body<T> {
        T run(Communicator world) throws Exception;
    }

    private static <T> List<T> each(List<Rank> group, Body<T> body) throws Exception {
        return Threads.each(group.size(), one -> body.run(group.get(one).world));
    }

    private static <T> List<Future<T>> start(List<Rank> group, Body<T> body) {
        return Threads.start(group.size(), one -> body.run(group.get(one).world));
    }

    private static void shrink(List<Rank> group) throws Exception {
        Threads.each(group.size(), one -> {
            group.get(one).went(group.get(one).world.shrink());
            return null;
        });
    }

    /** All to all: each rank sends every other a short message and one that needs a rendezvous. */
    private static void exchange(List<Rank> group) throws Exception {
        each(group, world -> {
            assertEquals(group.size(), world.size());
            for (int bytes : new int[] {9, LONG_BYTES}) {
                List<ZipFuture<?>> under = new ArrayList<>();
                byte[][] theirs = new byte[world.size()][bytes];
                for (int peer = 0; peer < world.size(); peer++) {
                    if (peer != world.rank()) {
                        under.add(world.receiveAsync(peer, 5, Payload.of(theirs[peer])));
                        under.add(world.sendAsync(peer, 5, Payload.of(pattern(world, world.rank(), bytes))));
                    }
                }
                under.forEach(ZipFuture::await);
                for (int peer = 0; peer < world.size(); peer++) {
                    if (peer != world.rank()) {
                        assertArrayEquals(pattern(world, peer, bytes), theirs[peer]);
                    }
                }
            }
            world.duplicate().close();
            return null;
        });
    }

    /** Not what another rank or another epoch would send. */
    private static byte[] pattern(Communicator world, int rank, int bytes) {
        byte[] pattern = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            pattern[i] = (byte) (i * 31 + rank * 7 + world.view().epoch() * 13);
        }
        return pattern;
    }

    private static void leave(List<Rank> group) throws Exception {
        each(group, world -> {
            world.close();
            return null;
        });
    }

    private static ZipException thrown(Callable<?> call) {
        try {
            throw new AssertionError("got " + call.call());
        } catch (ZipException e) {
            return e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static ZipException failure(ErrorCode code, Callable<?> call) {
        ZipException failure = thrown(call);
        assertEquals(code, failure.code(), failure.getMessage());
        return failure;
    }

    private static Callable<?> receiving(Communicator world, int peer) {
        return () -> world.receive(peer, 77, new byte[8]);
    }

    /** What the dead leave, once nobody minds. */
    private static void bury(Rank rank) {
        rank.world.close();
    }

    /** Waits until a rank is known to be gone. */
    private static void awaitFailed(Communicator world, int rank) throws InterruptedException {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (world.failed().isEmpty() && System.nanoTime() - deadlineNs < 0) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        assertEquals(List.of(rank), world.failed());
    }

    @ParameterizedTest
    @EnumSource(
            value = TransportChoice.class,
            names = {"TCP", "RELAY", "AUTO"})
    void shouldGoOnWithoutTheDeadAndGrowAgain(TransportChoice choice) throws Exception {
        List<Rank> four = join(4, settings(4, choice));
        exchange(four);
        assertEquals(List.of(), four.get(0).world.view().ranksBefore());
        Rank first = four.get(1);
        List<Rank> three = without(four, 1);
        List<Future<ZipException>> waiting = start(three, world -> thrown(receiving(world, 1)));
        first.provider.die();
        for (Future<ZipException> one : waiting) {
            ZipException lost = one.get(20, TimeUnit.SECONDS);
            assertEquals(ErrorCode.PEER_LOST, lost.code(), lost.getMessage());
        }
        for (Agreement agreed : each(three, world -> world.agree(world.rank() != 3))) {
            assertEquals(new Agreement(false, List.of(1)), agreed);
        }
        assertEquals(List.of(1), three.get(0).world.failed());
        shrink(three);
        assertEquals(List.of(0, 2, 3), three.get(0).world.view().ranksBefore());
        for (int rank = 0; rank < 3; rank++) {
            assertEquals(rank, three.get(rank).world.rank());
        }
        exchange(three);
        for (Rank one : three) {
            ZipException over =
                    failure(ErrorCode.REVOKED, () -> one.before.get(0).receive(1, 1, new byte[1]));
            assertTrue(over.getMessage().contains("the group went on to epoch"), over.getMessage());
            failure(ErrorCode.REVOKED, () -> one.before.get(0).agree(true));
            failure(ErrorCode.REVOKED, () -> one.before.get(0).shrink());
        }
        Rank second = three.get(0);
        List<Rank> two = without(three, 0);
        second.provider.die();
        shrink(two);
        assertEquals(List.of(1, 2), two.get(0).world.view().ranksBefore());
        exchange(two);
        // Newcomers wait, and come in behind.
        List<Future<Rank>> newcomers =
                Threads.start(2, one -> join(settings(4, choice).build()));
        Threads.each(2, one -> {
            two.get(one).went(two.get(one).world.grow(4));
            return null;
        });
        List<Rank> grown = new ArrayList<>(two);
        for (Future<Rank> one : newcomers) {
            grown.add(one.get(20, TimeUnit.SECONDS));
        }
        grown.sort(Comparator.comparingInt(one -> one.world.rank()));
        assertEquals(two, grown.subList(0, 2));
        assertEquals(List.of(0, 1, -1, -1), grown.get(3).world.view().ranksBefore());
        exchange(grown);
        bury(first);
        bury(second);
        leave(grown);
        // Of no effect on anybody.
        grown.get(0).before.forEach(Communicator::close);
    }

    @ParameterizedTest
    @EnumSource(
            value = TransportChoice.class,
            names = {"TCP", "RELAY", "AUTO"})
    void shouldEndAllThatWaitsWhenTheWorldIsRevoked(TransportChoice choice) throws Exception {
        List<Rank> three = join(3, settings(3, choice));
        exchange(three);
        List<Future<Void>> waiting = start(three, world -> {
            Communicator twin = world.duplicate();
            int next = (world.rank() + 1) % 3;
            ZipFuture<Long> message = twin.receiveAsync(next, 7, Payload.of(new byte[10]));
            ZipFuture<Void> unread = world.sendAsync(next, 8, Payload.of(new byte[8 << 20]));
            for (Callable<?> one :
                    List.<Callable<?>>of(receiving(world, next), message::await, unread::await, twin::duplicate)) {
                ZipException failure = failure(ErrorCode.REVOKED, one);
                assertEquals(1, failure.peer(), failure.getMessage());
                assertTrue(failure.getMessage().contains("rank 1 revoked the world"), failure.getMessage());
            }
            assertTrue(twin.agree(true).value());
            return null;
        });
        // By a thread that waits for nothing, while all others do.
        Communicator world = three.get(1).world;
        assertEquals(
                ErrorCode.DEADLINE,
                thrown(() -> world.withTimeout(SHORT).receive(0, 78, new byte[1]))
                        .code());
        world.revoke();
        for (Future<Void> one : waiting) {
            one.get(20, TimeUnit.SECONDS);
        }
        shrink(three);
        exchange(three);
        leave(three);
    }

    @Test
    void shouldLeaveOutWhoDoesNotCome() throws Exception {
        List<Rank> three = join(3, settings(3, TransportChoice.AUTO));
        exchange(three);
        List<Rank> two = without(three, 1);
        Communicator straggler = three.get(1).world;
        Threads.each(2, one -> {
            two.get(one).went(two.get(one).world.withTimeout(SHORT).shrink());
            return null;
        });
        assertEquals(List.of(0, 2), two.get(0).world.view().ranksBefore());
        exchange(two);
        failure(ErrorCode.EXPELLED, () -> straggler.agree(true));
        failure(ErrorCode.EXPELLED, receiving(straggler, 0));
        failure(ErrorCode.EXPELLED, straggler::duplicate);
        ZipException late = failure(ErrorCode.EXPELLED, straggler::shrink);
        assertTrue(late.getMessage().contains("did not ask for the next epoch"), late.getMessage());
        straggler.close();
        leave(two);
    }

    @Test
    void shouldStayRevokedAndAskAgainWhenTooFewCame() throws Exception {
        List<Rank> three = join(3, settings(3, TransportChoice.AUTO).sizeMin(3));
        Communicator world = three.get(0).world;
        ZipException few =
                failure(ErrorCode.JOIN_TIMEOUT, () -> world.withTimeout(SHORT).shrink());
        assertTrue(
                few.getMessage().contains("rank 0 of 3, epoch " + world.view().epoch()), few.getMessage());
        assertTrue(few.getMessage().contains("shrink of session " + SESSION), few.getMessage());
        failure(ErrorCode.REVOKED, receiving(world, 1));
        failure(ErrorCode.REVOKED, receiving(three.get(1).world, 2));
        // Longer than a member may be silent: it is none that is dead.
        failure(
                ErrorCode.DEADLINE,
                () -> three.get(2).world.withTimeout(HEARTBEAT_TIMEOUT).agree(true));
        shrink(three);
        exchange(three);
        leave(three);
    }

    @Test
    void shouldLeaveTheGroupWhenAWorldIsClosedThatNeverWentOn() throws Exception {
        List<Rank> three = join(3, settings(3, TransportChoice.AUTO).sizeMin(3));
        failure(
                ErrorCode.JOIN_TIMEOUT,
                () -> three.get(0).world.withTimeout(SHORT).shrink());
        leave(three.subList(0, 1));
        // Those that left are not there any more when others agree.
        for (Agreement agreed : each(three.subList(1, 3), world -> world.agree(true))) {
            assertEquals(List.of(0), agreed.failed());
        }
        leave(three.subList(1, 3));
    }

    @Test
    void shouldSayExpelledToWhomTheRelayTookForDead() throws Exception {
        for (TransportChoice choice : List.of(TransportChoice.TCP, TransportChoice.RELAY)) {
            List<Rank> three = join(3, settings(3, choice));
            exchange(three);
            Rank frozen = three.get(2);
            List<Future<ZipException>> waiting = start(three.subList(2, 3), world -> thrown(receiving(world, 0)));
            frozen.provider.freeze();
            awaitFailed(three.get(0).world, 2);
            frozen.provider.thaw();
            ZipException expelled = waiting.get(0).get(20, TimeUnit.SECONDS);
            assertEquals(ErrorCode.EXPELLED, expelled.code(), expelled.getMessage());
            assertTrue(expelled.getMessage().contains("heartbeat-timeout"), expelled.getMessage());
            failure(ErrorCode.EXPELLED, () -> frozen.world.agree(true));
            failure(ErrorCode.EXPELLED, frozen.world::shrink);
            failure(ErrorCode.EXPELLED, frozen.world::duplicate);
            shrink(three.subList(0, 2));
            exchange(three.subList(0, 2));
            frozen.world.close();
            leave(three.subList(0, 2));
        }
    }

    /** Its attempt ends for another reason, while the relay has said on the old connection what became of its place. */
    @Test
    void shouldSayExpelledToWhoStoodStillOnItsWay() throws Exception {
        List<Rank> three = join(3, settings(3, TransportChoice.AUTO));
        Rank frozen = three.get(2);
        frozen.provider.freezeInNextOpening();
        ZipException expelled = failure(ErrorCode.EXPELLED, frozen.world::shrink);
        assertTrue(expelled.getMessage().contains("heartbeat-timeout"), expelled.getMessage());
        frozen.provider.thaw();
        failure(ErrorCode.EXPELLED, frozen.world::shrink);
        shrink(three.subList(0, 2));
        exchange(three.subList(0, 2));
        frozen.world.close();
        leave(three.subList(0, 2));
    }

    @Test
    void shouldRefuseMembersThatWantDifferentSizes() throws Exception {
        List<Rank> two = join(2, settings(2, TransportChoice.AUTO).sizeMax(4));
        List<ZipException> failures =
                each(two, world -> failure(ErrorCode.OPERATION_MISMATCH, () -> world.grow(3 + world.rank())));
        failures.forEach(one -> assertTrue(one.getMessage().contains("grow of session"), one.getMessage()));
        shrink(two);
        exchange(two);
        leave(two);
    }

    @Test
    void shouldGoOnWithThoseThatHaveComeWhenNobodyElseDoes() throws Exception {
        List<Rank> two = join(2, settings(2, TransportChoice.AUTO).sizeMax(4));
        Threads.each(2, one -> {
            two.get(one).went(two.get(one).world.withTimeout(SHORT).grow(4));
            return null;
        });
        assertEquals(List.of(0, 1), two.get(0).world.view().ranksBefore());
        exchange(two);
        leave(two);
    }

    /** What the platform leaves goes with the group from epoch to epoch, and bounds its end. */
    @Test
    void shouldTakeNoLongerThanThePlatformLeavesInLaterEpochs() throws Exception {
        List<Rank> two = join(2, settings(2, TransportChoice.AUTO).set(Setting.CLOSE_TIMEOUT, "15000"));
        exchange(two);
        AtomicInteger leftMs = new AtomicInteger(20_000);
        for (boolean grows : new boolean[] {false, true}) {
            Threads.each(2, one -> {
                Communicator world = two.get(one).world;
                Communicator mine =
                        grows ? world : world.withTimeout(LONG).withinRemaining(() -> Duration.ofMillis(leftMs.get()));
                two.get(one).went(grows ? mine.grow(2) : mine.shrink());
                return null;
            });
            exchange(two);
            for (Rank one : two) {
                assertEquals(two.get(0).before.get(0).timeout(), one.world.timeout());
                leftMs.set(300);
                ZipException late = failure(ErrorCode.DEADLINE, receiving(one.world, 1 - one.world.rank()));
                assertTrue(late.elapsedMs() >= 300, late.getMessage());
                assertTrue(late.elapsedMs() < 10_000, late.getMessage());
                leftMs.set(0);
                failure(ErrorCode.DEADLINE, receiving(one.world, 1 - one.world.rank()));
                leftMs.set(20_000);
            }
        }
        // It takes nothing any more, not even a goodbye.
        two.get(1).provider.freeze();
        leftMs.set(400);
        long beginNs = System.nanoTime();
        two.get(0).world.close();
        long tookMs = (System.nanoTime() - beginNs) / 1_000_000;
        two.get(1).provider.thaw();
        assertTrue(tookMs < 7_000, "took " + tookMs + " ms");
        leave(two.subList(1, 2));
    }

    @Test
    void shouldTellANewcomerWhyNobodyLetItIn() throws Exception {
        List<Rank> two = join(2, settings(2, TransportChoice.AUTO).sizeMax(3));
        ZipSettings late =
                settings(2, TransportChoice.AUTO).sizeMax(3).joinTimeout(SHORT).build();
        ZipException refused = failure(ErrorCode.JOIN_TIMEOUT, () -> join(late));
        assertTrue(refused.getMessage().contains("let"), refused.getMessage());
        exchange(two);
        leave(two);
    }

    // Beginning without stragglers

    /** They are admitted at the deadline only. */
    @Test
    void shouldBeginWithoutStragglersThoughNobodyHasANumber() throws Exception {
        List<Rank> two = join(2, settings(3, TransportChoice.AUTO).sizeMin(2).joinTimeout(Duration.ofSeconds(2)));
        assertEquals(2, two.get(0).world.size());
        exchange(two);
        leave(two);
    }

    @Test
    void shouldWaitForTheRelayThatWaitsForAStraggler() throws Exception {
        relay.close();
        // Longer than the relay's answer may take otherwise.
        startRelay(Duration.ofMillis(3500));
        IntFunction<ZipSettings> three = rank -> settings(3, TransportChoice.AUTO)
                .sizeMin(2)
                .joinTimeout(Duration.ofSeconds(2))
                .rank(rank)
                .build();
        List<Future<Rank>> inTime = Threads.start(2, one -> join(three.apply(one)));
        // It has its place, and never attaches.
        MembershipClient straggler = MembershipClient.join(
                three.apply(2), new TcpTransportProvider(), List.of(), 0, "here", true, System::nanoTime);
        List<Rank> two = new ArrayList<>();
        for (Future<Rank> one : inTime) {
            two.add(one.get(20, TimeUnit.SECONDS));
        }
        straggler.close();
        assertEquals(2, two.get(0).world.size());
        exchange(two);
        leave(two);
    }

    // Times

    @Test
    void shouldEndInTheTimeThatThePlatformLeaves() throws Exception {
        List<Rank> three = join(3, settings(3, TransportChoice.AUTO).sizeMin(3));
        for (String call : List.of("agree", "shrink", "grow")) {
            long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
            Communicator world = three.get(0).world.withinRemaining(() -> Duration.ofNanos(endNs - System.nanoTime()));
            ZipException late = thrown(
                    call.equals("agree")
                            ? () -> world.agree(true)
                            : call.equals("grow") ? () -> world.grow(3) : world::shrink);
            // The relay's own answer, which knows who is missing, and in time.
            assertTrue(late.getMessage().contains("ranks 1, 2 did not"), late.getMessage());
            assertEquals(
                    call.equals("agree") ? ErrorCode.DEADLINE : ErrorCode.JOIN_TIMEOUT, late.code(), late.getMessage());
            assertTrue(late.elapsedMs() < 4000, late.getMessage());
        }
        leave(three);
    }

    // Agreements that a caller gives up

    /** All members count alike, whatever became of the calls. */
    @Test
    void shouldMeetTheOthersAgainAfterCallsThatEndedBeforeTheRelayAnswered() throws Exception {
        List<Rank> two = join(2, settings(2, TransportChoice.AUTO));
        Communicator hasty = two.get(0).world;
        Thread.currentThread().interrupt();
        failure(ErrorCode.CANCELLED, () -> hasty.agree(true));
        assertTrue(Thread.interrupted());
        // It waits behind the first.
        ZipException late =
                failure(ErrorCode.DEADLINE, () -> hasty.withTimeout(SHORT).agree(true));
        assertTrue(late.getMessage().contains("the agreement before"), late.getMessage());
        Communicator other = two.get(1).world;
        assertTrue(other.agree(true).value(), "what was said counts");
        try {
            assertFalse(other.agree(true).value(), "agreed with a rank that gave up");
        } catch (ZipException e) {
            assertEquals(ErrorCode.DEADLINE, e.code(), e.getMessage());
        }
        for (Agreement agreed : each(two, world -> world.agree(true))) {
            assertTrue(agreed.value());
        }
        leave(two);
    }

    // Closing

    @Test
    void shouldLeaveTheGroupWhenAWorldIsClosedThatIsOnItsWay() throws Exception {
        List<Rank> three = join(3, settings(3, TransportChoice.AUTO).sizeMin(3));
        List<Future<ZipException>> shrinking = start(three.subList(0, 1), world -> thrown(world::shrink));
        // It has asked: the others hear of it.
        failure(ErrorCode.REVOKED, receiving(three.get(1).world, 2));
        three.get(0).world.close();
        ZipException closed = shrinking.get(0).get(10, TimeUnit.SECONDS);
        assertEquals(ErrorCode.CLOSED, closed.code(), closed.getMessage());
        for (Agreement agreed : each(three.subList(1, 3), world -> world.agree(true))) {
            assertEquals(List.of(0), agreed.failed());
        }
        leave(three.subList(1, 3));
    }

    // What is known of those who are gone, and of the relay

    @Test
    void shouldHearWhoDiesThoughItIsOnItsWay() throws Exception {
        List<Rank> three = join(3, settings(3, TransportChoice.AUTO).sizeMin(3));
        Communicator world = three.get(0).world;
        failure(ErrorCode.JOIN_TIMEOUT, () -> world.withTimeout(SHORT).shrink());
        three.get(2).provider.die();
        awaitFailed(world, 2);
        bury(three.get(2));
        leave(three.subList(0, 2));
    }

    @Test
    void shouldSayExpelledToWhomTheRelayDoesNotRememberAnyMore() throws Exception {
        List<Rank> four = join(4, settings(4, TransportChoice.TCP));
        exchange(four);
        Rank lost = four.get(3);
        lost.provider.cutOff();
        List<Rank> three = four.subList(0, 3);
        shrink(three);
        shrink(three);
        ZipException expelled = failure(ErrorCode.EXPELLED, lost.world::shrink);
        // By asking, or by what the relay said when the rank came back.
        assertTrue(expelled.getMessage().contains("shrink"), expelled.getMessage());
        failure(ErrorCode.EXPELLED, lost.world::shrink);
        bury(lost);
        exchange(three);
        leave(three);
    }

    @Test
    void shouldSayThatTheRelayIsLostToWhoCannotGoOnWithoutIt() throws Exception {
        List<Rank> two = join(2, settings(2, TransportChoice.AUTO).sizeMin(2));
        failure(
                ErrorCode.JOIN_TIMEOUT,
                () -> two.get(0).world.withTimeout(SHORT).shrink());
        relay.close();
        ZipException lost = failure(
                ErrorCode.RELAY_LOST, () -> two.get(0).world.withTimeout(SHORT).shrink());
        assertTrue(lost.getMessage().contains("control connection to the relay ended"), lost.getMessage());
        two.forEach(EpochsTest::bury);
    }

    @Test
    void shouldLeaveNothingBehindInManyEpochs() throws Exception {
        List<Rank> three = join(3, settings(3, TransportChoice.AUTO));
        int epoch = three.get(0).world.view().epoch();
        long threads = threads();
        for (int i = 0; i < 20; i++) {
            shrink(three);
            exchange(three);
            int now = three.get(0).world.view().epoch();
            assertTrue(now > epoch, now + " after " + epoch);
            epoch = now;
        }
        assertEquals(threads, threads(), "threads of the library");
        leave(three);
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(one -> one.getName().matches("zip-(progress|control).*"))
                .count();
    }

    @Test
    void shouldCloseWorldsInAnyOrder() throws Exception {
        List<Rank> three = join(3, settings(3, TransportChoice.AUTO));
        List<Communicator> twins = each(three, Communicator::duplicate);
        shrink(three);
        three.get(0).before.get(0).close();
        twins.get(0).close();
        twins.get(1).close();
        three.get(1).before.get(0).close();
        exchange(three);
        leave(three);
        three.get(2).before.get(0).close();
        twins.get(2).close();
    }
}
