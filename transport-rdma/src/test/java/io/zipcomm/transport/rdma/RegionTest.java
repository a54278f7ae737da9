package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Region;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.transport.rdma.ffi.Native;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** One-sided operations, over libfabric's providers in software, and in the guest over verbs. */
final class RegionTest {

    private static final int BYTES = 1000;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private RegionGroup group;

    @BeforeEach
    void open() {
        group = new RegionGroup();
    }

    @AfterEach
    void close() {
        if (group != null) {
            group.close();
        }
    }

    static Stream<Arguments> groups() {
        return Native.providers().flatMap(provider -> Stream.of(1, 2, 3, 4).map(size -> Arguments.of(provider, size)));
    }

    @ParameterizedTest
    @MethodSource("groups")
    @Tag("once")
    void shouldPutAndGetToAndFromEveryRank(String provider, int size) {
        group.run(size, provider, world -> {
            int rank = world.rank();
            ByteBuffer memory = RegionGroup.filled(size * BYTES, 0);
            try (Region region = world.expose(memory)) {
                ByteBuffer mine = RegionGroup.filled(BYTES, 1 + rank);
                for (int target = 0; target < size; target++) {
                    region.put(target, (long) rank * BYTES, mine);
                }
                region.fence();
                for (int at = 0; at < size * BYTES; at++) {
                    assertEquals(1 + at / BYTES, memory.get(at), "byte " + at);
                }
                ByteBuffer theirs = ByteBuffer.allocateDirect(size * BYTES);
                for (int target = 0; target < size; target++) {
                    region.get(target, (long) rank * BYTES, theirs.slice(target * BYTES, BYTES));
                }
                region.flush();
                for (int at = 0; at < size * BYTES; at++) {
                    assertEquals(1 + rank, theirs.get(at), "byte " + at);
                }
            }
        });
    }

    /** Native code does not ask whether memory is still there, so the call does. */
    @Test
    void shouldRefuseMemoryOfAClosedArena() {
        assumeTrue(Runtime.version().feature() >= 22, "arenas are final from Java 22 on");
        group.run(2, Native.SHM, world -> {
            ByteBuffer closed = ofClosedArena(64);
            try (Region region = world.expose(RegionGroup.filled(64, 0))) {
                int peer = 1 - world.rank();
                assertRefused(() -> region.put(peer, 0, closed));
                assertRefused(() -> region.get(peer, 0, closed));
                assertRefused(() -> world.send(peer, 1, closed));
                region.put(peer, 0, RegionGroup.filled(64, 1));
                region.fence();
            }
            assertRefused(() -> world.expose(closed));
        });
    }

    private static void assertRefused(Executable call) {
        ZipException refusal = assertThrows(ZipException.class, call);
        assertEquals(ErrorCode.BAD_ARGUMENT, refusal.code(), refusal.getMessage());
    }

    /** The classes are not there in Java 17. */
    private static ByteBuffer ofClosedArena(long bytes) throws ReflectiveOperationException {
        Class<?> type = Class.forName("java.lang.foreign.Arena");
        Object arena = type.getMethod("ofShared").invoke(null);
        Object segment = type.getMethod("allocate", long.class).invoke(arena, bytes);
        ByteBuffer buffer = (ByteBuffer) Class.forName("java.lang.foreign.MemorySegment")
                .getMethod("asByteBuffer")
                .invoke(segment);
        type.getMethod("close").invoke(arena);
        return buffer;
    }

    /** Sizes differ, some are none, and what is exposed is a part of a buffer, as what is put. */
    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    void shouldExposeWhatIsBetweenPositionAndLimit(String provider) {
        group.run(3, provider, world -> {
            int rank = world.rank();
            ByteBuffer memory = RegionGroup.filled(100, 7).position(10).limit(10 + 20 * rank);
            try (Region region = world.expose(memory)) {
                assertEquals(0, region.bytes(0));
                assertEquals(20, region.bytes(1));
                assertEquals(40, region.bytes(2));
                assertTrue(memory.position() == 10 && memory.limit() == 10 + 20 * rank);
                if (rank == 0) {
                    ByteBuffer source = RegionGroup.filled(9, 3).position(2).limit(5);
                    region.put(2, 37, source);
                    region.put(1, 0, source);
                    region.put(0, 0, source.duplicate().limit(2));
                    assertTrue(source.position() == 2 && source.limit() == 5);
                }
                region.fence();
            }
            byte[] expected = new byte[100];
            Arrays.fill(expected, (byte) 7);
            if (rank > 0) {
                Arrays.fill(expected, rank == 1 ? 10 : 47, rank == 1 ? 13 : 50, (byte) 3);
            }
            byte[] found = new byte[100];
            memory.clear().get(0, found);
            assertTrue(Arrays.equals(expected, found), () -> "rank " + rank + ": " + Arrays.toString(found));
        });
    }

