package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.PoolArenaMetric;
import io.netty.buffer.PooledByteBufAllocator;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/** A relay with the ranks of one test. At the end nothing of them may be left in it. */
final class RelayFixture implements AutoCloseable {

    /** Read before the relay starts. */
    private final long buffersBefore = buffersInUse();

    final RelayServer relay;
    final InetSocketAddress at;
    private final List<TestRank> opened = new ArrayList<>();

    RelayFixture(RelaySettings.Builder settings) {
        relay = RelayServer.start(settings.build());
        at = relay.address();
    }

    /** Where everybody is admitted, and who is gone is not waited for so long that tests take their time. */
    static RelaySettings.Builder insecure() {
        return RelaySettings.builder().listen("127.0.0.1:0").insecure(true).set(RelayOption.RESUME_GRACE, "100");
    }

    TestRank opened(TestRank rank) {
        opened.add(rank);
        return rank;
    }

    /** A complete group of ranks that ask for their numbers. */
    List<TestRank> group(String session, int size) {
        List<TestRank> group = TestRank.group(at, session, size);
        opened.addAll(group);
        return group;
    }

    @Override
    public void close() {
        TestRank.closeAll(opened);
        Await.until("sessions are gone", () -> relay.stats().sessions() == 0);
        assertEquals(0, relay.stats().ranks());
        assertEquals(0, relay.stats().bytesWaiting());
        assertEquals(0, relay.stats().waitingMemory());
        assertEquals(0, relay.stats().bytesUnderWay());
        Await.until("handshakes are over", () -> relay.stats().handshakes() == 0);
        relay.close();
        assertEquals(0, relay.stats().connections());
        assertEquals(buffersBefore, buffersInUse(), "buffers that nobody released");
    }

    /** What event loops keep for themselves counts too, so compare only what is before and after them. */
    private static long buffersInUse() {
        return PooledByteBufAllocator.DEFAULT.metric().directArenas().stream()
                .mapToLong(PoolArenaMetric::numActiveAllocations)
                .sum();
    }
}
