package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.rdma.ffi.RemoteKey;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What stays registered, and what does not. */
final class RegistrationCacheTest {

    private static final int READ = 4;
    private static final int REMOTE_READ = 16;
    private static final long PAUSE_END_NS = RegistrationCache.PAUSE_NS;

    /** Registers nothing, and keeps accounts. Addresses are those that a test gives. */
    private static final class Accounts extends Registrar {
        final Map<Long, Integer> registered = new HashMap<>();
        final List<Long> ended = new ArrayList<>();
        private final IdentityHashMap<ByteBuffer, Long> addresses = new IdentityHashMap<>();
        private long lastHandle;
        private long nextAddress = 1 << 20;
        boolean refuses;

        @Override
        String text(int code) {
            return "code " + code;
        }

        boolean busy;

        Accounts() {
            super(null, 0);
        }

        ByteBuffer memory(int bytes) {
            nextAddress += 1 << 20;
            return memory(nextAddress, bytes);
        }

        ByteBuffer memory(long address, int bytes) {
            ByteBuffer memory = ByteBuffer.allocateDirect(bytes);
            addresses.put(memory, address);
            return memory;
        }

        @Override
        long address(ByteBuffer memory) {
            return addresses.get(memory);
        }

        @Override
        long register(ByteBuffer memory, int access) {
            if (refuses) {
                return -12;
            }
            lastHandle++;
            registered.put(lastHandle, memory.capacity());
            return lastHandle;
        }

        @Override
        RemoteKey key(long registration, int access) {
            return new RemoteKey(registration * 100, 7_000_000);
        }

        @Override
        int deregister(long registration) {
            if (busy) {
                return -16;
            }
            assertNotNull(registered.remove(registration), "ended twice");
            ended.add(registration);
            return 0;
        }
    }

    private final Accounts accounts = new Accounts();
    private final RegistrationCache cache = new RegistrationCache(accounts, 3, 1000);

    private Registration use(ByteBuffer memory, long nowNs) {
        Registration registration = cache.take(memory, REMOTE_READ, nowNs);
        assertNotNull(registration);
        cache.give(registration);
        return registration;
    }

    @Test
    void shouldRegisterTheSameMemoryOnce() {
        ByteBuffer memory = accounts.memory(100);
        Registration first = use(memory, 0);
        assertSame(first, use(memory, 1));
        assertEquals(1, accounts.registered.size());
        assertEquals(100, cache.bytes());
        long address = accounts.address(memory);
        assertEquals(7_000_040, first.remoteAddress(address + 40));
        assertEquals(100, first.remoteKey());
    }

    @Test
    void shouldRegisterForWhatItIsAskedFor() {
        ByteBuffer memory = accounts.memory(100);
        Registration out = use(memory, 0);
        Registration in = cache.take(memory, READ, 1);
        assertNotSame(out, in);
        assertEquals(2, cache.count());
    }

    @Test
    void shouldServeAPartOfWhatIsRegisteredAndNothingBeside() {
        ByteBuffer whole = accounts.memory(1 << 20, 400);
        Registration first = use(whole, 0);
        assertSame(first, use(accounts.memory((1 << 20) + 100, 300), 1));
        // One byte too many, at either end.
        assertNotSame(first, use(accounts.memory((1 << 20) + 100, 301), 2));
        assertNotSame(first, use(accounts.memory((1 << 20) - 1, 101), 3));
        assertEquals(3, cache.count());
        assertEquals(400 + 301 + 101, cache.bytes());
        assertSame(first, use(whole, 4));
    }

    @Test
    void shouldLetTheLeastRecentlyUsedGoFirst() {
        ByteBuffer one = accounts.memory(10);
        ByteBuffer two = accounts.memory(10);
        ByteBuffer three = accounts.memory(10);
        use(one, 1);
        Registration second = use(two, 2);
        use(three, 3);
        use(one, 4);
        use(accounts.memory(10), 5);
        assertEquals(List.of(second.handle()), accounts.ended);
        assertEquals(3, cache.count());
        assertEquals(30, cache.bytes());
    }

