package io.zipcomm.relay.route;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.zipcomm.error.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who gives way when too much waits, without sockets: channels that take nothing. */
final class ExchangeTest {

    private static final int KB = 1000;

    private final List<String> givenUp = new ArrayList<>();
    private final List<EmbeddedChannel> channels = new ArrayList<>();
    private final EmbeddedChannel home = channel();
    private final ForwardCounters counters = new ForwardCounters();
    private final Exchange exchange =
            new Exchange(home.eventLoop(), UnpooledByteBufAllocator.DEFAULT, counters, 100 * KB);

    @AfterEach
    void close() {
        channels.forEach(EmbeddedChannel::finishAndReleaseAll);
    }

    private EmbeddedChannel channel() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
        channels.add(channel);
        return channel;
    }

    private static Switchboard board() {
        return new Switchboard(1, 4, 1 << 20, 1 << 16, 0, false);
    }

    /** Bytes wait for a rank that reads nothing. */
    private Outlet waiting(String name, Switchboard board, int bytes) {
        Outlet outlet = new Outlet(0, channel(), exchange, board, owner(name));
        outlet.offer(exchange.allocator().directBuffer(bytes).writeZero(bytes));
        return outlet;
    }

    private DataConnection.Owner owner(String name) {
        return new DataConnection.Owner() {
            @Override
            public void violated(ErrorCode code, String reason) {
                throw new AssertionError(reason);
            }

            @Override
            public void exceeded(ForwardLimit limit, String reason) {
                givenUp.add(name + " " + limit);
            }

            @Override
            public void limitReached(ForwardLimit limit) {
                throw new AssertionError(limit);
            }

            @Override
            public void dataEnded(String reason) {
                throw new AssertionError(reason);
            }
        };
    }

    /** Another group's rank may have more than any of them: it is not the cause. */
    @Test
    void shouldGiveUpTheLargestRankOfTheLargestGroup() {
        Switchboard large = board();
        List<Outlet> all = new ArrayList<>();
        all.add(waiting("large 0", large, 25 * KB));
        all.add(waiting("large 1", large, 30 * KB));
        all.add(waiting("large 2", large, 5 * KB));
        all.add(waiting("other", board(), 45 * KB));
        home.runPendingTasks();
        assertEquals(List.of("large 1 MEMORY"), givenUp);
        assertEquals(75 * KB, counters.bytesWaiting.sum());
        all.forEach(Outlet::close);
        assertEquals(0, counters.bytesWaiting.sum());
    }

    /** Nobody asks the futures of what is done later. */
    @Test
    void shouldCountDefectsInWhatItDoesLater() {
        exchange.later(() -> {
            throw new IllegalStateException("at once");
        });
        Future<?> delayed = exchange.later(1, () -> {
            throw new IllegalStateException("after some time");
        });
        home.advanceTimeBy(1, TimeUnit.SECONDS);
        home.runPendingTasks();
        assertTrue(delayed.isDone());
        assertEquals(2, counters.defects.sum());
    }

    /** Each holds less than it may, of a frame that does not end or that is not read. */
    @Test
    void shouldGiveUpTheConnectionInWhichMostIsUnderWay() {
        Switchboard board = board();
        List<Outlet> all = new ArrayList<>();
        all.add(waiting("begun 30", board, 1));
        all.add(waiting("begun 40", board, 1));
        all.add(waiting("held 50", board, 1));
        all.get(0).begun(30 * KB);
        all.get(1).begun(40 * KB);
        ByteBuf unread = exchange.allocator().directBuffer(50 * KB).writeZero(50 * KB);
        assertFalse(channels.get(3).write(unread).isDone());
        home.runPendingTasks();
        assertEquals(List.of(), givenUp);
        all.get(2).countUnderWay();
        home.runPendingTasks();
        assertEquals(List.of("held 50 MEMORY"), givenUp);
        // What has gone does not count.
        all.get(1).begun(0);
        all.add(waiting("begun 60", board, 1));
        all.get(3).begun(60 * KB);
        home.runPendingTasks();
        assertEquals(1, givenUp.size());
        all.forEach(Outlet::close);
    }
}
