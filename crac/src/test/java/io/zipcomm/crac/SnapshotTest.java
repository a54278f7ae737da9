package io.zipcomm.crac;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.Member;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.SharedMemoryFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.crac.Context;
import org.crac.Resource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Before a checkpoint nothing of ours is open in this process, and after it a program joins anew. */
final class SnapshotTest {

    private static final int SIZE = 2;
    private static final int TAG = 1;
    private static final long ENDS_NS_MAX = TimeUnit.SECONDS.toNanos(10);
    private static final long LOOK_NS = 2_000_000;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path memory;

    private final Checkpoints context = new Checkpoints();
    private RelayServer relay;
    private int groups;

    /** A context that takes no checkpoint, but tells as one would: the latest first, and after the restore the earliest. */
    private static final class Checkpoints extends Context<Resource> {
        private final List<Resource> resources = new ArrayList<>();

        @Override
        public void register(Resource resource) {
            resources.add(resource);
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> parent) {
            for (int i = resources.size() - 1; i >= 0; i--) {
                tell(resources.get(i), true);
            }
        }

        @Override
        public void afterRestore(Context<? extends Resource> parent) {
            resources.forEach(one -> tell(one, false));
        }

        private void tell(Resource one, boolean before) {
            try {
                if (before) {
                    one.beforeCheckpoint(this);
                } else {
                    one.afterRestore(this);
                }
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    @BeforeEach
    void startRelay() {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
        SnapshotResource.register(context);
    }

    @AfterEach
    void stopRelay() throws IOException {
        context.afterRestore(null);
        relay.close();
        assertNothingShared();
    }

    /** The last to leave a group removes its directory, which two that leave at once may each believe of the other for a moment. */
    private void assertNothingShared() throws IOException {
        long deadlineNs = System.nanoTime() + ENDS_NS_MAX;
        while (isSomethingShared() && System.nanoTime() - deadlineNs < 0) {
            LockSupport.parkNanos(LOOK_NS);
        }
        assertEquals(List.of(), SharedMemoryFolder.leftIn(memory), "left in shared memory");
    }

    private boolean isSomethingShared() throws IOException {
        try {
            return !SharedMemoryFolder.leftIn(memory).isEmpty();
        } catch (UncheckedIOException e) {
            // It went while it was looked at.
            return true;
        }
    }

    private ZipSettings settings(String session, int rank, TransportChoice transport) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session(session)
                .size(SIZE)
                .rank(rank)
                .transport(transport)
                .joinTimeout(Duration.ofSeconds(20))
                .set(Setting.SHARED_MEMORY, memory.toString())
                .build();
    }

    /** Both ranks are threads of this process, and have told each other something. */
    private List<Communicator> join(TransportChoice transport) throws Exception {
        String session = "group-" + ++groups;
        ExecutorService threads = Executors.newFixedThreadPool(SIZE);
        try {
            List<Future<Communicator>> joining = new ArrayList<>();
            for (int rank = 0; rank < SIZE; rank++) {
                ZipSettings mine = settings(session, rank, transport);
                joining.add(threads.submit(() -> Zip.join(mine)));
            }
            List<Communicator> worlds = new ArrayList<>();
            for (Future<Communicator> one : joining) {
                worlds.add(one.get(30, TimeUnit.SECONDS));
            }
            long[] in = new long[1];
            ZipFuture<?> sent = worlds.get(0).sendAsync(1, TAG, Payload.of(new long[] {groups}));
            worlds.get(1).receive(0, TAG, Payload.of(in));
            sent.await();
            assertEquals(groups, in[0]);
            return worlds;
        } finally {
            threads.shutdown();
            assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS));
        }
    }

