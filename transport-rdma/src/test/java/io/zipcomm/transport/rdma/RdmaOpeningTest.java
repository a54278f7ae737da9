package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.Handshake;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.transport.rdma.ffi.Addresses;
import io.zipcomm.transport.rdma.ffi.Completions;
import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.transport.rdma.ffi.FabricError;
import io.zipcomm.transport.rdma.ffi.FabricOptions;
import io.zipcomm.transport.rdma.ffi.Native;
import io.zipcomm.transport.rdma.ffi.Operation;
import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How paths open, or do not. */
final class RdmaOpeningTest {

    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private List<RdmaRank> ranks = List.of();

    @AfterEach
    void close() {
        ranks.forEach(RdmaRank::close);
    }

    private void until(BooleanSupplier done, String what) {
        long limitNs = System.nanoTime() + PATIENCE_NS;
        while (!done.getAsBoolean()) {
            ranks.forEach(RdmaRank::turn);
            assertTrue(System.nanoTime() < limitNs, () -> what + ": " + ranks);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldOpenAPathThatOneEndAsksFor(String provider) {
        ranks = RdmaRank.group(provider, provider);
        assertTrue(ranks.get(0).transport.reaches(1));
        assertFalse(ranks.get(0).transport.reaches(0));
        ranks.get(0).transport.connect(1);
        assertTrue(ranks.get(0).transport.isConnecting());
        until(() -> ranks.stream().allMatch(rank -> rank.opened.size() == 1), "a path");
        assertFalse(ranks.get(0).transport.isConnecting());
        assertTrue(ranks.get(0).transport.hasPaths() && ranks.get(1).transport.hasPaths());
    }

    @Test
    void shouldLeaveAnEndpointThatNobodyNeeds() {
        ranks = RdmaRank.group(Native.SHM, Native.TCP, Native.TCP);
        RdmaTransport alone = ranks.get(0).transport;
        assertEquals(Long.MAX_VALUE, alone.beforeSleep());
        assertNull(alone.remoteMemory());
        alone.connect(1);
        assertEquals("its address is none of shm", ranks.get(0).unreachable.get(1));
        assertNotNull(ranks.get(1).transport.remoteMemory());
    }

    @Test
    void shouldNotReachWhoUsesAnotherProvider() {
        ranks = RdmaRank.group(Native.SHM, Native.TCP, Native.TCP);
        assertFalse(ranks.get(0).transport.reaches(1));
        assertFalse(ranks.get(1).transport.reaches(0));
        assertTrue(ranks.get(1).transport.reaches(2));
        ranks.get(1).transport.connect(2);
        until(() -> ranks.get(2).opened.containsKey(1), "a path of those who use the same");
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldBeToldAtOnceByAPeerThatHasAnotherPath(String provider) {
        ranks = RdmaRank.group(provider, provider);
        ranks.get(1).transport.giveUp(0);
        assertFalse(ranks.get(1).transport.reaches(0));
        ranks.get(0).transport.connect(1);
        until(() -> !ranks.get(0).unreachable.isEmpty(), "word that there will be no path");
        assertEquals("rank 1 wants no connection", ranks.get(0).unreachable.get(1));
        assertFalse(
                ranks.get(0).transport.isConnecting() || ranks.get(0).transport.reaches(1));
        assertTrue(ranks.get(1).opened.isEmpty() && ranks.get(1).unreachable.isEmpty());
    }

    @Test
    void shouldSayNothingOfAnAttemptThatWasGivenUp() {
        ranks = RdmaRank.group(Native.SHM, Native.SHM);
        ranks.get(0).transport.connect(1);
        ranks.get(0).transport.giveUp(1);
        assertFalse(ranks.get(0).transport.isConnecting());
        for (int i = 0; i < 1000; i++) {
            ranks.forEach(RdmaRank::turn);
        }
        assertTrue(ranks.get(0).unreachable.isEmpty() && ranks.get(0).opened.isEmpty());
    }

    /** Rank 1 has said CONFIRM, and rank 0, which began, has not heard it. */
    private void confirm(String provider) {
        ranks = RdmaRank.group(provider, provider);
        ranks.get(0).transport.connect(1);
        until(
                () -> ranks.get(1).transport.path(0) != null
                        && ranks.get(1).transport.path(0).hasConfirmed(),
                "a path that is to be confirmed");
        assertTrue(ranks.get(0).opened.isEmpty());
    }

    /** What it said comes in all at once, with the end of it. */
    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldBeToldByAPeerThatHasConfirmedAndGivesUp(String provider) {
        confirm(provider);
        ranks.get(1).transport.giveUp(0);
        shouldHaveEndedBeforeItWasOpen();
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldBeToldByAPeerThatHasConfirmedAndCloses(String provider) {
        confirm(provider);
        RdmaRank closing = ranks.get(1);
        closing.close();
        ranks = List.of(ranks.get(0));
        shouldHaveEndedBeforeItWasOpen();
    }

    private void shouldHaveEndedBeforeItWasOpen() {
        RdmaRank told = ranks.get(0);
        until(() -> told.transport.path(1).hasLeft(), "word that the path is over");
        until(() -> !told.transport.isConnecting(), "the end of the attempt");
        // If CONFIRM comes in first it opens, and ends in the turn after it has a handler.
        assertTrue(told.opened.size() + told.unreachable.size() > 0);
    }

    /** Its last word comes in while it waits for the next step. */
    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldNotOpenWhatThePeerHasGivenUp(String provider) {
        FaultyFabric faults = new FaultyFabric(Native.library());
        ranks = RdmaRank.group(faults.fabric(), provider, 2);
        // Rank 0 says OPEN, and can say nothing more.
        faults.begin(FaultyFabric.Fault.REFUSED, 1, Integer.MAX_VALUE);
        ranks.get(0).transport.connect(1);
        until(
                () -> ranks.get(1).transport.path(0) != null
                        && ranks.get(1).transport.path(0).hasConfirmed(),
                "CONFIRM of rank 1");
        for (int i = 0; i < 1000; i++) {
            ranks.get(0).turn();
        }
        ranks.get(1).transport.giveUp(0);
        until(() -> !ranks.get(0).unreachable.isEmpty(), "word that there will be no path");
        faults.begin(FaultyFabric.Fault.NONE, 0, 0);
        assertEquals(
                "rank 1 ended its connection over RDMA before it was open",
                ranks.get(0).unreachable.get(1));
        assertTrue(ranks.stream().allMatch(rank -> rank.opened.isEmpty()));
    }

    /** The peer may be gone, and nobody says so. */
    @Test
    void shouldNotWaitForEverForAPeerThatDoesNotConfirm() {
        confirm(Native.SHM);
        RdmaPath path = ranks.get(1).transport.path(0);
        path.climb(System.nanoTime() + TimeUnit.SECONDS.toNanos(11));
        assertTrue(path.hasConfirmed());
        ZipException failure =
                assertThrows(ZipException.class, () -> path.climb(System.nanoTime() + TimeUnit.SECONDS.toNanos(21)));
        assertEquals("no answer over shm within 20000 ms", failure.reason());
    }

    /** Whoever knows the address may send to it; the path opens, and stays, whatever that is. */
    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldNotBeKeptFromItByStrangers(String provider) {
        ranks = RdmaRank.group(provider, provider);
        try (Stranger stranger =
                new Stranger(provider, ranks.get(0).transport.candidates().get(0))) {
            RandomGenerator random = seeds.random();
            for (int round = 0; round < 2; round++) {
                for (int kind = 0; kind <= Message.LEAVE + 1; kind++) {
                    stranger.send(0, kind, 1, Message.HEADER_BYTES, random);
                    stranger.send(random.nextLong(), kind, 1, Message.PULL_BYTES, random);
                    stranger.send(0, kind, 1, Message.HEADER_BYTES + Handshake.MESSAGE_BYTES, random);
                    stranger.send(random.nextLong(), kind, random.nextInt(), Slots.BYTES, random);
                }
                stranger.send(0, 0, 0, 1, random);
                if (round == 0) {
                    ranks.get(1).transport.connect(0);
                    until(() -> ranks.stream().allMatch(rank -> rank.opened.size() == 1), "a path");
                }
            }
            for (int i = 0; i < 1000; i++) {
                ranks.forEach(RdmaRank::turn);
            }
            assertTrue(ranks.stream().allMatch(rank -> rank.transport.hasPaths()));
            assertTrue(ranks.stream().allMatch(rank -> rank.unreachable.isEmpty()));
        }
    }

    /** Who is not in the group. */
    private final class Stranger implements AutoCloseable {
        private final Fabric fabric = Native.library();
        private final long endpoint;
        private final int peer;
        private final ByteBuffer memory = Frame.allocate(Slots.BYTES);
        private final Completions completions = new Completions(4);

        Stranger(String provider, Candidate victim) {
            endpoint = new FabricOptions().provider(provider).peersMax(2).open(fabric);
            byte[] bytes = HexFormat.of().parseHex(victim.host().substring(provider.length() + 1));
            ByteBuffer address = ByteBuffer.allocateDirect(bytes.length).put(bytes);
            peer = fabric.peerAdd(endpoint, Addresses.of(address), bytes.length);
            assertTrue(peer >= 0, () -> FabricError.text(fabric, peer));
        }

        void send(long token, int kind, int source, int bytes, RandomGenerator random) {
            byte[] content = new byte[Slots.BYTES];
            random.nextBytes(content);
            memory.put(0, content);
            Message.begin(memory, 0, token, kind, source);
            long limitNs = System.nanoTime() + PATIENCE_NS;
            int code = FabricError.TRY_AGAIN;
            while (code == FabricError.TRY_AGAIN && System.nanoTime() < limitNs) {
                assertEquals(0, completions.poll(fabric, endpoint));
                ranks.forEach(RdmaRank::turn);
                code = new Operation().local(0, Addresses.of(memory), bytes).send(fabric, endpoint, peer, 0);
            }
            int last = code;
            assertEquals(0, code, () -> FabricError.text(fabric, last));
            int count = 0;
            while (count == 0 && System.nanoTime() < limitNs) {
                ranks.forEach(RdmaRank::turn);
                count = completions.poll(fabric, endpoint);
            }
            assertEquals(1, count, "the message has not left");
        }

        @Override
        public void close() {
            fabric.close(endpoint);
        }
    }
}
