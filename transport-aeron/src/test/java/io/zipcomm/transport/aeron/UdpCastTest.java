package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.zipcomm.buffer.Payload;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.TransportCounters;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.LongArrayList;
import org.junit.jupiter.api.Test;

/** Ways with the same bytes for all peers meet, or go on alone before long. */
final class UdpCastTest implements UdpCast.Stream {

    private static final int PEERS = 3;
    private static final int BYTES = UdpCast.BYTES_MIN;

    private static final int ROUNDS = 1000;
    private static final int MEASUREMENTS = 5;

    private final Payload payload = Payload.of(new byte[2 * BYTES]);
    private final LongArrayList written = new LongArrayList(2 * ROUNDS, -1);
    private final List<WayTo> ways = new ArrayList<>();
    private boolean isOpen = true;
    private boolean hasRoom = true;
    private boolean fails;
    private long nowNs = 1_000;
    private final TransportCounters counters = new TransportCounters();
    private final UdpCast cast = new UdpCast(PEERS, this, counters, () -> nowNs);

    UdpCastTest() {
        for (int i = 0; i < PEERS; i++) {
            ways.add(new WayTo());
            cast.opened(ways.get(i));
        }
    }

    /** What a way is told. */
    private final class WayTo implements UdpCast.Way {
        private final OutboundFrame frame = new OutboundFrame();
        private boolean waits;
        private long castAt = -1;

        /** Share of what it has to send next; negative if it has nothing. */
        private long next = -1;

        boolean takes(long share, long offset) {
            return takes(share, offset, BYTES, PEERS);
        }

        boolean takes(long share, long offset, int bytes, int sharers) {
            frame.clear();
            frame.payload = payload;
            frame.share = share;
            frame.sharers = sharers;
            frame.offset = offset;
            frame.shareOffset = offset;
            frame.bytes = bytes;
            castAt = -1;
            next = -1;
            waits = cast.joins(frame);
            boolean joined = waits;
            look();
            return joined;
        }

        void look() {
            if (waits) {
                cast.look(frame);
            }
        }

        @Override
        public void cast(long position) {
            assertTrue(waits);
            waits = false;
            castAt = position;
        }

        @Override
        public void alone() {
            waits = false;
        }

        @Override
        public void goOn() {
            if (next >= 0) {
                long share = next;
                takes(share, 0);
                next = share + 1;
            }
        }
    }

    @Override
    public boolean isOpen() {
        return isOpen;
    }

    @Override
    public boolean hasRoom(int bytes) {
        return hasRoom;
    }

    @Override
    public long write(Payload from, long offset, int bytes) {
        if (fails) {
            return -1;
        }
        written.addLong(offset);
        return 100L * written.size();
    }

    private void takeAll(long share, long offset) {
        for (WayTo way : ways) {
            assertTrue(way.takes(share, offset));
        }
    }

    private void assertAllAlone() {
        assertTrue(ways.stream().noneMatch(way -> way.waits));
        assertEquals(0, written.size());
    }

    private void assertCastAt(long position) {
        assertTrue(ways.stream().allMatch(way -> !way.waits && way.castAt == position), () -> position + "");
    }

    @Test
    void shouldWriteOnceWhatAllHave() {
        takeAll(1, 0);
        assertCastAt(100);
        takeAll(1, BYTES);
        assertCastAt(200);
        takeAll(7, 0);
        assertCastAt(300);
        assertArrayEquals(new long[] {0, BYTES, 0}, written.toLongArray());
        assertEquals(3, counters.framesCast);
    }

    @Test
    void shouldNotWaitLongForOneThatIsLate() {
        assertTrue(ways.get(0).takes(1, 0));
        assertTrue(ways.get(1).takes(1, 0));
        nowNs += UdpCast.MEETING_NS_MAX - 1;
        ways.get(0).look();
        assertTrue(ways.get(0).waits && ways.get(1).waits);
        nowNs++;
        ways.get(1).look();
        assertAllAlone();
        // Neither for the rest of the message, nor for the late one.
        assertFalse(ways.get(0).takes(1, BYTES));
        assertFalse(ways.get(2).takes(1, 0));
        takeAll(2, 0);
        assertCastAt(100);
    }

    @Test
    void shouldLetAllGoWhenOneHasSomethingElse() {
        ways.get(0).takes(4, 0);
        assertTrue(ways.get(1).takes(5, 0), "what is newer may still be cast");
        assertFalse(ways.get(0).waits);
        assertTrue(ways.get(1).waits);
        assertFalse(ways.get(2).takes(3, 0), "what is older may not");
        assertTrue(ways.get(1).waits);
        ways.get(0).takes(6, 0);
        assertFalse(ways.get(1).takes(6, 0, BYTES + 8, PEERS), "the same message, cut in another way");
        assertAllAlone();
    }

