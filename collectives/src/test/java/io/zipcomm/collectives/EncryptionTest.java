package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes through the relay is encrypted: it sees nothing of it, and cannot change, repeat or move any of it unnoticed. */
final class EncryptionTest {

    private static final String SECRET = "the relay must not know this";
    private static final byte[] PLAIN = "no relay is to read this text. ".getBytes(StandardCharsets.US_ASCII);
    private static final int SEALED = FrameType.SEALED.number();
    private static final int TAG = 3;
    private static final int SHORT_BYTES = 31 * 8;
    private static final int LONG_BYTES = 31 * 8 * 1024;
    private static final long MOVE_NS_MAX = TimeUnit.SECONDS.toNanos(20);

    private RelayServer relay;
    private int groups;

    @BeforeEach
    void startRelay() {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    @AfterEach
    void stopRelay() {
        relay.close();
    }

    private interface Program {
        void run(Communicator world) throws Exception;
    }

    private interface Change {
        ZipSettings.Builder settings(int rank, ZipSettings.Builder settings);
    }

    /** What each rank's program threw; null where it ended well. */
    private List<Throwable> outcomes(int size, String address, Change change, Program program) throws Exception {
        String session = "group-" + ++groups;
        ExecutorService ranks = Executors.newFixedThreadPool(size);
        try {
            List<Future<Throwable>> running = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                ZipSettings.Builder settings = ZipSettings.builder()
                        .relay(address)
                        .session(session)
                        .size(size)
                        .rank(rank)
                        .transport(TransportChoice.RELAY)
                        .operationTimeout(Duration.ofSeconds(20))
                        .joinTimeout(Duration.ofSeconds(20))
                        .set(Setting.CLOSE_TIMEOUT, "1000")
                        .set(Setting.SHARED_MEMORY, "none")
                        .set(Setting.ENCRYPTION, "relayed")
                        .set(Setting.SECRET, SECRET);
                ZipSettings mine = change.settings(rank, settings).build();
                running.add(ranks.submit(() -> {
                    try (Communicator world = Zip.join(mine)) {
                        program.run(world);
                        return null;
                    } catch (Exception | AssertionError e) {
                        return e;
                    }
                }));
            }
            List<Throwable> outcomes = new ArrayList<>();
            for (Future<Throwable> one : running) {
                outcomes.add(one.get(60, TimeUnit.SECONDS));
            }
            return outcomes;
        } finally {
            ranks.shutdownNow();
        }
    }

    private static void assertNoFailure(List<Throwable> outcomes) {
        for (Throwable outcome : outcomes) {
            if (outcome != null) {
                throw new AssertionError("a rank failed: " + outcome, outcome);
            }
        }
    }

