package io.zipcomm.bench.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.plan.Means;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
final class FloorPathTest {

    private static final int ROUNDS = 200;
    private static final int[] LENGTHS = {
        1,
        8,
        FloorMemory.SHORT_BYTES_MAX,
        FloorMemory.SHORT_BYTES_MAX + 1,
        FloorMemory.SLOT_BYTES,
        FloorMemory.SLOT_BYTES + 1,
        (FloorMemory.SLOTS + 1) * FloorMemory.SLOT_BYTES + 3,
    };

    private final BlockingQueue<String> places = new LinkedBlockingQueue<>();
    private final ExecutorService other = Executors.newSingleThreadExecutor();

    @AfterEach
    void endTheOther() {
        other.shutdownNow();
    }

    private Future<FloorPath> listening(Means means) {
        return other.submit(() -> switch (means) {
            case SOCKETS -> FloorSocket.accept(places::add);
            case SHARED_MEMORY -> FloorMemory.create(places::add);
        });
    }

    private FloorPath connected(Means means) throws IOException, InterruptedException {
        return switch (means) {
            case SOCKETS -> FloorSocket.connect(places.take());
            case SHARED_MEMORY -> FloorMemory.open(places.take());
        };
    }

    @ParameterizedTest
    @EnumSource
    void shouldBringMessagesOfAnyLengthThereAndBack(Means means) throws Exception {
        Future<FloorPath> listening = listening(means);
        FloorPath near = connected(means);
        FloorPath far = listening.get();
        for (int length : LENGTHS) {
            FloorPingPong ping = new FloorPingPong(near, length);
            FloorPingPong pong = new FloorPingPong(far, length);
            Future<?> answering = other.submit(() -> {
                while (far.hear() != FloorPath.LAST) {
                    pong.answer();
                }
                return null;
            });
            for (int i = 0; i < ROUNDS; i++) {
                boolean all = i == 0 || i == ROUNDS - 1;
                ping.prepare(i, all);
                near.say(FloorPath.MORE);
                assertTrue(ping.run(i, all) > 0);
            }
            near.say(FloorPath.LAST);
            answering.get();
            assertEquals(null, ping.mismatch(), length + " bytes");
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldWriteAheadOfTheReader(Means means) throws Exception {
        Future<FloorPath> listening = listening(means);
        FloorStream stream = new FloorStream(connected(means), true);
        FloorStream drain = new FloorStream(listening.get(), false);
        for (int i = 0; i < 5; i++) {
            Future<?> draining = other.submit(() -> {
                drain.answer();
                return null;
            });
            assertTrue(stream.run(i, false) > 0);
            draining.get();
        }
        assertEquals(null, stream.mismatch());
    }

    @Test
    void shouldReadAndWriteFromWhereTheBufferIs() throws Exception {
        Future<FloorPath> listening = listening(Means.SHARED_MEMORY);
        FloorPath near = connected(Means.SHARED_MEMORY);
        ByteBuffer sent = ByteBuffer.wrap(new byte[] {1, 2, 3, 4}, 1, 2);
        near.write(sent);
        assertFalse(sent.hasRemaining());
        ByteBuffer received = ByteBuffer.wrap(new byte[4], 2, 2);
        listening.get().read(received);
        assertEquals(ByteBuffer.wrap(new byte[] {0, 0, 2, 3}), received.clear());
    }

    @Test
    void shouldLeaveNoFileOnceBothHaveTheMemory() throws Exception {
        Future<FloorPath> listening = listening(Means.SHARED_MEMORY);
        Path file = Path.of(places.take());
        listening.get();
        assertTrue(Files.exists(file));
        FloorPath near = FloorMemory.open(file.toString());
        assertFalse(Files.exists(file));
        near.write(ByteBuffer.wrap(new byte[] {7}));
        ByteBuffer received = ByteBuffer.allocate(1);
        listening.get().read(received);
        assertEquals(7, received.get(0));
    }
}
