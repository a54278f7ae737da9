package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.SharedMemoryFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that share memory move from one media driver to the next, turn by turn, and some of them leave or die amid that. */
@Tag("once")
@Timeout(120)
final class DriverSuccessionTest {

    private static final int SIZE = 4;
    private static final int FRAMES = 300;
    private static final long PATIENCE_NS = 30_000_000_000L;

    /** From a stream that is there to the word in it. */
    private static final long SETTLE_MS = 500;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    private final MemoryRank[] ranks = new MemoryRank[SIZE];
    private final Map<Integer, Door> doors = new HashMap<>();
    private Process other;

    @AfterEach
    void close() throws InterruptedException {
        if (other != null) {
            other.destroyForcibly().waitFor();
        }
        doors.values().forEach(Door::close);
        for (MemoryRank rank : ranks) {
            if (rank != null) {
                rank.close();
            }
        }
    }

    private void open(int... who) {
        for (int rank : who) {
            ranks[rank] = new MemoryRank(directory, SIZE, rank);
        }
    }

    private void connect(int rank, int peer) {
        ranks[rank].transport.connect(peer);
        until(() -> ranks[rank].of(peer).path != null && ranks[peer].of(rank).path != null, 0, 1, 2, 3);
    }

    /** Those of some ranks that are in this process take turns. */
    private void until(BooleanSupplier done, int... polled) {
        long endNs = System.nanoTime() + PATIENCE_NS;
        while (!done.getAsBoolean()) {
            assertTrue(System.nanoTime() < endNs, () -> Arrays.toString(ranks));
            for (int rank : polled) {
                if (ranks[rank] != null) {
                    ranks[rank].transport.poll();
                }
            }
        }
    }

