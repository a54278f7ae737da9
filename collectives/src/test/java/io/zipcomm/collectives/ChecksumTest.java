package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.Memory;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import io.zipcomm.testkit.SimulatedNetwork;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A network changes bytes of payloads on their way: with checksums that is found out, whatever kind of payload it is. */
final class ChecksumTest {

    private static final int EAGER = 1024;
    private static final int TAG = 5;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** What a rank may be told whose collective met a changed payload somewhere. */
    private static final Set<ErrorCode> TOLD = EnumSet.of(ErrorCode.CORRUPT, ErrorCode.PEER_FAILED);

    @RegisterExtension
    final Seeds seeds = new Seeds();

    private static SimulatedGroup group(SimulatedNetwork network, String checksum) {
        return SimulatedGroup.of(
                network,
                options -> options.eagerBytes(EAGER).windowBytes(16 * EAGER).set(Setting.CHECKSUM, checksum));
    }

    /** Flips one bit of the first payload, or a later one, from one rank to another. */
    private static int[] flip(SimulatedGroup group, int from, int to, int skip) {
        int[] seen = {0, 0};
        RandomGenerator random = group.random();
        group.network().corrupt(from, to, (header, at, piece) -> {
            if (seen[0]++ < skip) {
                return false;
            }
            piece[random.nextInt(piece.length)] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            seen[1]++;
            return true;
        });
        return seen;
    }

    private static ZipException failure(ZipFuture<?> future) {
        CompletionException thrown = assertThrows(
                CompletionException.class, () -> future.toCompletableFuture().join());
        return assertInstanceOf(ZipException.class, thrown.getCause());
    }

    /** A short message or a long one, received before it comes or after, from and to memory of any kind. */
    @Test
    void shouldFailAMessageThatCameInChangedAndNoOther() {
        int[] unexpected = {0};
        int[] announced = {0};
        seeds.each(200, seed -> {
            // What leaves on a path that may be forgotten leaves with other frames, of which none is changed.
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            network.forgettable(false);
            try (SimulatedGroup group = group(network, "on")) {
                RandomGenerator random = group.random();
                boolean isLong = random.nextBoolean();
                boolean isLate = random.nextBoolean();
                announced[0] += isLong ? 1 : 0;
                unexpected[0] += isLate ? 1 : 0;
                int bytes = Long.BYTES * (isLong ? 200 + random.nextInt(2000) : 1 + random.nextInt(EAGER / Long.BYTES));
                Memory out = Memory.allocate(Memory.Kind.of(random.nextInt(10), bytes), bytes)
                        .fill(seed);
                Memory in = Memory.allocate(Memory.Kind.of(random.nextInt(10), bytes), bytes);
                int[] flipped = flip(group, 0, 1, 0);
                ZipFuture<?> received = isLate ? null : receive(group, in);
                ZipFuture<?> sent = group.communicator(0).sendAsync(1, TAG, out.payload());
                if (isLate) {
                    group.turns(random.nextInt(400));
                    received = receive(group, in);
                }
                group.await(sent, received);
                assertEquals(1, flipped[1], "nothing was changed");
                ZipException failure = failure(received);
                assertEquals(ErrorCode.CORRUPT, failure.code(), failure.toString());
                assertEquals(0, failure.peer());
                assertTrue(
                        failure.getMessage().contains("message with tag " + TAG + " from rank 0")
                                && failure.getMessage().contains(" of " + bytes + ", its sender's is "),
                        failure.getMessage());
                Memory again = Memory.allocate(Memory.Kind.of(random.nextInt(10), bytes), bytes);
                ZipFuture<?> next = receive(group, again);
                group.await(group.communicator(0).sendAsync(1, TAG, out.payload()), next);
                next.toCompletableFuture().join();
                assertArrayEquals(out.read(), again.read());
                assertTrue(again.isIntact() && in.isIntact());
                assertEquals(List.of(), group.leaks());
            }
        });
        assertTrue(unexpected[0] > 20 && announced[0] > 20, unexpected[0] + ", " + announced[0]);
    }