    /** Threads by name, descriptors that are no plain files, and what is mapped of the directory that ranks share. */
    private Set<String> open() throws IOException {
        Set<String> open = new TreeSet<>();
        Thread.getAllStackTraces().keySet().stream()
                .filter(one -> one.getName().startsWith("zip-") || one.getName().contains("aeron"))
                .forEach(one -> open.add("thread " + one.getName() + " " + one.getId()));
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path one : descriptors) {
                String target = target(one);
                if (!target.startsWith("/") || target.startsWith(memory.toString())) {
                    open.add(target);
                }
            }
        }
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            open.addAll(maps.filter(one -> one.contains(memory.toString())).collect(Collectors.toSet()));
        }
        return open;
    }

    private static String target(Path descriptor) throws IOException {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (NoSuchFileException e) {
            // That of the directory itself, which is closed by now.
            return "/";
        }
    }

    /** Sockets of the relay end a moment after their ranks'. */
    private void assertNothingOpen(Set<String> before) throws IOException {
        long deadlineNs = System.nanoTime() + ENDS_NS_MAX;
        Set<String> more = open();
        more.removeAll(before);
        while (!more.isEmpty() && System.nanoTime() - deadlineNs < 0) {
            LockSupport.parkNanos(LOOK_NS);
            more = open();
            more.removeAll(before);
        }
        assertEquals(Set.of(), more, "left open");
    }

    @Test
    void shouldLeaveNothingOpenAndJoinAnew() throws Exception {
        // What the platform and the relay open with their first connection, and keep.
        join(TransportChoice.AUTO).parallelStream().forEach(Communicator::close);
        join(TransportChoice.AERON_IPC).parallelStream().forEach(Communicator::close);
        Set<String> before = settled();
        List<Communicator> worlds = new ArrayList<>();
        for (TransportChoice transport :
                List.of(TransportChoice.AUTO, TransportChoice.TCP, TransportChoice.RELAY, TransportChoice.AERON_IPC)) {
            worlds.addAll(join(transport));
        }
        Set<String> meanwhile = open();
        assertTrue(
                meanwhile.stream().anyMatch(one -> one.contains(memory.toString())), "no shared memory: " + meanwhile);
        assertTrue(meanwhile.stream().anyMatch(one -> one.startsWith("thread zip-")), "no threads: " + meanwhile);

        context.beforeCheckpoint(null);
        assertNothingOpen(before);
        assertEquals(List.of(), SharedMemoryFolder.leftIn(memory), "left in shared memory");
        ZipException early =
                assertThrows(ZipException.class, () -> Zip.join(settings("too-early", 0, TransportChoice.RELAY)));
        assertEquals(ErrorCode.CLOSED, early.code());
        assertTrue(early.getMessage().contains("snapshot"), early.getMessage());

        context.afterRestore(null);
        for (Communicator old : worlds) {
            ZipException late =
                    assertThrows(ZipException.class, () -> old.receive(1 - old.rank(), TAG, Payload.of(new long[1])));
            assertEquals(ErrorCode.CLOSED, late.code());
            assertTrue(
                    late.getMessage().contains("a snapshot of the process was taken: join again"), late.getMessage());
            assertDoesNotThrow(old::close);
        }
        join(TransportChoice.AUTO).parallelStream().forEach(Communicator::close);
    }

    /** Sockets that are being closed are gone soon. */
    private Set<String> settled() throws IOException {
        long deadlineNs = System.nanoTime() + ENDS_NS_MAX;
        while (relay.stats().ranks() > 0 && System.nanoTime() - deadlineNs < 0) {
            LockSupport.parkNanos(LOOK_NS);
        }
        assertEquals(0, relay.stats().ranks());
        return open();
    }

    @Test
    void shouldFailWhatIsUnderWayAndNameTheSnapshot() throws Exception {
        List<Communicator> worlds = join(TransportChoice.RELAY);
        ZipFuture<Long> never = worlds.get(0).receiveAsync(1, TAG, Payload.of(new long[1]));
        context.beforeCheckpoint(null);
        assertTrue(never.isDone());
        CompletionException thrown = assertThrows(
                CompletionException.class, () -> never.toCompletableFuture().join());
        assertTrue(
                Set.of(ErrorCode.CLOSED, ErrorCode.PEER_LEFT)
                        .contains(assertInstanceOf(ZipException.class, thrown.getCause())
                                .code()),
                thrown.toString());
    }

    @Test
    void shouldMakeTheCheckpointFailWhileAProcessIsJoining() throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            Future<Communicator> joining = thread.submit(() -> Zip.join(settings("half", 0, TransportChoice.RELAY)));
            long deadlineNs = System.nanoTime() + ENDS_NS_MAX;
            while (relay.stats().ranks() == 0) {
                assertTrue(System.nanoTime() - deadlineNs < 0, "the rank does not come");
                LockSupport.parkNanos(LOOK_NS);
            }
            ZipException refusal = assertThrows(ZipException.class, () -> context.beforeCheckpoint(null));
            assertTrue(refusal.getMessage().contains("is joining a group"), refusal.getMessage());
            assertFalse(joining.isDone());
            // The program goes on.
            Communicator other = Zip.join(settings("half", 1, TransportChoice.RELAY));
            Communicator first = joining.get(30, TimeUnit.SECONDS);
            assertEquals(1, other.rank() + first.rank());
            List.of(other, first).parallelStream().forEach(Communicator::close);
        } finally {
            thread.shutdownNow();
        }
    }

    /** Copies of the image have the kernel's boot id in common. */
    @Test
    void shouldBeAnotherHostAfterEachRestore() throws Exception {
        Set<String> hosts = new HashSet<>();
        Set<Candidate> places = new HashSet<>();
        List<Communicator> worlds = join(TransportChoice.AUTO);
        note(worlds, hosts, places);
        for (int restores = 1; restores <= 3; restores++) {
            context.beforeCheckpoint(null);
            context.afterRestore(null);
            worlds = join(TransportChoice.AUTO);
            note(worlds, hosts, places);
            assertEquals(1 + restores, hosts.size(), hosts.toString());
            assertEquals(1 + restores, places.size(), places.toString());
        }
        worlds.parallelStream().forEach(Communicator::close);
    }

    /** Both ranks are in this process: they have its host and its place in shared memory in common. */
    private static void note(List<Communicator> worlds, Set<String> hosts, Set<Candidate> places) {
        List<Member> members = worlds.get(0).view().members();
        assertEquals(members.get(0).hostId(), members.get(1).hostId());
        assertEquals(place(members.get(0)), place(members.get(1)));
        hosts.add(members.get(0).hostId());
        places.add(place(members.get(0)));
    }

    private static Candidate place(Member member) {
        return member.candidates().stream()
                .filter(one -> one.kind() == Candidate.Kind.MEMORY)
                .findAny()
                .orElseThrow();
    }

    /** Where there are no checkpoints, as on most platforms, registering does nothing. */
    @Test
    void shouldRegisterWithThePlatformsContext() {
        assertDoesNotThrow(() -> SnapshotResource.register());
    }
}