    @Test
    void shouldLetAllGoWhenOneIsReleased() {
        ways.get(0).takes(1, 0);
        ways.get(1).takes(1, 0);
        cast.pass();
        assertAllAlone();
        assertFalse(ways.get(2).takes(1, 0));
    }

    @Test
    void shouldLetAllGoWhenAPathEnds() {
        ways.get(0).takes(1, 0);
        ways.get(1).takes(1, 0);
        cast.ended(ways.get(2));
        cast.ended(ways.get(2));
        assertAllAlone();
        assertFalse(ways.get(0).takes(2, 0), "one peer has no way that could be waited for");
        cast.opened(ways.get(2));
        takeAll(3, 0);
        assertCastAt(100);
    }

    @Test
    void shouldWaitForRoomForAWhile() {
        hasRoom = false;
        takeAll(1, 0);
        nowNs += UdpCast.ROOM_NS_MAX - 1;
        ways.get(1).look();
        assertTrue(ways.stream().allMatch(way -> way.waits));
        hasRoom = true;
        ways.get(1).look();
        assertCastAt(100);
        hasRoom = false;
        takeAll(1, BYTES);
        nowNs += UdpCast.ROOM_NS_MAX;
        ways.get(2).look();
        assertTrue(ways.stream().noneMatch(way -> way.waits));
        assertEquals(1, written.size());
    }

    @Test
    void shouldNotWaitOnceMoreForReadersWithoutRoom() {
        hasRoom = false;
        takeAll(1, 0);
        nowNs += UdpCast.ROOM_NS_MAX;
        ways.get(0).look();
        for (WayTo way : ways) {
            assertFalse(way.takes(2, 0));
        }
        hasRoom = true;
        assertFalse(ways.get(0).takes(2, BYTES), "the rest of a message goes where its beginning went");
        takeAll(3, 0);
        assertCastAt(100);
        hasRoom = false;
        takeAll(3, BYTES);
        assertTrue(ways.stream().allMatch(way -> way.waits));
    }

    @Test
    void shouldLetAllGoWhenTheStreamCloses() {
        hasRoom = false;
        takeAll(1, 0);
        isOpen = false;
        nowNs += UdpCast.ROOM_NS_MAX;
        ways.get(0).look();
        assertAllAlone();
        assertFalse(ways.get(0).takes(2, 0));
        isOpen = true;
        hasRoom = true;
        fails = true;
        takeAll(3, 0);
        assertAllAlone();
    }

    @Test
    void shouldCastSoMuchInATurnAndTheRestInTheNext() {
        ways.forEach(way -> way.next = 1);
        for (int turn = 1; turn < 4; turn++) {
            for (int i = 0; i < 100; i++) {
                // However long that takes, they wait for the turn.
                nowNs += ways.stream().allMatch(way -> way.waits) ? UdpCast.ROOM_NS_MAX : 0;
                ways.forEach(WayTo::look);
                ways.forEach(way -> {
                    if (!way.waits) {
                        way.goOn();
                    }
                });
            }
            assertEquals(turn * UdpCast.CASTS_PER_TURN, written.size());
            assertTrue(ways.stream().allMatch(way -> way.waits), "none went alone");
            cast.turn();
        }
    }

    @Test
    void shouldLeaveNoGarbage() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < MEASUREMENTS; i++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int round = 0; round < ROUNDS; round++) {
                cast.turn();
                hasRoom = round % 2 == 0;
                // By index: an iterator is garbage.
                for (int way = 0; way < PEERS; way++) {
                    ways.get(way).takes(i * ROUNDS + round + 1L, 0);
                }
                nowNs += UdpCast.ROOM_NS_MAX;
                ways.get(0).look();
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            written.clear();
        }
        assertTrue(least < ROUNDS, least + " bytes");
        assertTrue(counters.framesCast > 0);
    }

    @Test
    void shouldLeaveAloneWhatIsNotForAllOrShort() {
        WayTo way = ways.get(0);
        assertFalse(way.takes(0, 0));
        assertFalse(way.takes(1, 0, BYTES, PEERS - 1));
        assertFalse(way.takes(1, 0, BYTES - 1, PEERS));
        takeAll(1, 0);
        assertCastAt(100);
    }
}
