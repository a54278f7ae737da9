package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.Memory;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SharedMemoryFolder;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Ranks that take each other for far away lose their paths over UDP, under load both ways: links go on, and come back. */
@Timeout(150)
@Tag("once")
final class UdpResumeTest {

    private static final int TIMES = 6;
    /** All sessions of a pair but one: as pauses are skipped here, they would be used again sooner than a driver forgets them. */
    private static final int MANY_TIMES = UdpNames.ATTEMPT_ROUNDS - 1;

    private static final Duration PATIENCE = Duration.ofSeconds(40);

    private static final int[] LENGTHS = {8, 64 << 10, 4 << 20};
    private static final int TAG = 7;
    private static final int WORD_TAG = 77;
    private static final int SHARED_BYTES = 300_008;
    private static final String UDP = "aeron-udp";

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    private RelayServer relay;

    /** What happens to the paths between two ranks. */
    private enum Loss {
        /** One end gives it up, and tells the other. */
        BROKEN,
        /** What comes to one end is dropped, and what it answers. */
        BLACK_HOLE
    }

    @BeforeEach
    void startRelay() {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    @AfterEach
    void stopRelay() {
        relay.close();
    }

    private UdpGroup join(int size, boolean apart) throws Exception {
        return UdpGroup.join(relay.address().getPort(), directory.toString(), size, apart);
    }

    private static void await(BooleanSupplier condition, String what) throws InterruptedException {
        long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "not in time: " + what);
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    /** Messages both ways at once, of several lengths, until it is over; every byte is looked at. */
    private static void load(GroupCommunicator world, AtomicBoolean over) {
        int peer = 1 - world.rank();
        boolean last = false;
        for (long round = 0; !last; round++) {
            exchange(world, round);
            byte[] mine = {(byte) (over.get() ? 1 : 0)};
            byte[] theirs = new byte[1];
            ZipFuture<Void> told = world.sendAsync(peer, WORD_TAG, Payload.of(mine));
            world.receive(peer, WORD_TAG, theirs);
            told.await();
            last = mine[0] + theirs[0] > 0;
        }
    }

    private static void exchange(GroupCommunicator world, long round) {
        List<ZipFuture<?>> under = new ArrayList<>();
        List<ByteBuffer> targets = new ArrayList<>();
        for (int peer = 0; peer < world.size(); peer++) {
            for (int i = 0; i < LENGTHS.length && peer != world.rank(); i++) {
                ByteBuffer target = ByteBuffer.allocateDirect(LENGTHS[i]);
                targets.add(target);
                under.add(world.receiveAsync(peer, TAG + i, Payload.of(target)));
                byte[] message = Memory.pattern(seed(world.rank(), peer, round), LENGTHS[i]);
                under.add(world.sendAsync(peer, TAG + i, Payload.of(message)));
            }
        }
        under.forEach(ZipFuture::await);
        int at = 0;
        for (int peer = 0; peer < world.size(); peer++) {
            for (int i = 0; i < LENGTHS.length && peer != world.rank(); i++) {
                byte[] expected = Memory.pattern(seed(peer, world.rank(), round), LENGTHS[i]);
                assertEquals(ByteBuffer.wrap(expected), targets.get(at++).clear(), "from rank " + peer);
            }
        }
    }

    private static long seed(int from, int to, long round) {
        return from * 1_000_003L + to * 10_007L + round;
    }

    /** Loads two ranks while something happens. */
    private void underLoad(UdpGroup group, UdpGroup.IntFunctionThatThrows<Void> trouble) throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        UdpGroup.each(3, who -> {
            try {
                if (who == 2) {
                    trouble.apply(0);
                } else {
                    load(group.rank(who).world, over);
                }
            } finally {
                over.compareAndSet(false, who == 2);
            }
            return null;
        });
        for (int rank = 0; rank < 2; rank++) {
            assertEquals(
                    "operations 0, transfers 0, unexpected 0, cleared receives 0",
                    group.rank(rank).world.progress().leaks());
        }
    }

    private void lose(UdpGroup group, int times, Loss loss) throws InterruptedException {
        SplittableRandom random = new SplittableRandom(seeds.seed());
        await(() -> areOver(UDP, group), "paths");
        for (int round = 0; round < times; round++) {
            int resumed = round;
            TimeUnit.MILLISECONDS.sleep(random.nextInt(40));
            UdpGroup.Rank one = group.rank(random.nextInt(2));
            UdpGroup.Rank other = one == group.rank(0) ? group.rank(1) : group.rank(0);
            boolean both = random.nextBoolean();
            // Both are of now: the other one may have gone on by another path when the first is over.
            UdpPath ofOne = path(one);
            UdpPath ofOther = path(other);
            apply(loss, one, ofOne);
            if (both) {
                apply(loss, other, ofOther);
            }
            await(
                    () -> group.rank(0).resumptions(1) > resumed
                            && group.rank(1).resumptions(0) > resumed,
                    loss + " " + round + (both ? " at both ends" : ""));
            one.deaf = false;
            other.deaf = false;
            group.clock.awaitAfterPause(
                    () -> path(one) != ofOne && path(other) != ofOther && areOver(UDP, group),
                    PATIENCE,
                    "return " + round);
        }
    }

    private static boolean areOver(String kind, UdpGroup group) {
        return kind.equals(group.rank(0).pathTo(1)) && kind.equals(group.rank(1).pathTo(0));
    }

    private static UdpPath path(UdpGroup.Rank rank) {
        return rank.path(1 - rank.world.rank());
    }

    private static void apply(Loss loss, UdpGroup.Rank rank, UdpPath path) {
        switch (loss) {
            case BROKEN -> rank.act(() -> path.end(new ZipException(ErrorCode.PEER_LOST, "broken by the test")));
            case BLACK_HOLE -> rank.deaf = true;
        }
    }

