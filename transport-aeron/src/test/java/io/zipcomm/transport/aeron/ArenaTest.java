package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.OneToOneConcurrentArrayQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class ArenaTest {

    private static final int SLOT_BYTES = 4096;
    private static final int SLOTS = 4;
    private static final int READERS = 3;

    /** There are more threads than cores. */
    private static final long LOOK_NS = 1000;

    private static final long PATIENCE_NS = 30_000_000_000L;

    @TempDir
    private Path directory;

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    private Path file() {
        return directory.resolve("arena");
    }

    private Arena arena() throws IOException {
        Arena arena = Arena.create(file(), SLOT_BYTES, SLOTS, READERS);
        open.add(arena);
        return arena;
    }

    private ArenaView view(int reader) throws IOException {
        ArenaView view = ArenaView.open(file(), reader);
        open.add(view);
        return view;
    }

    @Test
    void shouldShowReadersWhatItsOwnerWrote() throws IOException {
        Arena arena = arena();
        ArenaView view = view(1);
        assertEquals(SLOT_BYTES, view.slotBytes());
        assertEquals(SLOTS, view.slots());
        for (int i = 0; i < SLOTS; i++) {
            int slot = arena.take();
            arena.memory().bytes().putLong(arena.at(slot) + SLOT_BYTES - Long.BYTES, 7_000_000_000L + slot);
            assertEquals(7_000_000_000L + slot, view.memory().bytes().getLong(view.at(slot) + SLOT_BYTES - Long.BYTES));
        }
    }

    @Test
    void shouldGiveASlotAgainWhenEverybodyHasGivenItBack() throws IOException {
        Arena arena = arena();
        ArenaView one = view(0);
        ArenaView other = view(2);
        int shared = arena.take();
        arena.lend(shared, 0);
        arena.lend(shared, 2);
        arena.release(shared);
        for (int i = 1; i < SLOTS; i++) {
            arena.take();
        }
        assertEquals(Arena.NONE, arena.take());
        one.giveBack();
        assertEquals(Arena.NONE, arena.take(), "the other reader has it still");
        other.giveBack();
        assertEquals(shared, arena.take());
    }

    @Test
    void shouldKeepASlotThatItsOwnerIsStillLending() throws IOException {
        Arena arena = arena();
        ArenaView view = view(0);
        int slot = arena.take();
        arena.lend(slot, 0);
        view.giveBack();
        assertEquals(0, arena.collect(0));
        assertEquals(SLOTS - 1, arena.freeSlots());
        arena.lend(slot, 1);
        arena.release(slot);
        assertEquals(1, arena.lentTo(1));
        assertEquals(SLOTS - 1, arena.freeSlots());
    }

    @Test
    void shouldLetAReaderThatStopsHoldNothingButWhatItHas() throws IOException {
        Arena arena = arena();
        ArenaView moves = view(0);
        int held = arena.take();
        arena.lend(held, 1);
        arena.release(held);
        for (int i = 0; i < 10 * SLOTS; i++) {
            int slot = arena.take();
            arena.lend(slot, 0);
            arena.release(slot);
            moves.giveBack();
        }
        assertEquals(1, arena.collect(1));
        assertEquals(SLOTS - 1, arena.freeSlots());
    }

    @Test
    void shouldNotUseAgainWhatALostReaderHas() throws IOException {
        Arena arena = arena();
        ArenaView view = view(1);
        int slot = arena.take();
        arena.lend(slot, 1);
        arena.release(slot);
        arena.lose(1);
        // It lives after all, and says so too late.
        view.giveBack();
        assertEquals(SLOTS - 1, arena.freeSlots());
    }

    @Test
    void shouldRefuseWhatAReaderNeverHad() throws IOException {
        Arena arena = arena();
        ArenaView view = view(2);
        int slot = arena.take();
        arena.lend(slot, 2);
        view.giveBack();
        view.giveBack();
        ZipException refusal = assertThrows(ZipException.class, () -> arena.collect(2));
        assertEquals(ErrorCode.PROTOCOL, refusal.code());
        assertTrue(refusal.getMessage().contains("has given back 2 slots of 1"), refusal.getMessage());
        // What it lied about it keeps; the others go on.
        arena.lose(2);
        assertEquals(SLOTS - 1, arena.freeSlots());
        assertThrows(IllegalStateException.class, () -> arena.lend(arena.take(), 2));
    }

    @Test
    void shouldRefuseToLendWhatIsFree() throws IOException {
        Arena arena = arena();
        int slot = arena.take();
        arena.release(slot);
        assertThrows(IllegalStateException.class, () -> arena.lend(slot, 0));
    }

    /** In a file system of 64 KiB, for which it takes root. */
    @Test
    void shouldFindMissingMemoryWhenItIsMade() throws Exception {
        Path small = Files.createDirectory(directory.resolve("small"));
        assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small.toString()) == 0,
                "a small file system cannot be mounted here");
        try {
            Path file = small.resolve("arena");
            IOException refusal = assertThrows(IOException.class, () -> Arena.create(file, SLOT_BYTES, 32, READERS));
            assertTrue(refusal.getMessage().contains("No space left"), refusal.getMessage());
            assertFalse(Files.exists(file));
            Arena.create(file, SLOT_BYTES, 8, READERS).close();
        } finally {
            assertEquals(0, run("umount", small.toString()));
        }
    }

    private static int run(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    @Test
    void shouldRefuseWhatCannotBe() throws IOException {
        assertThrows(IllegalArgumentException.class, () -> Arena.create(file(), SLOT_BYTES + 4, SLOTS, READERS));
        assertThrows(IllegalArgumentException.class, () -> Arena.create(file(), SLOT_BYTES, 0, READERS));
        assertThrows(IllegalArgumentException.class, () -> Arena.create(file(), SLOT_BYTES, SLOTS, 0));
        assertThrows(IllegalArgumentException.class, () -> Arena.create(file(), SLOT_BYTES, 1 << 19, READERS));
        assertFalse(Files.exists(file()));
        Files.createFile(file());
        assertThrows(FileAlreadyExistsException.class, () -> Arena.create(file(), SLOT_BYTES, SLOTS, READERS));
        assertTrue(Files.exists(file()), "it is somebody else's");
    }

    @Test
    void shouldRefuseFilesThatAreNoArena() throws IOException {
        Files.write(file(), new byte[100]);
        assertThrows(IOException.class, () -> ArenaView.open(file(), 0));
        Files.write(file(), new byte[10_000]);
        assertThrows(IOException.class, () -> ArenaView.open(file(), 0));
        Files.delete(file());
        arena();
        assertThrows(IOException.class, () -> ArenaView.open(file(), READERS));
        Files.write(file(), new byte[8], StandardOpenOption.APPEND);
        IOException cut = assertThrows(IOException.class, () -> ArenaView.open(file(), 0));
        assertTrue(cut.getMessage().contains("is said to have 4 slots"), cut.getMessage());
    }

    /** The queue stands for what tells a reader of a slot. */
    @Test
    void shouldNeverShowASlotThatIsBeingWritten() throws Exception {
        int messages = 20_000;
        long endNs = System.nanoTime() + PATIENCE_NS;
        Arena arena = arena();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<OneToOneConcurrentArrayQueue<Integer>> told = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int reader = 0; reader < READERS; reader++) {
            OneToOneConcurrentArrayQueue<Integer> queue = new OneToOneConcurrentArrayQueue<>(SLOTS);
            ArenaView view = view(reader);
            told.add(queue);
            Thread thread = new Thread(() -> read(view, queue, messages, endNs, failure));
            thread.start();
            threads.add(thread);
        }
        for (int number = 0; number < messages && failure.get() == null; number++) {
            int slot = arena.take();
            while (slot == Arena.NONE && failure.get() == null) {
                pause(endNs);
                slot = arena.take();
            }
            ByteBuffer memory = arena.memory().bytes();
            for (int at = 0; at < SLOT_BYTES; at += 512) {
                memory.putInt(arena.at(slot) + at, number);
            }
            for (int reader = 0; reader < READERS; reader++) {
                arena.lend(slot, reader);
                while (!told.get(reader).offer(slot) && failure.get() == null) {
                    pause(endNs);
                }
            }
            arena.release(slot);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertNull(failure.get());
        assertEquals(SLOTS, arena.freeSlots());
    }

    private static void pause(long endNs) {
        assertTrue(System.nanoTime() - endNs < 0, "in time");
        LockSupport.parkNanos(LOOK_NS);
    }

    private static void read(
            ArenaView view,
            OneToOneConcurrentArrayQueue<Integer> told,
            int messages,
            long endNs,
            AtomicReference<Throwable> failure) {
        try {
            for (int number = 0; number < messages && failure.get() == null; number++) {
                Integer slot = told.poll();
                while (slot == null && failure.get() == null) {
                    pause(endNs);
                    slot = told.poll();
                }
                if (slot == null) {
                    return;
                }
                for (int at = 0; at < SLOT_BYTES; at += 512) {
                    assertEquals(number, view.memory().bytes().getInt(view.at(slot) + at));
                }
                view.giveBack();
            }
        } catch (RuntimeException | Error e) {
            failure.set(e);
        }
    }
}
