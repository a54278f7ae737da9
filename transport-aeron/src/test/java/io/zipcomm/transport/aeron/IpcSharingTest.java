package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.Payload;
import io.zipcomm.testkit.SharedMemoryFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What several peers get alike is kept for those that read it in memory. */
@Timeout(60)
final class IpcSharingTest {

    private static final int SIZE = 3;
    private static final int BYTES = 8192;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    private final List<MemoryRank> ranks = new ArrayList<>();

    @AfterEach
    void close() {
        ranks.forEach(MemoryRank::close);
    }

    private void until(BooleanSupplier done) {
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!done.getAsBoolean()) {
            assertTrue(System.nanoTime() < endNs, ranks::toString);
            ranks.forEach(rank -> rank.transport.poll());
        }
    }

    private void connect(int peer) {
        ranks.get(0).transport.connect(peer);
        until(() -> ranks.get(0).of(peer).path != null && ranks.get(peer).of(0).path != null);
    }

    @Test
    void shouldNotKeepItForPeersThatGetItElsewhere() {
        for (int rank = 0; rank < SIZE; rank++) {
            ranks.add(new MemoryRank(directory, SIZE, rank));
        }
        connect(1);
        HostPlace place = ((IpcTransport) ranks.get(0).transport).place();
        int slots = place.budget().slots();
        Payload payload = Payload.of(new byte[BYTES]);
        ranks.get(0).of(1).share(payload, SIZE - 1);
        until(() -> ranks.get(1).of(0).received == 1);
        assertEquals(slots, place.arena().freeSlots(), "rank 2 has no path in memory");
        connect(2);
        ranks.get(0).of(1).share(payload, SIZE - 1);
        until(() -> ranks.get(1).of(0).received == 2);
        assertEquals(slots - 1, place.arena().freeSlots(), "rank 2 will want it");
        ranks.get(0).of(2).share(payload, SIZE - 1);
        until(() -> ranks.get(2).of(0).received == 1);
        assertEquals(slots, place.arena().freeSlots());
    }
}
