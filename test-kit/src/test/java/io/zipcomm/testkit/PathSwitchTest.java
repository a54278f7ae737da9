package io.zipcomm.testkit;

import static io.zipcomm.testkit.Outcome.assertFailed;
import static io.zipcomm.testkit.Outcome.assertSucceeded;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Links begin on the relay and move to a direct path while messages are under way. */
@Tag("once")
final class PathSwitchTest {

    private static final int EAGER = 1024;
    private static final int WINDOW = 16 << 10;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static SimulatedGroup group(SimulatedNetwork network, TransportChoice choice) {
        return SimulatedGroup.of(
                network,
                options -> options.eagerBytes(EAGER).windowBytes(WINDOW).transport(choice));
    }

    /** Messages both ways on one tag: they must all arrive, in order, wherever the links move meanwhile. */
    private static final class Stream {
        private final SimulatedGroup group;
        private final int from;
        private final int to;
        private final List<ZipFuture<Void>> sends = new ArrayList<>();
        private final List<ZipFuture<Long>> receives = new ArrayList<>();
        private final List<byte[]> sent = new ArrayList<>();
        private final List<byte[]> received = new ArrayList<>();

        Stream(SimulatedGroup group, int from, int to) {
            this.group = group;
            this.from = from;
            this.to = to;
        }

        void next() {
            RandomGenerator random = group.random();
            int bytes = random.nextInt(4) > 0 ? random.nextInt(EAGER) : random.nextInt(8 * EAGER);
            byte[] memory = Memory.pattern(random.nextLong(), bytes);
            byte[] room = new byte[bytes];
            boolean receiveFirst = random.nextBoolean();
            if (receiveFirst) {
                receives.add(group.communicator(to).receiveAsync(from, 1, Payload.of(room)));
            }
            sends.add(group.communicator(from).sendAsync(to, 1, Payload.of(memory)));
            if (!receiveFirst) {
                receives.add(group.communicator(to).receiveAsync(from, 1, Payload.of(room)));
            }
            sent.add(memory);
            received.add(room);
        }

        void end() {
            group.await(sends);
            group.await(receives);
        }

        void check() {
            end();
            sends.forEach(Outcome::assertSucceeded);
            receives.forEach(Outcome::assertSucceeded);
            for (int i = 0; i < sent.size(); i++) {
                assertArrayEquals(sent.get(i), received.get(i), "message " + i + " from " + from + " to " + to);
            }
        }
    }

    private static List<Stream> streams(SimulatedGroup group) {
        List<Stream> streams = new ArrayList<>();
        for (int from = 0; from < group.size(); from++) {
            for (int to = 0; to < group.size(); to++) {
                if (from != to) {
                    streams.add(new Stream(group, from, to));
                }
            }
        }
        return streams;
    }

    private static void load(SimulatedGroup group, List<Stream> streams, int messages) {
        for (int i = 0; i < messages; i++) {
            streams.get(group.random().nextInt(streams.size())).next();
            group.turns(group.random().nextInt(12));
        }
    }