    private void comeAndGo(int times, Loss loss) throws Exception {
        UdpGroup group = join(2, true);
        underLoad(group, who -> {
            lose(group, times, loss);
            return null;
        });
        for (int rank = 0; rank < 2; rank++) {
            assertEquals(times, group.rank(rank).resumptions(1 - rank), "resumptions of rank " + rank);
        }
        group.leave();
    }

    @Test
    void shouldComeAndGoUnderLoad() throws Exception {
        comeAndGo(TIMES, Loss.BROKEN);
    }

    @Test
    void shouldNoticeThatItsDatagramsAreDropped() throws Exception {
        comeAndGo(2, Loss.BLACK_HOLE);
    }

    @Test
    @Tag("long")
    void shouldComeAndGoManyTimesUnderLoad() throws Exception {
        comeAndGo(MANY_TIMES, Loss.BROKEN);
    }

    @Test
    @Tag("long")
    void shouldNoticeManyTimesThatItsDatagramsAreDropped() throws Exception {
        comeAndGo(5, Loss.BLACK_HOLE);
    }

    /** Longer than silence may last: drivers say every 100 ms that they are there. */
    @Test
    void shouldKeepAPathOnWhichNobodySaysAnything() throws Exception {
        UdpGroup group = join(2, true);
        underLoad(group, who -> {
            await(() -> areOver(UDP, group), "paths");
            return null;
        });
        UdpPath before = group.rank(0).path(1);
        TimeUnit.NANOSECONDS.sleep(UdpPath.LOST_AFTER_NS + 2_000_000_000L);
        underLoad(group, who -> null);
        assertTrue(areOver(UDP, group));
        assertEquals(0, group.rank(0).resumptions(1));
        assertEquals(before, group.rank(0).path(1));
        group.leave();
    }

    /** The rank goes on without its media driver, by the relay and then by TCP. */
    @Test
    void shouldGoOnIfItsMediaDriverIsLost() throws Exception {
        UdpGroup group = join(2, true);
        underLoad(group, who -> {
            await(() -> areOver(UDP, group), "paths");
            group.rank(1).act(() -> group.rank(1).udp().endpoint().aeron().close());
            await(() -> group.rank(0).resumptions(1) > 0 && group.rank(1).resumptions(0) > 0, "the loss");
            group.clock.awaitAfterPause(() -> areOver("tcp", group), PATIENCE, "TCP");
            return null;
        });
        for (int rank = 0; rank < 2; rank++) {
            assertEquals(1, group.rank(rank).resumptions(1 - rank), "resumptions of rank " + rank);
        }
        group.leave();
    }

    /** What all get alike is cast, though each peer's frames are kept; not any more once a path is lost. */
    @Test
    void shouldCastWhatItKeeps() throws Exception {
        int size = 3;
        UdpGroup group = join(size, true);
        shareUntil(group, size, () -> group.rank(0).world.counters().framesCast > 0);
        UdpPath lost = group.rank(0).path(1);
        group.rank(0).act(() -> lost.end(new ZipException(ErrorCode.PEER_LOST, "broken by the test")));
        await(() -> group.rank(0).resumptions(1) == 1, "the loss");
        shareUntil(group, size, () -> UDP.equals(group.rank(0).pathTo(1)));
        shareUntil(group, size, () -> true);
        assertNotSame(lost, group.rank(0).path(1));
        group.leave();
    }

    /** Rank 0 sends all others the same, until it says that it is enough. */
    private static void shareUntil(UdpGroup group, int size, BooleanSupplier enough) throws Exception {
        UdpGroup.each(size, rank -> {
            GroupCommunicator world = group.rank(rank).world;
            long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
            byte[] over = {0};
            for (long round = 0; over[0] == 0; round++) {
                assertTrue(System.nanoTime() - deadlineNs < 0, "not in time");
                byte[] expected = Memory.pattern(round, SHARED_BYTES);
                if (rank == 0) {
                    share(group.rank(0), size, expected);
                    over[0] = (byte) (enough.getAsBoolean() ? 1 : 0);
                    for (int peer = 1; peer < size; peer++) {
                        world.send(peer, WORD_TAG, over);
                    }
                } else {
                    byte[] memory = new byte[SHARED_BYTES];
                    world.receive(0, TAG, memory);
                    assertEquals(ByteBuffer.wrap(expected), ByteBuffer.wrap(memory), "round " + round);
                    world.receive(0, WORD_TAG, over);
                }
            }
            return null;
        });
    }

    private static void share(UdpGroup.Rank root, int size, byte[] message) throws InterruptedException {
        CountDownLatch sent = new CountDownLatch(size - 1);
        root.act(() -> {
            long share = root.world.takeShares(1);
            Payload payload = Payload.of(message);
            for (int peer = 1; peer < size; peer++) {
                root.world.postSend(
                        peer,
                        TAG,
                        0,
                        payload,
                        0,
                        message.length,
                        share,
                        size - 1,
                        (cookie, bytes, failure) -> sent.countDown(),
                        0);
            }
        });
        assertTrue(sent.await(PATIENCE.toNanos(), TimeUnit.NANOSECONDS), "sent");
    }

    @Test
    void shouldNotKeepWhatItSendsOnOneHost() throws Exception {
        UdpGroup group = join(2, false);
        underLoad(group, who -> {
            await(() -> areOver(UDP, group), "paths");
            return null;
        });
        for (int rank = 0; rank < 2; rank++) {
            assertFalse(group.rank(rank).path(1 - rank).isForgettable());
            assertEquals(0, group.rank(rank).resumptions(1 - rank));
        }
        group.leave();
    }
}