    /** More at once than there is room for, in many parts and in one long one. */
    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    @Tag("once")
    void shouldWaitForRoomWhereTooMuchIsUnderWay(String provider) {
        int many = 5 * RdmaMemory.OPERATIONS_MAX;
        int bytes = (RdmaMemory.OPERATIONS_MAX + 20) << 20;
        group.run(2, provider, world -> {
            ByteBuffer memory = ByteBuffer.allocateDirect(world.rank() == 1 ? bytes : 0);
            try (Region region = world.expose(memory)) {
                if (world.rank() == 0) {
                    ByteBuffer source = ByteBuffer.allocateDirect(bytes);
                    for (int at = 0; at < bytes; at += Long.BYTES) {
                        source.putLong(at, at * 31L);
                    }
                    region.put(1, 0, source);
                    region.flush(1);
                    ByteBuffer word = ByteBuffer.allocateDirect(many * Long.BYTES);
                    for (int i = 0; i < many; i++) {
                        word.putLong(i * Long.BYTES, ~i);
                        region.put(1, (long) i * Long.BYTES, word.slice(i * Long.BYTES, Long.BYTES));
                    }
                    region.flush();
                    ByteBuffer back = ByteBuffer.allocateDirect(bytes);
                    region.get(1, 0, back);
                    region.flush(1);
                    assertWords(back, many, bytes);
                }
                region.fence();
                if (world.rank() == 1) {
                    assertWords(memory, many, bytes);
                }
            }
        });
    }

    private static void assertWords(ByteBuffer memory, int many, int bytes) {
        for (int i = 0; i < bytes / Long.BYTES; i++) {
            long expected = i < many ? ~(long) i : i * 8L * 31L;
            if (memory.getLong(i * Long.BYTES) != expected) {
                assertEquals(expected, memory.getLong(i * Long.BYTES), "word " + i);
            }
        }
    }

    /** A flush at its origin, and a message: then the target may read. */
    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    void shouldShowTheTargetWhatWasFlushedBeforeAMessage(String provider) {
        group.run(2, provider, world -> {
            ByteBuffer memory = RegionGroup.filled(1 << 20, 0);
            try (Region region = world.expose(memory)) {
                for (int round = 1; round < 50; round++) {
                    if (world.rank() == 0) {
                        region.put(1, 0, RegionGroup.filled(round * 1000, round));
                        region.flush(1);
                        world.send(1, round, new byte[1]);
                        world.receive(1, round, new byte[1]);
                    } else {
                        world.receive(0, round, new byte[1]);
                        assertFilled(round, memory, 0, round * 1000);
                        world.send(0, round, new byte[1]);
                    }
                }
            }
        });
    }

    private static void assertFilled(int value, ByteBuffer memory, int from, int to) {
        for (int at = from; at < to; at++) {
            if (memory.get(at) != value) {
                assertEquals(value, memory.get(at), "byte " + at);
            }
        }
    }

    // ---- random programs

    @ParameterizedTest
    @MethodSource("groups")
    @Tag("once")
    void shouldMatchAModel(String provider, int size) {
        seeds.each(3, seed -> matchAModel(provider, size, seed));
    }

    /**
     * Rounds of operations of all ranks, that never touch the same byte of the same target unless both read. All ranks draw the same
     * program, and know what must come of it.
     */
    private void matchAModel(String provider, int size, long seed) {
        group.run(size, provider, world -> {
            RandomGenerator random = Seeds.random(seed);
            int rank = world.rank();
            byte[][] model = new byte[size][];
            for (int one = 0; one < size; one++) {
                model[one] = new byte[1 + random.nextInt(random.nextBoolean() ? 300 : 3_000_000)];
                random.nextBytes(model[one]);
            }
            ByteBuffer memory = ByteBuffer.allocateDirect(model[rank].length);
            memory.put(0, model[rank]);
            try (Region region = world.expose(memory)) {
                for (int round = 0; round < 12; round++) {
                    round(region, rank, model, random);
                    byte[] found = new byte[memory.capacity()];
                    memory.get(0, found);
                    assertEquals(
                            -1, Arrays.mismatch(model[rank], found), "memory of rank " + rank + ", round " + round);
                    // Nobody writes before all have looked.
                    region.fence();
                }
            }
        });
    }