    @Test
    void shouldKeepEverythingInOrderWhileItMoves() {
        seeds.each(300, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2 + (int) (seed & 1), seed);
            try (SimulatedGroup group = group(network, TransportChoice.AUTO)) {
                List<Stream> streams = streams(group);
                load(group, streams, 40);
                streams.forEach(Stream::check);
                // Whatever was used is direct in the end.
                group.runFor(Duration.ofNanos(3 * network.conditions().connectNsMax() + 50_000_000));
                streams.forEach(Stream::next);
                streams.forEach(Stream::check);
                for (Stream stream : streams) {
                    assertEquals(SimulatedNetwork.DIRECT, group.pathTo(stream.from, stream.to));
                }
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldStayOnTheRelayWhereNoDirectPathOpens() {
        seeds.each(60, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(3, seed);
            network.refuse(0, 1, "no route to host");
            try (SimulatedGroup group = group(network, TransportChoice.AUTO)) {
                List<Stream> streams = streams(group);
                load(group, streams, 60);
                streams.forEach(Stream::check);
                group.runFor(Duration.ofNanos(2 * network.conditions().connectNsMax()));
                assertEquals(SimulatedNetwork.RELAY, group.pathTo(0, 1));
                assertEquals(SimulatedNetwork.RELAY, group.pathTo(1, 0));
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldConnectNobodyWhenToldToStayOnTheRelay() {
        seeds.each(20, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            try (SimulatedGroup group = group(network, TransportChoice.RELAY)) {
                List<Stream> streams = streams(group);
                load(group, streams, 40);
                streams.forEach(Stream::check);
                group.runFor(Duration.ofSeconds(1));
                assertEquals(0, group.communicator(0).counters().directBytesSent);
                assertEquals(SimulatedNetwork.RELAY, group.pathTo(0, 1));
            }
        });
    }

    @Test
    void shouldWaitForTheDirectPathWhenToldToUseNoOther() {
        seeds.each(60, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(3, seed);
            try (SimulatedGroup group = group(network, TransportChoice.TCP)) {
                List<Stream> streams = streams(group);
                load(group, streams, 60);
                streams.forEach(Stream::check);
                assertEquals(0, group.communicator(0).counters().relayBytesSent);
                assertEquals(List.of(), group.leaks());
            }
        });
    }

    @Test
    void shouldNameThePeerThatCannotBeReachedDirectly() {
        seeds.each(20, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(3, seed);
            network.refuse(0, 1, "no route to host");
            try (SimulatedGroup group = group(network, TransportChoice.TCP)) {
                ZipFuture<Void> send = group.communicator(0).sendAsync(1, 1, Payload.of(new byte[3]));
                ZipFuture<Long> receive = group.communicator(0).receiveAsync(1, 1, Payload.of(new byte[3]));
                group.await(send, receive);
                ZipException failure = assertFailed(ErrorCode.UNREACHABLE, 1, send);
                assertTrue(failure.getMessage().contains("no route to host"), failure.getMessage());
                assertFailed(ErrorCode.UNREACHABLE, 1, receive);
                Stream other = new Stream(group, 0, 2);
                other.next();
                other.check();
            }
        });
    }

    @Test
    void shouldMoveThoughOneSideOnlyListens() {
        seeds.each(40, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            try (SimulatedGroup group = group(network, TransportChoice.AUTO)) {
                Stream stream = new Stream(group, 0, 1);
                for (int i = 0; i < 30; i++) {
                    stream.next();
                    group.runFor(Duration.ofNanos(network.conditions().connectNsMax() / 8));
                }
                stream.check();
                assertEquals(SimulatedNetwork.DIRECT, group.pathTo(0, 1));
            }
        });
    }

    /** A direct path broke at one end while it waited for the rest of a frame through the relay, and SWITCH came behind that. */
    private static final long BROKE_BEFORE_SWITCH = 8543874232593098966L;

    @Test
    void shouldLoseNothingSilentlyWhenADirectPathBreaks() {
        int[] cut = {0};
        int[] failed = {0};
        breakDirectPath(BROKE_BEFORE_SWITCH, cut, failed);
        seeds.each(300, seed -> breakDirectPath(seed, cut, failed));
        assertTrue(cut[0] > 0 && failed[0] > 0, cut[0] + " paths cut, " + failed[0] + " streams failed");
    }

    private void breakDirectPath(long seed, int[] cut, int[] failed) {
        SimulatedNetwork network = new SimulatedNetwork(2, seed);
        try (SimulatedGroup group = group(network, TransportChoice.AUTO)) {
            RandomGenerator random = group.random();
            List<Stream> streams = streams(group);
            int before = random.nextInt(30);
            for (int i = 0; i < 40; i++) {
                streams.get(random.nextInt(2)).next();
                group.turns(random.nextInt(12));
                if (i >= before && network.cut(0, 1, SimulatedNetwork.DIRECT)) {
                    cut[0]++;
                    break;
                }
            }
            long beginNs = network.nowNs();
            streams.forEach(Stream::end);
            long ms = (network.nowNs() - beginNs) / 1_000_000;
            assertTrue(ms < 5000, "ended after " + ms + " ms: " + network.state());
            for (Stream stream : streams) {
                checkBroken(stream);
                failed[0] += stream.receives.stream().anyMatch(one -> Outcome.code(one) != null) ? 1 : 0;
            }
        }
    }

    /** What was received is right; what was not received failed with the name of the peer. */
    private static void checkBroken(Stream stream) {
        for (int i = 0; i < stream.sent.size(); i++) {
            assertLostIfFailed(stream.sends.get(i), stream.to);
            assertLostIfFailed(stream.receives.get(i), stream.from);
            if (Outcome.code(stream.receives.get(i)) == null) {
                assertArrayEquals(stream.sent.get(i), stream.received.get(i));
            }
        }
    }

    private static void assertLostIfFailed(ZipFuture<?> operation, int peer) {
        if (Outcome.code(operation) != null) {
            assertFailed(ErrorCode.PEER_LOST, peer, operation);
        }
    }

    @Test
    void shouldSurviveTheRelayOnceItIsDirect() {
        seeds.each(60, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(3, seed);
            network.refuse(1, 2, "no route to host");
            try (SimulatedGroup group = group(network, TransportChoice.AUTO)) {
                List<Stream> streams = streams(group);
                load(group, streams, 30);
                streams.forEach(Stream::check);
                group.runFor(Duration.ofNanos(3 * network.conditions().connectNsMax() + 50_000_000));
                streams.forEach(Stream::next);
                streams.forEach(Stream::check);
                network.stopRelay();
                group.runFor(Duration.ofMillis(100));
                Stream direct = new Stream(group, 0, 1);
                direct.next();
                direct.check();
                ZipFuture<Void> relayed = group.communicator(1).sendAsync(2, 5, Payload.of(new byte[8]));
                group.await(relayed);
                ZipException failure = assertFailed(ErrorCode.RELAY_LOST, 2, relayed);
                assertTrue(failure.getMessage().contains("relay"), failure.getMessage());
                ZipFuture<Void> last = group.communicator(0).sendAsync(2, 6, Payload.of(new byte[0]));
                group.await(last);
                assertSucceeded(last);
            }
        });
    }
}