    @Test
    void shouldKeepWithinItsBytes() {
        use(accounts.memory(400), 1);
        use(accounts.memory(400), 2);
        use(accounts.memory(900), 3);
        assertEquals(1, cache.count());
        assertEquals(900, cache.bytes());
        assertNull(cache.take(accounts.memory(1001), REMOTE_READ, 4));
    }

    @Test
    void shouldNeverLetGoOfWhatIsInUse() {
        List<Registration> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            all.add(cache.take(accounts.memory(10), REMOTE_READ, i));
        }
        assertNull(cache.take(accounts.memory(10), REMOTE_READ, 4));
        cache.expire(4 + RegistrationCache.UNUSED_NS_MAX);
        assertEquals(List.of(), accounts.ended);
        cache.give(all.get(1));
        use(accounts.memory(10), 5);
        assertEquals(List.of(all.get(1).handle()), accounts.ended);
    }

    @Test
    void shouldLetGoOfWhatNobodyHasUsedForAWhile() {
        ByteBuffer quiet = accounts.memory(10);
        ByteBuffer busy = accounts.memory(10);
        Registration first = use(quiet, 1);
        use(busy, 1);
        use(busy, 2);
        cache.expire(RegistrationCache.UNUSED_NS_MAX);
        assertEquals(List.of(), accounts.ended);
        cache.expire(1 + RegistrationCache.UNUSED_NS_MAX);
        assertEquals(List.of(first.handle()), accounts.ended);
    }

    /** Otherwise its memory would be somebody else's, at the same address. */
    @Test
    void shouldKeepABufferReachableForAsLongAsItIsRegistered() throws InterruptedException {
        Registrar forgetful = new Registrar(null, 0) {
            @Override
            long address(ByteBuffer memory) {
                return 4096;
            }

            @Override
            long register(ByteBuffer memory, int access) {
                return 1;
            }

            @Override
            RemoteKey key(long registration, int access) {
                return new RemoteKey(1, 1);
            }

            @Override
            int deregister(long registration) {
                return 0;
            }
        };
        RegistrationCache holding = new RegistrationCache(forgetful, 3, 1000);
        ByteBuffer memory = ByteBuffer.allocateDirect(10);
        WeakReference<ByteBuffer> buffer = new WeakReference<>(memory);
        holding.give(holding.take(memory, READ, 0));
        memory = null;
        System.gc();
        Thread.sleep(20);
        assertNotNull(buffer.get());
        holding.expire(RegistrationCache.UNUSED_NS_MAX);
        for (int i = 0; i < 100 && buffer.get() != null; i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertNull(buffer.get());
    }

    @Test
    void shouldNotTryAgainAtOnceWhenMemoryCannotBeRegistered() {
        accounts.refuses = true;
        assertNull(cache.take(accounts.memory(10), READ, 0));
        accounts.refuses = false;
        assertNull(cache.take(accounts.memory(10), READ, RegistrationCache.PAUSE_NS - 1));
        assertNotNull(cache.take(accounts.memory(10), READ, RegistrationCache.PAUSE_NS));
        assertEquals(1, cache.count());
    }

    @Test
    void shouldRevokeAtOnceUnlessOthersUseIt() {
        ByteBuffer memory = accounts.memory(10);
        Registration registration = cache.take(memory, READ, 0);
        assertSame(registration, cache.take(memory, READ, 0));
        cache.revoke(registration);
        assertFalse(registration.hasEnded);
        assertEquals(1, cache.count());
        cache.revoke(registration);
        assertTrue(registration.hasEnded);
        assertEquals(0, cache.count());
        assertEquals(0, cache.bytes());
        assertEquals(List.of(registration.handle()), accounts.ended);
    }

    /** Whoever it was taken from knows its key, and might read what is written there next. */
    @Test
    void shouldNeverHandOutAgainWhatWasRevoked() {
        ByteBuffer memory = accounts.memory(10);
        Registration lentTwice = cache.take(memory, READ, 0);
        assertSame(lentTwice, cache.take(memory, READ, 0));
        cache.revoke(lentTwice);
        assertFalse(lentTwice.hasEnded);
        Registration anew = cache.take(memory, READ, 1);
        assertNotSame(lentTwice, anew);
        cache.give(anew);
        assertEquals(List.of(), accounts.ended);
        cache.give(lentTwice);
        assertEquals(List.of(lentTwice.handle()), accounts.ended, "ended with its last use");
        assertSame(anew, cache.take(memory, READ, 2));
        assertEquals(1, cache.count());
        assertEquals(10, cache.bytes());
    }

    @Test
    void shouldEndWhatWasRevokedAsSoonAsTheEndpointLetsGoOfIt() {
        Registration busy = cache.take(accounts.memory(10), READ, 0);
        accounts.busy = true;
        cache.revoke(busy);
        assertFalse(busy.hasEnded);
        cache.expire(1);
        assertEquals(1, cache.count());
        accounts.busy = false;
        cache.expire(1);
        assertEquals(List.of(busy.handle()), accounts.ended);
        assertEquals(0, cache.count());
    }

    private Registration takeOrFail(ByteBuffer memory, long nowNs) {
        return cache.takeOrFail(memory, READ, nowNs);
    }

    /** To have no room now is no failure: operations that are under way give it back. */
    @Test
    void shouldHaveThoseWaitWhoNeedMemoryRegisteredWhileThereIsNoRoom() {
        List<Registration> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            all.add(takeOrFail(accounts.memory(10), 0));
        }
        ByteBuffer fourth = accounts.memory(10);
        assertNull(takeOrFail(fourth, 1));
        cache.give(all.get(0));
        Registration registration = takeOrFail(fourth, 2);
        assertNotNull(registration);
        assertSame(registration, takeOrFail(fourth, 3));
    }

    @Test
    void shouldSayWhyMemoryThatIsNeededCannotBeRegistered() {
        accounts.refuses = true;
        assertNull(cache.take(accounts.memory(10), READ, 0), "who can do without is not told");
        ByteBuffer memory = accounts.memory(10);
        assertNull(takeOrFail(memory, PAUSE_END_NS - 1), "nothing is tried for a while");
        ZipException refusal = assertThrows(ZipException.class, () -> takeOrFail(memory, PAUSE_END_NS));
        assertEquals(ErrorCode.LIMIT, refusal.code());
        assertEquals("10 bytes cannot be registered: code -12", refusal.reason());
        accounts.refuses = false;
        assertNotNull(takeOrFail(memory, 2 * PAUSE_END_NS));
    }

    @Test
    void shouldRegisterForOneUseWhatIsLongerThanAllThatMayStay() {
        ByteBuffer memory = accounts.memory(1001);
        Registration once = takeOrFail(memory, 0);
        Registration again = takeOrFail(memory, 0);
        assertNotSame(once, again);
        assertEquals(0, cache.count());
        assertEquals(0, cache.bytes());
        cache.give(once);
        assertEquals(List.of(once.handle()), accounts.ended);
        cache.give(again);
        assertEquals(List.of(once.handle(), again.handle()), accounts.ended);
        accounts.refuses = true;
        ZipException refusal = assertThrows(ZipException.class, () -> takeOrFail(memory, 1));
        assertEquals("1001 bytes cannot be registered: code -12", refusal.reason());
    }

    @Test
    void shouldKeepWhatTheEndpointStillUses() {
        use(accounts.memory(900), 0);
        accounts.busy = true;
        assertNull(cache.take(accounts.memory(900), REMOTE_READ, 1));
        assertEquals(1, cache.count());
        assertEquals(900, cache.bytes());
        accounts.busy = false;
        assertNotNull(cache.take(accounts.memory(900), REMOTE_READ, 2));
    }
}
