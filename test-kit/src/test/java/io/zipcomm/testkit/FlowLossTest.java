package io.zipcomm.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Connections to the relay are lost and come back, at any moment: nothing is lost, repeated or reordered. */
@Tag("once")
final class FlowLossTest {

    private static final int EAGER = 1024;
    private static final int WINDOW = 16 << 10;
    private static final int LONG = 8 * EAGER;
    private static final long AWAY_NS_MAX = 20_000_000;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static SimulatedGroup group(SimulatedNetwork network, TransportChoice choice) {
        return SimulatedGroup.of(
                network,
                options -> options.eagerBytes(EAGER)
                        .windowBytes(WINDOW)
                        .replayBytes(ZipSettings.REPLAY_BYTES_MIN)
                        .transport(choice));
    }

    private static void loseSome(SimulatedGroup group) {
        RandomGenerator random = group.random();
        group.network().loseDataConnection(random.nextInt(group.size()), random.nextLong(AWAY_NS_MAX));
    }

    private static void assertNothingKept(SimulatedGroup group) {
        assertEquals(List.of(), group.leaks());
        group.close();
        for (int rank = 0; rank < group.size(); rank++) {
            assertEquals(0, group.replayChunks(rank), "chunks of rank " + rank);
        }
    }

    @Test
    void shouldKeepEverythingInOrderOnTheRelay() {
        long[] resumed = {0};
        long[] rests = {0};
        seeds.each(200, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2 + (int) (seed & 1), seed);
            try (SimulatedGroup group = group(network, TransportChoice.RELAY)) {
                RandomGenerator random = group.random();
                List<MessageStream> streams = MessageStream.all(group, LONG);
                for (int i = 0; i < 60; i++) {
                    streams.get(random.nextInt(streams.size())).next();
                    group.turns(random.nextInt(12));
                    if (random.nextInt(8) == 0) {
                        loseSome(group);
                    }
                }
                streams.forEach(MessageStream::check);
                resumed[0] += group.resumptions(0, 1);
                rests[0] += network.restCount();
                assertNothingKept(group);
            }
        });
        if (System.getProperty(Seeds.PROPERTY) == null) {
            assertTrue(resumed[0] > 200, resumed[0] + " resumptions");
            assertTrue(rests[0] > 20, rests[0] + " interrupted frames");
        }
    }

    /** Direct paths open, are lost, and are in the middle of a move, while connections to the relay come and go. */
    @Test
    void shouldKeepEverythingInOrderBesideDirectPaths() {
        long[] resumed = {0};
        long[] direct = {0};
        seeds.each(300, seed -> goOnBesideDirectPaths(seed, resumed, direct));
        if (System.getProperty(Seeds.PROPERTY) == null) {
            assertTrue(resumed[0] > 200, resumed[0] + " resumptions");
            assertTrue(direct[0] > 200, direct[0] + " times direct");
        }
    }

    /** A link that goes back to the relay waits for the rest of a frame there, and the rest is lost. */
    @Test
    void shouldGoOnWhenTheRestOfAFrameIsLostThatWasWaitedFor() {
        goOnBesideDirectPaths(-3251026035837524257L, new long[1], new long[1]);
    }

    private void goOnBesideDirectPaths(long seed, long[] resumed, long[] direct) {
        SimulatedNetwork network = new SimulatedNetwork(2 + (int) (seed & 1), seed);
        network.forgettable(true);
        try (SimulatedGroup group = group(network, TransportChoice.AUTO)) {
            RandomGenerator random = group.random();
            List<MessageStream> streams = MessageStream.all(group, LONG);
            for (int i = 0; i < 60; i++) {
                streams.get(random.nextInt(streams.size())).next();
                group.turns(random.nextInt(12));
                direct[0] += SimulatedNetwork.DIRECT.equals(group.pathTo(0, 1)) ? 1 : 0;
                if (random.nextInt(8) == 0) {
                    loseSome(group);
                }
                if (random.nextInt(20) == 0) {
                    network.cut(0, 1, SimulatedNetwork.DIRECT);
                }
            }
            streams.forEach(MessageStream::check);
            resumed[0] += group.resumptions(0, 1);
            assertNothingKept(group);
        }
    }

    /** A path on one host is not recorded, but until the relay's is left behind, what goes on it may have to be sent once more. */
    @Test
    void shouldKeepEverythingInOrderWhileItMovesToAPathThatIsNotRecorded() {
        long[] resumed = {0};
        seeds.each(300, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            network.forgettable(false);
            try (SimulatedGroup group = group(network, TransportChoice.AUTO)) {
                RandomGenerator random = group.random();
                List<MessageStream> streams = MessageStream.all(group, LONG);
                int[] turns = {random.nextInt(30)};
                streams.forEach(MessageStream::next);
                for (int i = 0; i < 60; i++) {
                    streams.get(random.nextInt(2)).next();
                    group.turns(1 + random.nextInt(4));
                    if (network.hasDirect(0, 1) && turns[0]-- == 0) {
                        loseSome(group);
                    }
                }
                streams.forEach(MessageStream::check);
                streams.forEach(MessageStream::next);
                streams.forEach(MessageStream::check);
                resumed[0] += group.resumptions(0, 1);
                assertNothingKept(group);
            }
        });
        if (System.getProperty(Seeds.PROPERTY) == null) {
            assertTrue(resumed[0] > 10, resumed[0] + " resumptions");
        }
    }

    @Test
    void shouldDeliverAllThatWasSentBeforeLeaving() {
        seeds.each(200, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            try (SimulatedGroup group = group(network, TransportChoice.RELAY)) {
                long faultNs = group.random().nextLong(2_000_000);
                network.after(faultNs, () -> loseSome(group));
                long beginNs = network.nowNs();
                group.run(world -> {
                    byte[] room = new byte[500];
                    List<ZipFuture<Void>> sends = new ArrayList<>();
                    for (int i = 0; i < 5; i++) {
                        sends.add(world.sendAsync(1 - world.rank(), 3, Payload.of(Memory.pattern(i, 500))));
                        world.receive(1 - world.rank(), 3, room);
                    }
                    world.close();
                    sends.forEach(Outcome::assertSucceeded);
                });
                long ms = (network.nowNs() - beginNs) / 1_000_000;
                assertTrue(ms < 2000, "closing waited for its timeout: " + ms + " ms");
                assertEquals(0, group.replayChunks(0) + group.replayChunks(1));
            }
        });
    }

    @Test
    void shouldKeepNoMoreForAPeerThanItMay() {
        seeds.each(20, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed, Conditions.usual());
            try (SimulatedGroup group = group(network, TransportChoice.RELAY)) {
                List<MessageStream> streams = MessageStream.all(group, LONG);
                streams.forEach(MessageStream::next);
                streams.forEach(MessageStream::check);
                streams.forEach(one -> one.next(3 * ZipSettings.REPLAY_BYTES_MIN));
                group.runFor(Duration.ofNanos(200_000));
                network.loseDataConnection(0, AWAY_NS_MAX);
                group.runFor(Duration.ofNanos(AWAY_NS_MAX / 2));
                for (int rank = 0; rank < 2; rank++) {
                    assertTrue(group.replayChunks(rank) <= 2, group.replayChunks(rank) + " chunks");
                }
                streams.forEach(MessageStream::check);
                assertNothingKept(group);
            }
        });
    }
}