    private static void round(Region region, int rank, byte[][] model, RandomGenerator random) {
        byte[][] before = Stream.of(model).map(byte[]::clone).toArray(byte[][]::new);
        boolean reads = random.nextInt(3) == 0;
        ByteBuffer[] got = new ByteBuffer[model.length];
        int[] from = new int[model.length];
        for (int target = 0; target < model.length; target++) {
            int at = 0;
            for (int origin = 0; origin < model.length; origin++) {
                int offset = at + random.nextInt(1 + (model[target].length - at) / 2);
                int bytes = random.nextInt(1 + model[target].length - offset);
                at = offset + bytes;
                byte[] content = new byte[bytes];
                random.nextBytes(content);
                boolean flushes = random.nextBoolean();
                if (!reads) {
                    System.arraycopy(content, 0, model[target], offset, bytes);
                }
                if (origin == rank && reads) {
                    from[target] = offset;
                    got[target] = ByteBuffer.allocateDirect(bytes);
                    region.get(target, offset, got[target]);
                } else if (origin == rank) {
                    region.put(target, offset, ByteBuffer.allocateDirect(bytes).put(0, content));
                }
                if (origin == rank && flushes) {
                    region.flush(target);
                }
            }
        }
        region.fence();
        for (int target = 0; target < model.length && reads; target++) {
            byte[] found = new byte[got[target].capacity()];
            got[target].get(0, found);
            int first = from[target];
            assertEquals(
                    -1,
                    Arrays.mismatch(before[target], first, first + found.length, found, 0, found.length),
                    "what was read of rank " + target);
        }
    }

    // ---- wrong arguments