    private static ZipFuture<?> receive(SimulatedGroup group, Memory in) {
        return group.communicator(1).receiveAsync(0, TAG, in.payload());
    }

    /** So the network does change what it says it changes. */
    @Test
    void shouldLetAnythingThroughWithoutChecksums() {
        seeds.each(20, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            network.forgettable(false);
            try (SimulatedGroup group = group(network, "off")) {
                Memory out = Memory.allocate(Memory.Kind.DIRECT_BUFFER, EAGER).fill(seed);
                Memory in = Memory.allocate(Memory.Kind.DIRECT_BUFFER, EAGER);
                flip(group, 0, 1, 0);
                ZipFuture<?> received = receive(group, in);
                group.await(group.communicator(0).sendAsync(1, TAG, out.payload()), received);
                received.toCompletableFuture().join();
                assertNotEquals(-1, java.util.Arrays.mismatch(out.read(), in.read()));
            }
        });
    }

    /** Received into memory, or added to what is there as it comes. */
    @Test
    void shouldFailACollectiveAsOneAndNameTheCulprit() {
        int[] found = {0};
        seeds.each(150, seed -> {
            int size = 2 + (int) Math.floorMod(seed, 4L);
            try (SimulatedGroup group = group(new SimulatedNetwork(size, seed), "on")) {
                RandomGenerator random = group.random();
                int count = 1 + random.nextInt(5000);
                boolean reduces = random.nextBoolean();
                int to = random.nextInt(size);
                int from = (to + 1 + random.nextInt(size - 1)) % size;
                int[] flipped = flip(group, from, to, random.nextInt(2));
                Throwable[] outcomes = group.outcomes(
                        world -> {
                            Collectives collectives = Collectives.of(world).withTimeout(Duration.ofSeconds(10));
                            long[] values = new long[count * (reduces ? 1 : size)];
                            java.util.Arrays.fill(values, world.rank() + 1);
                            if (reduces) {
                                collectives.allReduce(values, ReduceOp.SUM);
                                for (long value : values) {
                                    assertEquals((long) size * (size + 1) / 2, value, "a wrong sum");
                                }
                            } else {
                                collectives.allGather(values);
                                for (int i = 0; i < values.length; i++) {
                                    assertEquals(i / count + 1, values[i], "a wrong block");
                                }
                            }
                        },
                        PATIENCE);
                if (flipped[1] > 0) {
                    found[0]++;
                    ZipException culprit = assertInstanceOf(ZipException.class, outcomes[to]);
                    assertEquals(ErrorCode.CORRUPT, culprit.code(), culprit.toString());
                    assertEquals(from, culprit.peer());
                }
                for (Throwable outcome : outcomes) {
                    if (outcome != null) {
                        ZipException failure = assertInstanceOf(ZipException.class, outcome);
                        assertTrue(TOLD.contains(failure.code()), failure.toString());
                    }
                }
            }
        });
        assertTrue(found[0] > 50, "changed in " + found[0] + " groups");
    }

    /** A checksum that was changed is as good as a payload that was. */
    @Test
    void shouldNotTakeAChecksumForAnotherFieldOfItsFrame() {
        seeds.each(40, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            try (SimulatedGroup group = group(network, "on")) {
                int bytes = (seed & 1) == 0 ? EAGER : 8 * EAGER;
                FrameType type = (seed & 1) == 0 ? FrameType.EAGER : FrameType.DATA;
                network.tamper(0, 1, (header, at) -> {
                    if (Frame.type(header, at) != type.number()) {
                        return false;
                    }
                    Frame.checksum(header, at, Frame.checksum(header, at) + 1);
                    return true;
                });
                ZipFuture<?> received = group.communicator(1).receiveAsync(0, TAG, Payload.of(new byte[bytes]));
                ZipFuture<?> sent = group.communicator(0).sendAsync(1, TAG, Payload.of(new byte[bytes]));
                group.await(sent, received);
                assertEquals(ErrorCode.CORRUPT, failure(received).code());
            }
        });
    }
}
