package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.RemoteMemory;
import io.zipcomm.transport.RemoteMemory.Reach;
import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.transport.rdma.ffi.Native;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory of peers below the communicator, where nobody agrees with anybody on when it is used. */
final class RdmaMemoryTest {

    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);
    private static final int BYTES = 64 << 10;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private List<RdmaRank> ranks = List.of();

    @AfterEach
    void close() {
        ranks.forEach(RdmaRank::close);
    }

    /** Keeps what it is told. */
    private static final class Ends implements RemoteMemory.Ending {
        final List<String> failures = new ArrayList<>();
        int count;

        @Override
        public void ended(String failure) {
            count++;
            if (failure != null) {
                failures.add(failure);
            }
        }
    }

    /** Nobody sends anything. */
    private static final class Silence implements FrameHandler {
        @Override
        public boolean nextFrame(Path path, ByteBuffer header, int at, OutboundFrame out) {
            return false;
        }

        @Override
        public void payloadTaken(OutboundFrame out) {}

        @Override
        public void headerReceived(Path path, ByteBuffer header, int at, InboundFrame in) {
            throw new AssertionError("a frame");
        }

        @Override
        public void frameReceived(Path path, InboundFrame in) {}

        @Override
        public void ended(Path path, ZipException failure) {}
    }

    private void until(BooleanSupplier done, String what) {
        long limitNs = System.nanoTime() + PATIENCE_NS;
        while (!done.getAsBoolean()) {
            ranks.forEach(RdmaRank::turn);
            assertTrue(System.nanoTime() < limitNs, () -> what + ": " + ranks);
        }
    }

    private void open(String provider) {
        open(RdmaRank.group(provider, provider));
    }

    private void open(List<RdmaRank> group) {
        ranks = group;
        assertEquals(Reach.LATER, memory(0).reach(1));
        ranks.get(0).transport.connect(1);
        until(() -> ranks.stream().allMatch(rank -> rank.opened.size() == 1), "a path");
        for (RdmaRank rank : ranks) {
            Path path = rank.opened.values().iterator().next();
            path.bind(new Silence());
            path.openInput();
        }
        assertEquals(Reach.NOW, memory(0).reach(1));
        assertEquals(Reach.NEVER, memory(0).reach(0));
    }

    private RdmaMemory memory(int rank) {
        return ranks.get(rank).transport.remoteMemory();
    }

    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    void shouldWriteAndReadAndTellOfTheEnd(String provider) {
        open(provider);
        ByteBuffer target = RegionGroup.filled(BYTES, 0);
        RemoteMemory.Exposure exposure = memory(1).expose(target);
        Ends ends = new Ends();
        ByteBuffer source = RegionGroup.filled(BYTES, 9);
        assertTrue(memory(0).put(1, exposure.address() + 8, exposure.key(), source, 16, 100, ends));
        assertEquals(0, ends.count, "an end is told in a later turn");
        until(() -> ends.count == 1, "the end of a put");
        assertEquals(0, target.get(7));
        assertEquals(9, target.get(8));
        assertEquals(9, target.get(107));
        assertEquals(0, target.get(108));
        ByteBuffer back = RegionGroup.filled(BYTES, 0);
        assertTrue(memory(0).get(1, exposure.address(), exposure.key(), back, 1, BYTES - 1, ends));
        until(() -> ends.count == 2, "the end of a get");
        assertEquals(9, back.get(9));
        assertEquals(List.of(), ends.failures);
        exposure.withdraw();
        exposure.withdraw();
        assertEquals(0, memory(0).underWay());
    }

    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    void shouldBeginNoMoreThanThereIsRoomFor(String provider) {
        open(provider);
        RemoteMemory.Exposure exposure = memory(1).expose(RegionGroup.filled(BYTES, 0));
        ByteBuffer source = RegionGroup.filled(8, 9);
        Ends ends = new Ends();
        int begun = 0;
        while (begun <= RdmaMemory.OPERATIONS_MAX
                && memory(0).put(1, exposure.address(), exposure.key(), source, 0, 8, ends)) {
            begun++;
        }
        int all = begun;
        assertTrue(all > 0 && all <= RdmaMemory.OPERATIONS_MAX, all + " at once");
        until(() -> ends.count == all, "all ends");
        assertEquals(List.of(), ends.failures);
        assertTrue(memory(0).put(1, exposure.address(), exposure.key(), source, 0, 8, ends));
        until(() -> ends.count == all + 1, "one more");
    }

    /** Where memory must be registered, all that may be is in use: that is no failure, and over when something is given back. */
    @Test
    void shouldWaitForRoomToRegister() {
        FaultyFabric needy = new FaultyFabric(Native.library());
        needy.needRegistrations();
        open(RdmaRank.group(needy.fabric(), Native.TCP, 2));
        RemoteMemory.Exposure exposure = memory(1).expose(RegionGroup.filled(BYTES, 0));
        RegistrationCache cache = ranks.get(0).transport.endpoint().cache();
        List<Registration> inUse = new ArrayList<>();
        while (inUse.size() < RegistrationCache.ENTRIES_MAX) {
            inUse.add(cache.take(RegionGroup.filled(8, 0), Fabric.READ, System.nanoTime()));
        }
        Ends ends = new Ends();
        ByteBuffer source = RegionGroup.filled(8, 9);
        assertFalse(memory(0).put(1, exposure.address(), exposure.key(), source, 0, 8, ends));
        assertTrue(ranks.get(0).transport.endpoint().isStalled(), "nothing but time brings it about");
        cache.give(inUse.get(0));
        assertTrue(memory(0).put(1, exposure.address(), exposure.key(), source, 0, 8, ends));
        until(() -> ends.count == 1, "the end of a put");
        assertEquals(List.of(), ends.failures);
    }

    /** Who writes to what was withdrawn is told in libfabric's words, and its path is over. */
    @Test
    void shouldFailToReachMemoryThatWasWithdrawn() {
        open(Native.TCP);
        ByteBuffer target = RegionGroup.filled(BYTES, 0);
        RemoteMemory.Exposure exposure = memory(1).expose(target);
        exposure.withdraw();
        Ends ends = new Ends();
        assertTrue(memory(0).put(1, exposure.address(), exposure.key(), RegionGroup.filled(8, 9), 0, 8, ends));
        until(() -> ends.count == 1, "the end of a put");
        assertEquals(1, ends.failures.size());
        String failure = ends.failures.get(0);
        assertTrue(failure.startsWith("an operation with memory of rank 1 failed: "), failure);
        assertTrue(failure.contains("(-107)") || failure.contains("(-125)"), failure);
        assertEquals(0, target.get(0));
    }

    /**
     * Whoever waits is told when the path ends, and the memory stays reachable until the provider is through with it. Not over verbs, which
     * is through with it before.
     */
    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldTellThoseWhoWaitThatThePathHasEnded(String provider) {
        open(provider);
        RemoteMemory.Exposure exposure = memory(1).expose(RegionGroup.filled(BYTES, 0));
        Ends ends = new Ends();
        WeakReference<ByteBuffer> source = putNobodys(exposure, ends);
        // The peer has no turn: over tcp and for puts in shared memory nothing can end.
        ranks.get(0).transport.poll();
        assertEquals(0, ends.count);
        System.gc();
        assertNotNull(source.get(), "memory of an operation under way was collected");
        ranks.get(0).opened.get(1).close();
        assertThrows(
                ZipException.class,
                () -> memory(0).get(1, exposure.address(), exposure.key(), RegionGroup.filled(8, 0), 0, 8, ends));
        assertEquals(Reach.NEVER, memory(0).reach(1));
        long limitNs = System.nanoTime() + PATIENCE_NS;
        while (ends.count == 0 && System.nanoTime() < limitNs) {
            ranks.get(0).turn();
        }
        assertEquals(List.of("the path to rank 1 over RDMA ended amid an operation with its memory"), ends.failures);
        assertEquals(1, memory(0).underWay());
        System.gc();
        assertNotNull(source.get(), "memory was collected that the provider may still read");
        until(() -> memory(0).underWay() == 0, "word of the provider");
        assertEquals(1, ends.count, "an end is told once");
        until(() -> isCollected(source), "the collector");
        assertNull(source.get());
    }

    private WeakReference<ByteBuffer> putNobodys(RemoteMemory.Exposure exposure, Ends ends) {
        ByteBuffer source = RegionGroup.filled(BYTES, 9);
        assertTrue(memory(0).put(1, exposure.address(), exposure.key(), source, 0, BYTES, ends));
        return new WeakReference<>(source);
    }

    private static boolean isCollected(WeakReference<ByteBuffer> memory) {
        System.gc();
        return memory.get() == null;
    }

    /** Until it is withdrawn, or for good where peers might write to it for ever. */
    @ParameterizedTest
    @MethodSource("io.zipcomm.transport.rdma.ffi.Native#providers")
    void shouldKeepExposedMemoryReachable(String provider) {
        open(provider);
        ByteBuffer memory = RegionGroup.filled(BYTES, 0);
        WeakReference<ByteBuffer> withdrawn = new WeakReference<>(memory);
        RemoteMemory.Exposure first = memory(1).expose(memory);
        memory = RegionGroup.filled(BYTES, 0);
        WeakReference<ByteBuffer> givenUp = new WeakReference<>(memory);
        RemoteMemory.Exposure second = memory(1).expose(memory);
        memory = null;
        System.gc();
        assertNotNull(withdrawn.get());
        assertNotNull(givenUp.get());
        first.withdraw();
        second.giveUp();
        first = null;
        second = null;
        until(() -> isCollected(withdrawn), "the collector");
        assertFalse(isCollected(givenUp));
        ranks.get(1).transport.close();
        if (provider.equals(Native.SHM)) {
            assertFalse(isCollected(givenUp));
        } else {
            long limitNs = System.nanoTime() + PATIENCE_NS;
            while (!isCollected(givenUp)) {
                assertTrue(System.nanoTime() < limitNs, "the collector");
            }
        }
    }

    @Test
    void shouldExposeNothingOnceItIsClosed() {
        open(Native.SHM);
        RdmaMemory closed = memory(0);
        RemoteMemory.Exposure exposure = closed.expose(RegionGroup.filled(8, 0));
        ranks.get(0).transport.close();
        ZipException refusal = assertThrows(ZipException.class, () -> closed.expose(RegionGroup.filled(8, 0)));
        assertEquals(ErrorCode.CLOSED, refusal.code());
        exposure.withdraw();
        Ends ends = new Ends();
        ZipException lost =
                assertThrows(ZipException.class, () -> closed.put(1, 0, 0, RegionGroup.filled(8, 0), 0, 8, ends));
        assertSame(ErrorCode.PEER_LOST, lost.code());
    }
}