    @Test
    void shouldRefuseWrongArgumentsBeforeAnythingBegins() {
        group.run(2, Native.SHM, world -> {
            ByteBuffer memory = RegionGroup.filled(100 + 100 * world.rank(), 0);
            try (Region region = world.expose(memory)) {
                int peer = 1 - world.rank();
                long bytes = region.bytes(peer);
                ByteBuffer ten = RegionGroup.filled(10, 1);
                refused("rank 2: expected 0 to 1", () -> region.put(2, 0, ten));
                refused("rank -1: expected 0 to 1", () -> region.get(-1, 0, ten));
                refused("rank 2: expected 0 to 1", () -> region.flush(2));
                refused("rank 2: expected 0 to 1", () -> region.bytes(2));
                refused("no buffer", () -> region.put(peer, 0, null));
                refused("the buffer is not direct", () -> region.put(peer, 0, ByteBuffer.allocate(10)));
                refused("the buffer is not direct", () -> region.get(peer, 0, ByteBuffer.allocate(10)));
                refused("the buffer is read-only", () -> region.get(peer, 0, ten.asReadOnlyBuffer()));
                for (long offset : new long[] {-1, bytes - 9, bytes, bytes + 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
                    String problem =
                            "10 bytes from offset " + offset + " on: rank " + peer + " exposes " + bytes + " bytes";
                    refused(problem, () -> region.put(peer, offset, ten));
                    refused(problem, () -> region.get(peer, offset, ten));
                }
                refused("10 bytes from offset", () -> region.put(world.rank(), region.bytes(world.rank()), ten));
                refused("timeout PT0S", () -> region.withTimeout(Duration.ZERO));
                region.put(peer, bytes - 10, ten);
                region.put(peer, bytes, ten.duplicate().limit(0));
                region.put(peer, 0, ten.asReadOnlyBuffer());
                region.fence();
                for (int at = 0; at < memory.capacity(); at++) {
                    assertEquals(at < 10 || at >= memory.capacity() - 10 ? 1 : 0, memory.get(at), "byte " + at);
                }
            }
        });
    }

    private static void refused(String problem, Executable call) {
        ZipException refusal = assertThrows(ZipException.class, call);
        assertEquals(ErrorCode.BAD_ARGUMENT, refusal.code(), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(problem), refusal.getMessage());
    }

    @Test
    void shouldTellOthersOfMemoryThatCannotBeExposed() {
        group.run(2, Native.SHM, world -> {
            greet(world, 1);
            boolean isWrong = world.rank() == 1;
            ByteBuffer memory = isWrong ? ByteBuffer.allocate(10) : ByteBuffer.allocateDirect(10);
            ZipException refusal = assertThrows(ZipException.class, () -> world.expose(memory));
            assertTrue(
                    isWrong
                            ? refusal.code() == ErrorCode.BAD_ARGUMENT
                            : refusal.code() == ErrorCode.PEER_FAILED
                                    || refusal.code() == ErrorCode.COMMUNICATOR_FAILED,
                    refusal.getMessage());
            assertTrue(refusal.getMessage().contains("the buffer is not direct"), refusal.getMessage());
            // Nobody leaves before the other has been told.
            greet(world, 2);
        });
    }

    private static void greet(Communicator world, int tag) {
        ZipFuture<Void> sent = world.sendAsync(1 - world.rank(), tag, Payload.of(new byte[1]));
        world.receive(1 - world.rank(), tag, new byte[1]);
        sent.await();
    }

    /** Not emulated: the same word to all, and the communicator goes on. */
    @Test
    void shouldSayThatAPathHasNoRemoteMemory() {
        for (TransportChoice choice : new TransportChoice[] {TransportChoice.TCP, TransportChoice.RELAY}) {
            String[] reasons = new String[3];
            group.run(3, choice, Native.TCP, world -> {
                ZipException refusal =
                        assertThrows(ZipException.class, () -> world.expose(ByteBuffer.allocateDirect(10)));
                assertEquals(ErrorCode.UNREACHABLE, refusal.code());
                reasons[world.rank()] = refusal.reason();
                try (Communicator twin = world.duplicate()) {
                    assertEquals(3, twin.size());
                }
            });
            String path = choice == TransportChoice.TCP ? "tcp" : "relay";
            String expected = "rank 0 cannot reach the memory of rank 1: the path between them is " + path
                    + ", and has no remote memory access, as rdma has";
            assertEquals(Arrays.asList(expected, expected, expected), Arrays.asList(reasons));
        }
    }

    /** Links begin at the relay, and move. */
    @Test
    void shouldWaitForPathsThatAreBeingOpened() {
        group.run(3, TransportChoice.AUTO, Native.TCP, world -> {
            ByteBuffer memory = RegionGroup.filled(3, 0);
            try (Region region = world.expose(memory)) {
                for (int target = 0; target < 3; target++) {
                    region.put(target, world.rank(), RegionGroup.filled(1, 1 + world.rank()));
                }
                region.fence();
                assertTrue(memory.get(0) == 1 && memory.get(1) == 2 && memory.get(2) == 3);
            }
        });
    }

    @Test
    void shouldFindOutThatMembersFenceDifferentRegions() {
        group.run(2, Native.SHM, world -> {
            Region one = world.expose(RegionGroup.filled(8, 0));
            Region other = world.expose(RegionGroup.filled(8, 0));
            ZipException failure = assertThrows(ZipException.class, () -> (world.rank() == 0 ? one : other).fence());
            assertEquals(ErrorCode.OPERATION_MISMATCH, failure.code(), failure.getMessage());
        });
    }

    /** Each has two, in an order of its own, but the last. */
    @Test
    void shouldUseTheProviderThatAllHave() {
        group.run(
                List.of(Native.SHM + "," + Native.TCP, Native.TCP + "," + Native.SHM, Native.TCP),
                TransportChoice.RDMA,
                world -> {
                    ByteBuffer memory = RegionGroup.filled(BYTES, 0);
                    try (Region region = world.expose(memory)) {
                        int next = (world.rank() + 1) % world.size();
                        region.put(next, 0, RegionGroup.filled(BYTES, 1 + world.rank()));
                        region.fence();
                        int before = (world.rank() + world.size() - 1) % world.size();
                        assertEquals(1 + before, memory.get(0));
                        assertEquals(1 + before, memory.get(BYTES - 1));
                    }
                });
    }

    // ---- lifetimes

    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    void shouldRefuseWhatIsClosed(String provider) {
        group.run(2, provider, world -> {
            ByteBuffer memory = RegionGroup.filled(BYTES, 0);
            Region region = world.expose(memory);
            Region handle = region.withTimeout(Duration.ofSeconds(5));
            region.close();
            region.close();
            handle.close();
            ByteBuffer ten = RegionGroup.filled(10, 1);
            for (Executable call : new Executable[] {
                () -> region.put(1 - world.rank(), 0, ten),
                () -> handle.get(1 - world.rank(), 0, ten),
                () -> region.put(world.rank(), 0, ten),
                () -> region.flush(0),
                region::flush,
                handle::fence
            }) {
                ZipException refusal = assertThrows(ZipException.class, call);
                assertEquals(ErrorCode.CLOSED, refusal.code());
                assertTrue(refusal.getMessage().contains("region #1 is closed"), refusal.getMessage());
            }
            assertEquals(0, memory.get(0));
            // The communicator goes on, and so does the memory.
            try (Region again = world.expose(memory)) {
                again.put(1 - world.rank(), 0, ten);
                again.fence();
                assertEquals(1, memory.get(9));
            }
        });
    }

    /** Threads put and get, all the time, while the region is closed, on each rank at another instant. */
    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    void shouldBeClosedUnderTheHandsOfThreadsThatUseIt(String provider) {
        seeds.each(
                4,
                seed -> group.run(3, provider, world -> {
                    RandomGenerator random = Seeds.random(seed + world.rank());
                    Region region = world.expose(RegionGroup.filled(4 << 20, 0));
                    Thread[] users = new Thread[2];
                    ZipException[] ends = new ZipException[users.length];
                    for (int i = 0; i < users.length; i++) {
                        int user = i;
                        int bytes = i == 0 ? 3 << 20 : 100;
                        users[i] = new Thread(() -> ends[user] = useUntilRefused(world, region, user == 0, bytes));
                        users[i].start();
                    }
                    Thread.sleep(random.nextInt(60));
                    region.close();
                    for (int i = 0; i < users.length; i++) {
                        users[i].join();
                        assertEquals(ErrorCode.CLOSED, ends[i].code(), ends[i].getMessage());
                    }
                }));
    }

    private static ZipException useUntilRefused(Communicator world, Region region, boolean puts, int bytes) {
        ByteBuffer memory = ByteBuffer.allocateDirect(bytes);
        try {
            for (int i = 0; ; i++) {
                int target = (world.rank() + 1 + i % 2) % world.size();
                if (puts) {
                    region.put(target, 0, memory);
                } else {
                    region.get(target, i % 1000, memory);
                }
                if (i % 16 == 15) {
                    region.flush(target);
                }
            }
        } catch (ZipException e) {
            return e;
        }
    }

    /** A member does not come to the fence of another, whose platform ends it. */
    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    @Tag("once")
    void shouldTakeNoLongerThanThePlatformLeaves(String provider) {
        group.run(2, provider, world -> {
            AtomicInteger leftMs = new AtomicInteger(20_000);
            Communicator mine = world.withinRemaining(() -> Duration.ofMillis(leftMs.get()));
            // Closed with the world.
            Region region = mine.expose(RegionGroup.filled(64, 0));
            region.fence();
            if (world.rank() == 1) {
                world.receive(0, 1, new byte[1]);
                // Word of the failure goes through the relay: the message may be faster, and then rank 0 has done its
                // part of the first.
                ZipException failure = assertThrows(ZipException.class, () -> {
                    region.fence();
                    region.fence();
                });
                assertTrue(
                        Set.of(ErrorCode.PEER_FAILED, ErrorCode.COMMUNICATOR_FAILED)
                                .contains(failure.code()),
                        failure.getMessage());
                return;
            }
            ByteBuffer local = RegionGroup.filled(8, 3);
            leftMs.set(0);
            for (Executable call : List.<Executable>of(
                    () -> region.put(1, 0, local),
                    () -> region.get(1, 0, local),
                    () -> region.flush(),
                    () -> region.communicator().send(1, 1, new byte[1]))) {
                ZipException none = assertThrows(ZipException.class, call);
                assertEquals(ErrorCode.DEADLINE, none.code(), none.getMessage());
            }
            leftMs.set(500);
            ZipException late = assertThrows(ZipException.class, region::fence);
            assertEquals(ErrorCode.DEADLINE, late.code(), late.getMessage());
            assertTrue(late.operation().contains("fence"), late.getMessage());
            assertEquals(0, late.rank(), late.getMessage());
            assertTrue(late.elapsedMs() >= 500 && late.elapsedMs() < 10_000, late.getMessage());
            world.send(1, 1, new byte[1]);
        });
    }

    /** One rank closes the region while the others use it, and goes away: they are told, and nothing crashes. */
    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    @Tag("once")
    void shouldSurviveAMemberThatClosesAlone(String provider) {
        group.run(3, provider, world -> {
            Region region = world.expose(RegionGroup.filled(4 << 20, 0));
            region.fence();
            if (world.rank() == 0) {
                ZipException failure =
                        assertThrows(ZipException.class, region.withTimeout(Duration.ofMillis(300))::close);
                assertEquals(ErrorCode.DEADLINE, failure.code(), failure.getMessage());
                region.close();
                return;
            }
            ZipException end = useUntilRefused(world, region, world.rank() == 1, 1 << 20);
            assertTrue(
                    end.code() == ErrorCode.PEER_FAILED
                            || end.code() == ErrorCode.COMMUNICATOR_FAILED
                            || end.code() == ErrorCode.PEER_LEFT
                            || end.code() == ErrorCode.PEER_LOST,
                    end.getMessage());
            region.close();
            assertEquals(
                    ErrorCode.CLOSED,
                    assertThrows(ZipException.class, region::fence).code());
        });
    }

    /** Nobody but the region has the memory, and the collector takes what is nobody's. */
    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    void shouldKeepItsMemoryFromTheCollector(String provider) {
        group.run(2, provider, world -> {
            try (Region region = world.expose(RegionGroup.filled(1 << 20, 1 + world.rank()))) {
                int peer = 1 - world.rank();
                for (int round = 0; round < 20; round++) {
                    // Sources and destinations are nobody's either once the call has returned.
                    region.put(peer, 0, RegionGroup.filled(1 << 19, 10 + round));
                    region.get(peer, 1 << 19, ByteBuffer.allocateDirect(1 << 19));
                    System.gc();
                    ByteBuffer[] others = new ByteBuffer[16];
                    for (int i = 0; i < others.length; i++) {
                        others[i] = RegionGroup.filled(1 << 16, -1);
                    }
                    region.fence();
                    ByteBuffer back = ByteBuffer.allocateDirect(1 << 20);
                    region.get(peer, 0, back);
                    region.flush();
                    assertFilled(10 + round, back, 0, 1 << 19);
                    assertFilled(1 + peer, back, 1 << 19, 1 << 20);
                    region.fence();
                    assertEquals(-1, others[3].get(0));
                }
            }
        });
    }

    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    void shouldBeClosedWithItsCommunicator(String provider) {
        group.run(3, provider, world -> {
            Communicator twin = world.duplicate();
            Region region = twin.expose(RegionGroup.filled(BYTES, 0));
            region.fence();
            twin.close();
            assertFalse(twin == world);
            for (Executable call : new Executable[] {
                () -> region.put((world.rank() + 1) % 3, 0, RegionGroup.filled(1, 1)),
                () -> region.put(world.rank(), 0, RegionGroup.filled(1, 1)),
                region::flush,
                region::fence
            }) {
                assertEquals(
                        ErrorCode.CLOSED, assertThrows(ZipException.class, call).code());
            }
            region.close();
            assertEquals(
                    ErrorCode.CLOSED,
                    assertThrows(ZipException.class, () -> twin.expose(ByteBuffer.allocateDirect(1)))
                            .code());
            try (Region other = world.expose(RegionGroup.filled(BYTES, 0))) {
                other.put((world.rank() + 1) % 3, 0, RegionGroup.filled(1, 1));
                other.fence();
            }
        });
    }

    /** A thousand regions, one after the other, leave nothing. */
    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    @Tag("once")
    void shouldGiveBackWhatItRegistered(String provider) {
        group.run(2, provider, world -> {
            ByteBuffer source = RegionGroup.filled(100, 1);
            // More than an endpoint has registrations for.
            for (int round = 0; round < 1000; round++) {
                ByteBuffer memory = RegionGroup.filled(100, 0);
                try (Region region = world.expose(memory)) {
                    region.put(1 - world.rank(), 0, source);
                }
                assertEquals(1, memory.get(99));
            }
        });
    }
}
