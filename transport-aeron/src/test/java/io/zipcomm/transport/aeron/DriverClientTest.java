package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aeron.CncFileDescriptor;
import io.zipcomm.testkit.SharedMemoryFolder;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.BufferUtil;
import org.agrona.IoUtil;
import org.agrona.concurrent.ringbuffer.ManyToOneRingBuffer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Connecting to a media driver that runs, is dead, or is not there. */
@Tag("once")
@Timeout(60)
final class DriverClientTest {

    private static final long LONG_MS = 120_000;
    private static final long SHORT_MS = 300;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    @Test
    void shouldConnectToADriverThatLives() throws Exception {
        Path living = directory.resolve("living");
        EmbeddedDriver driver = EmbeddedDriver.start(living, 0);
        try (DriverClient client = DriverClient.connect(living, 3, LONG_MS, () -> false)) {
            client.look();
            assertEquals(3, client.holder());
        } finally {
            driver.close();
        }
    }

    /** Dead for less time than it might have been silent. */
    @Test
    void shouldNotConnectToADriverThatIsDead() throws Exception {
        Path dead = Files.createDirectory(directory.resolve("dead"));
        Path living = directory.resolve("living");
        EmbeddedDriver driver = EmbeddedDriver.start(living, 0);
        Files.copy(living.resolve(CncFileDescriptor.CNC_FILE), dead.resolve(CncFileDescriptor.CNC_FILE));
        driver.close();
        MappedByteBuffer cnc =
                IoUtil.mapExistingFile(dead.resolve(CncFileDescriptor.CNC_FILE).toFile(), "cnc");
        ManyToOneRingBuffer commands = new ManyToOneRingBuffer(
                CncFileDescriptor.createToDriverBuffer(cnc, CncFileDescriptor.createMetaDataBuffer(cnc)));
        commands.consumerHeartbeatTime(System.currentTimeMillis() - LONG_MS / 2);
        BufferUtil.free(cnc);
        long beganNs = System.nanoTime();
        IOException refusal =
                assertThrows(IOException.class, () -> DriverClient.connect(dead, 0, LONG_MS, () -> false));
        assertTrue(refusal.getMessage().endsWith("dead: no sign of life within 10000 ms"), refusal.getMessage());
        assertTrue(System.nanoTime() - beganNs < LONG_MS / 4 * 1_000_000);
    }

    /** Behind its last sign of life, as Aeron begins to connect to it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNotWaitForADriverThatEndsMeanwhile(boolean isCancelled) {
        Path living = directory.resolve("living");
        EmbeddedDriver driver = EmbeddedDriver.start(living, 0);
        AtomicInteger looks = new AtomicInteger();
        long beganNs = System.nanoTime();
        IOException late = assertThrows(
                IOException.class,
                () -> DriverClient.connect(living, 0, LONG_MS, () -> {
                    if (looks.getAndIncrement() == 0) {
                        driver.close();
                    }
                    return isCancelled && looks.get() > 3;
                }));
        long tookNs = System.nanoTime() - beganNs;
        assertTrue(late.getMessage().startsWith("media driver in " + living + ": "), late.getMessage());
        assertTrue(tookNs < (isCancelled ? 5_000_000_000L : LONG_MS / 4 * 1_000_000), tookNs + " ns");
    }

    @Test
    void shouldNotWaitForADriverLongerThanItMay() {
        Path none = directory.resolve("none");
        IOException late = assertThrows(IOException.class, () -> DriverClient.connect(none, 0, SHORT_MS, () -> false));
        assertTrue(late.getMessage().endsWith("none: no sign of life within 300 ms"), late.getMessage());
        long beganNs = System.nanoTime();
        IOException unwanted =
                assertThrows(IOException.class, () -> DriverClient.connect(none, 0, LONG_MS, () -> true));
        assertTrue(unwanted.getMessage().endsWith("none: not needed any more"), unwanted.getMessage());
        assertTrue(System.nanoTime() - beganNs < 5_000_000_000L);
    }
}