    /** Some file of the group; null if there is none. */
    private Path file(String name) {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(one -> one.endsWith(name)).findFirst().orElse(null);
        } catch (UncheckedIOException e) {
            // Something went away meanwhile.
            return file(name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String after(int rank) {
        Path link = file("after-" + rank);
        try {
            return link == null ? null : Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Door door(int rank) {
        return doors.computeIfAbsent(rank, one -> {
            try {
                return Door.open(file("rank-" + one + ".door"), SIZE);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** Whether a rank wants to be sent to by another at the driver of a third. */
    private boolean isAnnounced(int rank, int to, int holder) {
        long knock = door(to).knock(rank);
        return knock != 0 && Door.driver(knock) == holder;
    }

    private void send(int rank, int peer) {
        ranks[rank].of(peer).send(FRAMES);
        ranks[peer].of(rank).send(FRAMES);
    }

    private boolean haveAll(int rank, int peer, int times) {
        assertNull(ranks[rank].of(peer).failure);
        assertNull(ranks[peer].of(rank).failure);
        return ranks[rank].of(peer).received == times * FRAMES && ranks[peer].of(rank).received == times * FRAMES;
    }

    private void assertInOrder(int rank, int peer) {
        assertTrue(ranks[rank].of(peer).isInOrder && ranks[peer].of(rank).isInOrder);
    }

    /** Time at which the holder that comes next dies. */
    enum Stage {
        /** It has said that it will be. */
        CHOSEN,
        /** Rank 3 wants to be sent to there, and nobody does. */
        ANNOUNCED,
        /** Rank 2 sends to rank 3 there, which does not know. */
        MOVED
    }

    @ParameterizedTest
    @EnumSource
    void shouldChooseAgainWhenTheNextHolderDies(Stage stage) throws Exception {
        open(0, 2, 3);
        other = MemoryRank.start(directory, SIZE, 1);
        until(() -> file("rank-1.door") != null, 0, 2, 3);
        connect(2, 3);
        send(2, 3);
        until(() -> haveAll(2, 3, 1), 0, 2, 3);
        ranks[0].transport.leave();
        until(() -> "1".equals(after(0)), 0, 2, 3);
        if (stage != Stage.CHOSEN) {
            until(() -> isAnnounced(3, 2, 1), 0, 3);
        }
        if (stage == Stage.MOVED) {
            until(() -> door(3).moves(2) == 1, 0, 2);
            // The driver is to tell rank 3 of the stream, too.
            TimeUnit.MILLISECONDS.sleep(SETTLE_MS);
        }
        send(2, 3);
        other.destroyForcibly().waitFor();
        // Longer than between looks: rank 3 finds it dead before it has heard of the stream of rank 2.
        TimeUnit.MILLISECONDS.sleep(SETTLE_MS);
        assertTrue(ranks[0].transport.hasOutput(), "they need it until there is another one");
        until(() -> haveAll(2, 3, 2), 0, 2, 3);
        until(() -> !ranks[0].transport.hasOutput(), 0, 2, 3);
        assertEquals("2", after(1));
        ranks[0].transport.close();
        send(2, 3);
        until(() -> haveAll(2, 3, 3), 2, 3);
        assertInOrder(2, 3);
        assertEquals(2, door(3).used());
        assertEquals(2, door(2).used());
    }

    @Test
    void shouldHaveANewHolderThatLeavesAtOnceWaitForThoseWhoMove() {
        open(0, 1, 2, 3);
        connect(2, 3);
        ranks[0].transport.leave();
        until(() -> after(0) != null, 0, 1);
        assertEquals("1", after(0));
        ranks[1].transport.leave();
        assertTrue(ranks[1].transport.hasOutput(), "it has promised a driver");
        until(() -> file("rank-1.driver") != null && door(1).hasDriver() && door(1).used() == 1, 0, 1);
        long laterNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SETTLE_MS);
        until(() -> System.nanoTime() > laterNs, 0, 1);
        assertTrue(ranks[1].transport.hasOutput(), "nobody has come to it");
        assertTrue(ranks[0].transport.hasOutput());
        assertNull(after(1), "nobody passes it over");
        send(2, 3);
        until(() -> !ranks[0].transport.hasOutput() && !ranks[1].transport.hasOutput(), 0, 1, 2, 3);
        assertEquals("2", after(1));
        ranks[0].transport.close();
        ranks[1].transport.close();
        send(2, 3);
        until(() -> haveAll(2, 3, 2), 2, 3);
        assertInOrder(2, 3);
    }

    @Test
    void shouldLetTheLastOnesHaveADriverThoughTheirNumbersAreLower() {
        open(0, 3);
        until(() -> file("rank-3.door") != null, 0, 3);
        ranks[0].transport.leave();
        until(() -> "3".equals(after(0)), 0, 3);
        open(1, 2);
        connect(1, 2);
        until(() -> door(3).used() == 3 && !ranks[0].transport.hasOutput(), 0, 1, 2, 3);
        ranks[0].transport.close();
        ranks[3].transport.leave();
        until(() -> !ranks[3].transport.hasOutput(), 1, 2, 3);
        assertEquals("1", after(3));
        ranks[3].transport.close();
        send(1, 2);
        until(() -> haveAll(1, 2, 1), 1, 2);
    }

    /**
     * @param hasPromised whether the one that cannot run a driver was to be next
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldPassOverOneThatCannotRunADriver(boolean hasPromised) throws IOException {
        open(0, 1, 2, 3);
        connect(2, 3);
        until(() -> file("rank-1.door") != null, 0, 1, 2, 3);
        door(1).runsNoDriver();
        if (hasPromised) {
            Files.createSymbolicLink(file("rank-1.door").resolveSibling("after-0"), Path.of("1"));
        }
        ranks[0].transport.leave();
        send(2, 3);
        // Rank 1 takes no turn.
        until(() -> door(2).used() == 2 && door(3).used() == 2, 0, 2, 3);
        assertEquals("2", after(hasPromised ? 1 : 0));
        ranks[0].transport.close();
        send(2, 3);
        until(() -> haveAll(2, 3, 2), 2, 3);
    }

    @Test
    void shouldEndWhatIsLeftWhenThereIsNoOtherDriver() {
        open(0, 1, 2, 3);
        connect(2, 3);
        until(() -> file("rank-1.door") != null, 0, 1, 2, 3);
        ranks[0].transport.leave();
        until(() -> after(0) != null, 0, 1);
        // Rank 1 takes no turn any more: nobody is told of its driver.
        ranks[2].transport.connect(1);
        until(() -> ranks[2].of(3).failure != null && ranks[3].of(2).failure != null, 0, 2, 3);
        assertEquals(ErrorCode.DRIVER_LOST, ranks[2].of(3).failure.code());
        until(() -> ranks[2].of(1).reason != null, 0, 2, 3);
        assertFalse(ranks[2].transport.isConnecting());
        assertTrue(ranks[2].transport.beforeSleep() > TimeUnit.SECONDS.toNanos(1), "nothing moves any more");
    }

    @Test
    void shouldGoOnWithoutAPeerThatDoesNotMove() {
        open(0, 1, 2, 3);
        connect(2, 3);
        connect(1, 2);
        ranks[0].transport.leave();
        // Rank 3 takes no turn for long.
        until(() -> ranks[2].of(3).failure != null, 0, 1, 2);
        assertEquals(ErrorCode.DRIVER_LOST, ranks[2].of(3).failure.code());
        assertTrue(ranks[2].of(3).failure.getMessage().contains("rank 3 does not come"), ranks[2].toString());
        until(() -> door(2).used() == 1 && door(1).used() == 1, 0, 1, 2);
        send(1, 2);
        until(() -> haveAll(1, 2, 1), 0, 1, 2);
        until(() -> ranks[3].of(2).failure != null, 0, 1, 2, 3);
    }

    @Test
    void shouldGiveUpAPeerThatDiedAmidTheHandshake() throws Exception {
        open(0);
        other = MemoryRank.start(directory, SIZE, 1);
        until(() -> file("rank-1.door") != null && file("rank-0.door") != null, 0);
        ranks[0].transport.connect(1);
        until(() -> isAnnounced(0, 1, 0), 0);
        // It has made its stream, and says OPEN; to CONFIRM it must have heard this rank.
        until(() -> hasStream());
        TimeUnit.MILLISECONDS.sleep(SETTLE_MS);
        other.destroyForcibly().waitFor();
        until(() -> ranks[0].of(1).reason != null, 0);
        assertEquals("rank 1 died", ranks[0].of(1).reason);
        assertFalse(ranks[0].transport.isConnecting() || ranks[0].transport.reaches(1));
        assertNotNull(file("rank-0.driver"));
    }

    private boolean hasStream() {
        try (Stream<Path> all = Files.list(file("rank-0.driver").resolve("publications"))) {
            return !all.toList().isEmpty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void shouldHaveOneSuccessorOnly() throws Exception {
        SharedDirectory shared = SharedDirectory.open(directory);
        try (GroupDirectory zero = shared.enter("a", 0);
                GroupDirectory one = shared.enter("a", 1);
                GroupDirectory two = shared.enter("a", 2)) {
            assertEquals(GroupDirectory.NOBODY, zero.after(0));
            List<Boolean> won = Stream.of(one, two)
                    .parallel()
                    .map(rank -> {
                        try {
                            return rank.follow(0);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    })
                    .toList();
            assertEquals(1, won.stream().filter(Boolean::booleanValue).count());
            assertEquals(won.get(0) ? 1 : 2, zero.after(0));
            assertEquals(GroupDirectory.NOBODY, zero.after(1));
            assertTrue(zero.bytes() >= 0, "links to nothing do no harm");
        }
        assertEquals(List.of(), SharedMemoryFolder.leftIn(directory));
    }
}
