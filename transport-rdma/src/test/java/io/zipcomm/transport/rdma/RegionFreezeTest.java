package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Region;
import io.zipcomm.Zip;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.LeakCheck;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which operations need something of their target: it stands still, all its threads. As docs/one-sided.md has it. */
@Tag("once")
@Timeout(60)
final class RegionFreezeTest {

    private static final Duration HASTE = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @ParameterizedTest(name = "{0}: a {1} of {2} bytes ends: {3}")
    @CsvSource({
        "shm, get, 8, true",
        "shm, get, 4194304, true",
        "shm, put, 8, false",
        "shm, put, 4194304, false",
        "tcp;ofi_rxm, get, 8, false",
        "tcp;ofi_rxm, put, 4194304, false"
    })
    void shouldNeedTheTargetOrNot(String provider, String operation, int bytes, boolean ends) throws Exception {
        try (RegionGroup group = new RegionGroup()) {
            Process frozen = RegionProcess.start(group.port(), 2, 1, provider, true);
            try (Communicator world =
                    Zip.join(RegionGroup.settings(group.port(), "processes", 2, 0, TransportChoice.RDMA, provider))) {
                Region region = world.expose(ByteBuffer.allocateDirect(1));
                region.fence();
                assertEquals(
                        "running", frozen.inputReader(StandardCharsets.UTF_8).readLine());
                freeze(frozen);
                ByteBuffer memory = RegionGroup.filled(bytes, 0);
                assertEquals(ends, ends(region.withTimeout(HASTE), operation, memory));
                if (ends) {
                    assertTrue(memory.get(0) == RegionProcess.VALUE && memory.get(bytes - 1) == RegionProcess.VALUE);
                }
                frozen.destroyForcibly().waitFor();
            } finally {
                frozen.destroyForcibly().waitFor();
                frozen.getInputStream().close();
                frozen.getOutputStream().close();
            }
        }
    }

    private static boolean ends(Region region, String operation, ByteBuffer memory) {
        if (operation.equals("get")) {
            region.get(1, 0, memory);
        } else {
            region.put(1, 0, memory);
        }
        try {
            region.flush(1);
            return true;
        } catch (ZipException e) {
            assertEquals(ErrorCode.DEADLINE, e.code(), e.getMessage());
            assertEquals(1, e.peer(), e.getMessage());
            assertTrue(e.getMessage().contains("flush of rank 1 in region #1"), e.getMessage());
            return false;
        }
    }

    /** Each thread stops when it is next run, which is later than kill returns. */
    private static void freeze(Process process) throws IOException, InterruptedException {
        ProcessBuilder kill = new ProcessBuilder("kill", "-STOP", Long.toString(process.pid()));
        assertEquals(0, kill.inheritIO().start().waitFor());
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!standsStill(process)) {
            assertTrue(System.nanoTime() < deadline, "a thread of the frozen process still runs");
            Thread.sleep(1);
        }
    }

    private static boolean standsStill(Process process) throws IOException {
        try (DirectoryStream<Path> threads =
                Files.newDirectoryStream(Path.of("/proc", Long.toString(process.pid()), "task"))) {
            for (Path thread : threads) {
                String stat = Files.readString(thread.resolve("stat"));
                if (stat.charAt(stat.lastIndexOf(')') + 2) != 'T') {
                    return false;
                }
            }
            return true;
        }
    }
}
