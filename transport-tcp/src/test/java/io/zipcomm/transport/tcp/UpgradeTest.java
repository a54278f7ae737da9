package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Edges in use move from the relay to a direct connection while messages of all lengths go both ways. */
@Tag("once")
@Timeout(60)
final class UpgradeTest extends WithRelay {

    /** Messages that one rank sends to one peer. */
    private static final int ROUNDS = 40;

    /** Messages under way at once between two ranks, in each direction. */
    private static final int IN_FLIGHT = 4;

    /** The direct connection opens when this much has come through the relay. */
    private static final long RELAYED_BYTES = 2 << 20;

    private static final int LONG_BYTES_MAX = 3 << 20;
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);
    private static final int LOAD_TAG = 1;
    private static final int PATH_TAG = 2;

    @ParameterizedTest(name = "{0} groups of {1}")
    @CsvSource({"20, 2", "3, 4"})
    void shouldLoseAndReorderNothing(int groups, int size) throws Exception {
        for (int group = 0; group < groups; group++) {
            upgrade("s" + group, size, seeds.seed() + group);
        }
    }

    private void upgrade(String session, int size, long seed) throws Exception {
        TestGroup group = TestGroup.join(relay, session, size, TransportChoice.AUTO, true, CLOSE_TIMEOUT);
        try {
            // Who opens the connections: the lower rank, the higher, or both at once.
            int who = (int) Math.floorMod(seed, 3L);
            Threads.each(size * size, pair -> {
                int rank = pair / size;
                int peer = pair % size;
                if (rank != peer) {
                    boolean opens = who == 2 || (who == 0) == (rank < peer);
                    new Edge(group.rank(rank), peer, opens, seed).run();
                }
                return null;
            });
            long relayedBytes = 0;
            for (int rank = 0; rank < size; rank++) {
                TestGroup.Rank one = group.rank(rank);
                for (int peer = 0; peer < size; peer++) {
                    if (peer != rank) {
                        assertEquals("tcp", one.pathTo(peer));
                    }
                }
                relayedBytes += one.world.counters().relayBytesReceived;
                assertTrue(one.world.counters().directBytesSent > 0, "the direct connections carried nothing");
                assertEquals(
                        "operations 0, transfers 0, unexpected 0, cleared receives 0",
                        one.world.progress().leaks());
            }
            assertTrue(relayedBytes >= RELAYED_BYTES, "the relay carried " + relayedBytes + " bytes");
        } finally {
            group.leave();
        }
    }

    /** Both directions between one rank and one peer, from the rank's side. */
    private static final class Edge {
        private final TestGroup.Rank rank;
        private final GroupCommunicator world;
        private final int peer;
        private final boolean opens;
        private final long seed;
        private final ArrayDeque<ZipFuture<Void>> sends = new ArrayDeque<>();
        private final ArrayDeque<ZipFuture<Long>> receives = new ArrayDeque<>();
        private final ArrayDeque<ByteBuffer> targets = new ArrayDeque<>();
        private int received;

        Edge(TestGroup.Rank rank, int peer, boolean opens, long seed) {
            this.rank = rank;
            this.peer = peer;
            this.opens = opens;
            this.seed = seed;
            world = rank.world;
        }

        void run() {
            assertEquals("relay", rank.pathTo(peer));
            for (int round = 0; round < ROUNDS; round++) {
                if (sends.size() == IN_FLIGHT) {
                    receiveOne();
                }
                post(round);
                letConnect();
            }
            while (!sends.isEmpty()) {
                receiveOne();
            }
            untilDirect();
        }

        private void post(int round) {
            byte[] message = message(world.rank(), peer, round);
            // Memory of both kinds: direct memory is sent from and received into where it is.
            boolean direct = round % 2 == 0;
            sends.add(world.sendAsync(peer, LOAD_TAG, Payload.of(direct ? direct(message) : ByteBuffer.wrap(message))));
            int expected = length(peer, world.rank(), round);
            ByteBuffer target = direct ? ByteBuffer.allocateDirect(expected) : ByteBuffer.allocate(expected);
            targets.add(target);
            receives.add(world.receiveAsync(peer, LOAD_TAG, Payload.of(target)));
        }

        private void receiveOne() {
            long bytes = receives.poll().await();
            sends.poll().await();
            byte[] expected = message(peer, world.rank(), received);
            assertEquals(expected.length, bytes, () -> "length of message " + received);
            int at = ByteBuffer.wrap(expected).mismatch(targets.poll());
            assertEquals(-1, at, () -> "byte " + at + " of " + expected.length + " in message " + received);
            received++;
        }

        /** Once there is load on the relay. */
        private void letConnect() {
            if (opens && world.counters().relayBytesReceived >= RELAYED_BYTES) {
                rank.letConnect();
            }
        }

        /** Ranks tell each other on which path they send until both do so on a direct one. */
        private void untilDirect() {
            if (opens) {
                rank.letConnect();
            }
            byte[] mine = new byte[1];
            byte[] theirs = new byte[1];
            while (mine[0] == 0 || theirs[0] == 0) {
                mine[0] = (byte) (rank.pathTo(peer).equals("tcp") ? 1 : 0);
                ZipFuture<Void> sent = world.sendAsync(peer, PATH_TAG, Payload.of(mine));
                world.receive(peer, PATH_TAG, theirs);
                sent.await();
            }
        }

        private SplittableRandom random(int from, int to, int round) {
            return new SplittableRandom(seed + ((long) from << 40) + ((long) to << 20) + round);
        }

        private int length(int from, int to, int round) {
            SplittableRandom random = random(from, to, round);
            return switch (random.nextInt(8)) {
                case 0, 1, 2 -> random.nextInt(200);
                case 3, 4 -> random.nextInt(32 << 10);
                case 5, 6 -> random.nextInt(300 << 10);
                default -> random.nextInt(LONG_BYTES_MAX / 2, LONG_BYTES_MAX);
            };
        }

        private byte[] message(int from, int to, int round) {
            byte[] message = new byte[length(from, to, round)];
            SplittableRandom random = random(from, to, -round - 1);
            ByteBuffer words = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
            while (words.remaining() >= Long.BYTES) {
                words.putLong(random.nextLong());
            }
            while (words.hasRemaining()) {
                words.put((byte) random.nextInt());
            }
            return message;
        }

        private static ByteBuffer direct(byte[] content) {
            return ByteBuffer.allocateDirect(content.length).put(content).flip();
        }
    }
}