    private static byte[] text(int bytes) {
        byte[] text = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            text[i] = PLAIN[i % PLAIN.length];
        }
        return text;
    }

    private static Payload direct(byte[] content) {
        ByteBuffer memory = ByteBuffer.allocateDirect(content.length);
        return Payload.of(memory.put(content).flip(), DataType.INT8);
    }

    private static boolean contains(byte[] all, byte[] part) {
        for (int i = 0; i <= all.length - part.length; i++) {
            if (all[i] == part[0] && Arrays.equals(all, i, i + part.length, part, 0, part.length)) {
                return true;
            }
        }
        return false;
    }

    /** Short and long messages, received early and late, and collectives that move and add. */
    private static void talk(Communicator world) {
        Collectives collectives = Collectives.of(world);
        int next = (world.rank() + 1) % world.size();
        int before = (world.rank() + world.size() - 1) % world.size();
        for (int bytes : new int[] {0, 1, SHORT_BYTES, LONG_BYTES}) {
            byte[] out = text(bytes);
            byte[] in = new byte[bytes];
            boolean isDirect = (bytes & 8) != 0;
            ZipFuture<?> sent = world.sendAsync(next, TAG, isDirect ? direct(out) : Payload.of(out));
            world.receive(before, TAG, Payload.of(in));
            sent.await();
            assertArrayEquals(out, in);
        }
        long[] sums = new long[20_000];
        Arrays.fill(sums, world.rank() + 1);
        collectives.allReduce(sums, ReduceOp.SUM);
        long expected = (long) world.size() * (world.size() + 1) / 2;
        assertTrue(Arrays.stream(sums).allMatch(sum -> sum == expected), "a wrong sum");
        byte[] everybody = text(LONG_BYTES);
        byte[] mine = world.rank() == 0 ? everybody.clone() : new byte[LONG_BYTES];
        collectives.broadcast(Payload.of(mine), 0);
        assertArrayEquals(everybody, mine);
        collectives.barrier();
    }

    private boolean relaySees(String encryption, TransportChoice transport, Program more) throws Exception {
        try (FrameTap tap = new FrameTap(relay.address(), (type, frame) -> List.of(frame))) {
            assertNoFailure(outcomes(
                    3,
                    tap.address(),
                    (rank, settings) -> settings.transport(transport).set(Setting.ENCRYPTION, encryption),
                    world -> {
                        talk(world);
                        more.run(world);
                    }));
            return contains(tap.seen(), PLAIN);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = TransportChoice.class,
            names = {"RELAY", "AUTO"})
    void shouldShowTheRelayNothingOfMessagesAndCollectives(TransportChoice transport) throws Exception {
        assertFalse(relaySees("relayed", transport, world -> {
            if (transport == TransportChoice.AUTO) {
                moveAll(world);
                talk(world);
            }
        }));
    }

    /** Links begin on the relay and go on without it: direct paths are not sealed. */
    private static void moveAll(Communicator world) {
        long lateNs = System.nanoTime() + MOVE_NS_MAX;
        int[] moved = new int[1];
        do {
            assertTrue(System.nanoTime() - lateNs < 0, "not all links became direct");
            moved[0] = IntStream.range(0, world.size())
                            .filter(peer -> peer != world.rank())
                            .allMatch(peer -> "tcp"
                                    .equals(GroupCommunicator.of(world)
                                            .progress()
                                            .pathTo(peer)))
                    ? 1
                    : 0;
            Collectives.of(world).allReduce(moved, ReduceOp.MIN);
        } while (moved[0] == 0);
    }

    /** So what is looked for would be found. */
    @Test
    void shouldShowTheRelayEverythingWithoutEncryption() throws Exception {
        assertTrue(relaySees("off", TransportChoice.RELAY, world -> {}));
    }

    /** One rank sends two messages, of which the relay makes something else. */
    private ZipException received(FrameTap.Meddler meddler) throws Exception {
        try (FrameTap tap = new FrameTap(relay.address(), meddler)) {
            List<Throwable> outcomes = outcomes(2, tap.address(), (rank, settings) -> settings, world -> {
                byte[] memory = text(SHORT_BYTES);
                if (world.rank() == 0) {
                    ZipFuture<?> first = world.sendAsync(1, TAG, Payload.of(memory));
                    ZipFuture<?> second = world.sendAsync(1, TAG, Payload.of(text(SHORT_BYTES)));
                    first.await();
                    second.await();
                    world.receive(1, TAG, Payload.of(memory));
                } else {
                    for (int i = 0; i < 3; i++) {
                        Arrays.fill(memory, (byte) 0);
                        world.receive(0, TAG, Payload.of(memory));
                        assertArrayEquals(text(SHORT_BYTES), memory);
                    }
                }
            });
            ZipException sender = assertInstanceOf(ZipException.class, outcomes.get(0));
            assertEquals(1, sender.peer(), sender.toString());
            return assertInstanceOf(ZipException.class, outcomes.get(1));
        }
    }

    private static void assertFrom0(ErrorCode code, String text, ZipException failure) {
        assertEquals(code, failure.code(), failure.toString());
        assertEquals(0, failure.peer(), failure.toString());
        assertTrue(failure.getMessage().contains(text), failure.getMessage());
    }

    private static boolean isFrom0(byte[] frame) {
        return frame[Frame.SOURCE_OFFSET] == 0;
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void shouldFailWhereABitWasFlipped(Place place) throws Exception {
        boolean[] done = {false};
        assertFrom0(ErrorCode.CORRUPT, "was changed on its way through the relay", received((type, frame) -> {
            if (type == SEALED && isFrom0(frame) && !done[0]) {
                done[0] = true;
                frame[place.index(frame.length)] ^= 4;
            }
            return List.of(frame);
        }));
    }

    /** Where in a frame. */
    private enum Place {
        UNUSED_HEADER_FIELD,
        HEADER_WITHIN,
        PAYLOAD,
        SEAL;

        int index(int length) {
            return switch (this) {
                case UNUSED_HEADER_FIELD -> Frame.CREDIT_OFFSET;
                case HEADER_WITHIN -> Frame.HEADER_BYTES + Frame.TAG_OFFSET;
                case PAYLOAD -> 2 * Frame.HEADER_BYTES + 7;
                case SEAL -> length - 1;
            };
        }
    }

    @Test
    void shouldFailWhereAFrameComesAgain() throws Exception {
        boolean[] done = {false};
        assertFrom0(ErrorCode.CORRUPT, "it was sent again or moved", received((type, frame) -> {
            if (type == SEALED && isFrom0(frame) && !done[0]) {
                done[0] = true;
                return List.of(frame, frame);
            }
            return List.of(frame);
        }));
    }

    @Test
    void shouldFailWhereFramesChangePlaces() throws Exception {
        byte[][] held = {null};
        int[] count = {0};
        assertFrom0(ErrorCode.CORRUPT, "were dropped or moved", received((type, frame) -> {
            if (type != SEALED || !isFrom0(frame)) {
                return List.of(frame);
            }
            return switch (count[0]++) {
                case 0 -> {
                    held[0] = frame;
                    yield List.of();
                }
                case 1 -> List.of(frame, held[0]);
                default -> List.of(frame);
            };
        }));
    }

    @Test
    void shouldFailWhereAFrameIsNotEncrypted() throws Exception {
        boolean[] done = {false};
        assertFrom0(ErrorCode.CORRUPT, "not encrypted", received((type, frame) -> {
            if (type == SEALED && isFrom0(frame) && !done[0]) {
                done[0] = true;
                byte[] forged = Arrays.copyOf(frame, Frame.HEADER_BYTES);
                ByteBuffer header = ByteBuffer.wrap(forged).order(java.nio.ByteOrder.LITTLE_ENDIAN);
                Frame.payloadBytes(header, 0, 0);
                forged[Frame.TYPE_OFFSET] = (byte) FrameType.CREDIT.number();
                return List.of(forged, frame);
            }
            return List.of(frame);
        }));
    }

    @Test
    void shouldNameThePeerThatHasAnotherSecret() throws Exception {
        List<Throwable> outcomes = outcomes(
                2,
                "127.0.0.1:" + relay.address().getPort(),
                (rank, settings) -> rank == 0 ? settings : settings.set(Setting.SECRET, SECRET + "!"),
                EncryptionTest::talk);
        for (int rank = 0; rank < 2; rank++) {
            ZipException failure = assertInstanceOf(ZipException.class, outcomes.get(rank));
            // Who finds it out first tells the other.
            assertTrue(
                    failure.getMessage().contains("encrypts with another key: its ZIP_SECRET differs"),
                    failure.getMessage());
            assertEquals(1 - rank, failure.peer());
        }
        assertTrue(outcomes.stream().anyMatch(one -> ((ZipException) one).code() == ErrorCode.UNAUTHORIZED));
    }

    @Test
    void shouldRefuseARankThatDoesNotEncrypt() throws Exception {
        List<Throwable> outcomes = outcomes(
                2,
                "127.0.0.1:" + relay.address().getPort(),
                (rank, settings) -> settings.joinTimeout(Duration.ofSeconds(2))
                        .set(Setting.ENCRYPTION, rank == 0 ? "relayed" : "off"),
                EncryptionTest::talk);
        assertTrue(
                outcomes.stream()
                        .map(one -> assertInstanceOf(ZipException.class, one))
                        .anyMatch(one -> one.code() == ErrorCode.BAD_SETTING
                                && one.getMessage().contains("ZIP_ENCRYPTION")),
                outcomes.toString());
    }

    @Test
    void shouldReadTheSecretFromAFileAndWantOneOfSomeLength(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("secret"), SECRET + "\n");
        assertEquals(
                encrypted().set(Setting.SECRET, SECRET).build().protection().secret(),
                encrypted()
                        .set(Setting.SECRET_FILE, file.toString())
                        .build()
                        .protection()
                        .secret());
        assertBad("ZIP_SECRET is not set", encrypted());
        assertBad("ZIP_SECRET has 5 characters", encrypted().set(Setting.SECRET, "short"));
        assertBad("both set", encrypted().set(Setting.SECRET, SECRET).set(Setting.SECRET_FILE, file.toString()));
        assertBad(
                "cannot be read",
                encrypted().set(Setting.SECRET_FILE, folder.resolve("none").toString()));
        assertBad(
                "ZIP_RELAY_COLLECTIVES is 'reduce'",
                encrypted().set(Setting.SECRET, SECRET).set(Setting.RELAY_COLLECTIVES, "reduce"));
        assertFalse(encrypted().set(Setting.SECRET, SECRET).build().toString().contains(SECRET));
    }

    private static ZipSettings.Builder encrypted() {
        return ZipSettings.builder().session("s").size(2).set(Setting.ENCRYPTION, "relayed");
    }

    private static void assertBad(String text, ZipSettings.Builder settings) {
        ZipException problem = assertThrows(ZipException.class, settings::build);
        assertEquals(ErrorCode.BAD_SETTING, problem.code());
        assertTrue(problem.getMessage().contains(text), problem.getMessage());
    }
}
