package io.zipcomm.transport.rdma.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.LeakCheck;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The native library through its interface, with two endpoints in this process. */
final class FabricTest {

    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);
    private static final int ALL = Fabric.SEND | Fabric.RECEIVE | Fabric.READ | Fabric.REMOTE_READ;
    private static final int ADDRESS_BYTES_MAX = 512;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private final Completions completions = new Completions(16);
    private final List<Long> open = new ArrayList<>();

    /** Of each endpoint what nobody has asked for yet: kind, context, status, bytes. */
    private final Map<Long, Deque<long[]>> waiting = new HashMap<>();

    private Fabric fabric;

    @BeforeEach
    void load() {
        fabric = Native.library();
    }

    @AfterEach
    void close() {
        open.forEach(fabric::close);
        if (fabric != null) {
            assertEquals(0, fabric.openEndpoints());
        }
    }

    private long endpoint(String provider) {
        long endpoint = new FabricOptions()
                .provider(provider)
                .transmitDepth(64)
                .receiveDepth(64)
                .peersMax(4)
                .registrationsMax(8)
                .open(fabric);
        assertTrue(endpoint > 0, () -> FabricError.text(fabric, (int) endpoint));
        open.add(endpoint);
        return endpoint;
    }

    private int peer(long of, long endpoint) {
        ByteBuffer address = ByteBuffer.allocateDirect(ADDRESS_BYTES_MAX);
        int bytes = fabric.address(endpoint, Addresses.of(address), ADDRESS_BYTES_MAX);
        assertTrue(bytes > 0 && bytes <= ADDRESS_BYTES_MAX, () -> FabricError.text(fabric, bytes));
        int peer = fabric.peerAdd(of, Addresses.of(address), bytes);
        assertTrue(peer >= 0, () -> FabricError.text(fabric, peer));
        return peer;
    }

    /** Registers all of a buffer. */
    private long register(long endpoint, ByteBuffer memory) {
        long registration = fabric.register(endpoint, Addresses.of(memory), memory.capacity(), ALL);
        assertTrue(registration > 0, () -> FabricError.text(fabric, (int) registration));
        return registration;
    }

    private static ByteBuffer memory(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Repeats what may have to wait for a connection. */
    private void begin(IntSupplier operation) {
        long limitNs = System.nanoTime() + PATIENCE_NS;
        int code = operation.getAsInt();
        while (code == FabricError.TRY_AGAIN && System.nanoTime() < limitNs) {
            open.forEach(this::poll);
            code = operation.getAsInt();
        }
        int last = code;
        assertEquals(0, code, () -> FabricError.text(fabric, last));
    }

    /** Waits for the next completion at one endpoint, while all make progress. Returns its bytes. */
    private long await(long endpoint, int kind, long context) {
        long limitNs = System.nanoTime() + PATIENCE_NS;
        while (!waiting.containsKey(endpoint) && System.nanoTime() < limitNs) {
            open.forEach(this::poll);
        }
        Deque<long[]> all = waiting.get(endpoint);
        assertNotNull(all, "no completion");
        long[] first = all.poll();
        if (all.isEmpty()) {
            waiting.remove(endpoint);
        }
        assertEquals(0, first[2], () -> FabricError.text(fabric, (int) first[2]));
        assertEquals(kind, first[0]);
        assertEquals(context, first[1]);
        return first[3];
    }

    private void poll(long endpoint) {
        int count = completions.poll(fabric, endpoint);
        assertTrue(count >= 0, () -> FabricError.text(fabric, count));
        for (int i = 0; i < count; i++) {
            long[] one = {completions.kind(i), completions.context(i), completions.status(i), completions.bytes(i)};
            waiting.computeIfAbsent(endpoint, ignored -> new ArrayDeque<>()).add(one);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldSendAndReceive(String provider) {
        long one = endpoint(provider);
        long other = endpoint(provider);
        ByteBuffer from = memory(4096);
        ByteBuffer to = memory(4096);
        long fromRegistration = register(one, from);
        long toRegistration = register(other, to);
        int peer = peer(one, other);
        for (int i = 0; i < 100; i++) {
            long number = i;
            from.putLong(8, number);
            assertEquals(0, fabric.receive(other, toRegistration, Addresses.of(to), to.capacity(), 1000 + i));
            Operation message = new Operation().local(fromRegistration, Addresses.of(from), 16 + number);
            begin(() -> message.send(fabric, one, peer, number));
            assertEquals(16 + i, await(other, Completions.RECEIVED, 1000 + i));
            assertEquals(number, to.getLong(8));
            await(one, Completions.SENT, number);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldReadRemoteMemory(String provider) {
        long one = endpoint(provider);
        long other = endpoint(provider);
        ByteBuffer from = memory(1 << 20);
        ByteBuffer to = memory(1 << 20);
        for (int i = 0; i < from.capacity(); i += Long.BYTES) {
            from.putLong(i, i * 31L);
        }
        RemoteKey key = RemoteKey.of(fabric, other, register(other, from));
        Operation read = new Operation().local(register(one, to), Addresses.of(to) + 64, (1 << 20) - 128);
        int peer = peer(one, other);
        begin(() -> read.read(fabric, one, peer, key.address() + 128, key.key(), 77));
        await(one, Completions.HAVE_READ, 77);
        for (int i = 0; i < (1 << 20) - 128; i += Long.BYTES) {
            assertEquals((i + 128) * 31L, to.getLong(i + 64), "at " + i);
        }
        assertEquals(0, to.getLong(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldSayWhatIsWrongInWords(String provider) {
        long one = endpoint(provider);
        ByteBuffer memory = memory(64);
        long registration = register(one, memory);
        assertEquals(0, fabric.deregister(one, registration));
        assertEquals(FabricError.STALE, fabric.deregister(one, registration));
        assertEquals(
                FabricError.STALE,
                fabric.receive(one, registration, Addresses.of(memory), 64, 0),
                "memory that is not registered any more");
        assertEquals(
                FabricError.STALE,
                new Operation().local(0, Addresses.of(memory), 8).send(fabric, one, 3, 0),
                "a peer that never was");
        assertEquals(0, fabric.close(one));
        open.clear();
        assertEquals(FabricError.STALE, fabric.close(one));
        assertEquals(
                FabricError.STALE,
                new Operation().local(0, Addresses.of(memory), 8).send(fabric, one, 0, 0));
        ZipException failure = assertThrows(ZipException.class, () -> FabricFacts.of(fabric, one));
        assertEquals(ErrorCode.INTERNAL, failure.code());
        assertTrue(failure.getMessage().contains("(-10001)"), failure.getMessage());
        assertNotEquals(FabricError.text(fabric, -11), FabricError.text(fabric, -12));
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldDescribeItself(String provider) {
        FabricFacts facts = FabricFacts.of(fabric, endpoint(provider));
        assertEquals(provider, facts.provider());
        assertFalse(facts.domain().isEmpty());
        assertTrue(facts.messageBytesMax() >= 1 << 16, facts::toString);
    }

    @Test
    void shouldRefuseAnUnknownProviderInWords() {
        long endpoint = new FabricOptions().provider("no such provider").open(fabric);
        assertTrue(endpoint < 0);
        assertFalse(FabricError.text(fabric, (int) endpoint).isBlank());
        ZipException failure = assertThrows(ZipException.class, () -> new FabricOptions().provider("x".repeat(64)));
        assertEquals(ErrorCode.BAD_SETTING, failure.code());
    }
}
