package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.transport.rdma.ffi.Native;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A process is killed amid one-sided operations of all ranks. Over tcp: of shared memory libfabric's survivors may hang. */
@Tag("once")
@Timeout(60)
final class RegionDeathTest {

    private static final int SIZE = 3;
    private static final int DOOMED = 1;
    private static final long TOLD_MS_MAX = 5_000;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @RepeatedTest(3)
    void shouldNameTheDeadToAllSurvivorsInTime() throws Exception {
        List<Process> processes = new ArrayList<>();
        try (RegionGroup group = new RegionGroup()) {
            for (int rank = 0; rank < SIZE; rank++) {
                processes.add(RegionProcess.start(group.port(), SIZE, rank, Native.TCP, false));
            }
            List<BufferedReader> words = new ArrayList<>();
            for (Process process : processes) {
                words.add(process.inputReader(StandardCharsets.UTF_8));
                assertEquals("running", words.get(words.size() - 1).readLine());
            }
            long killedMs = System.currentTimeMillis();
            processes.get(DOOMED).destroyForcibly().waitFor();
            for (int rank = 0; rank < SIZE; rank++) {
                if (rank != DOOMED) {
                    assertNamesTheDead(words.get(rank), killedMs);
                    assertTrue(processes.get(rank).waitFor(20, TimeUnit.SECONDS), "rank " + rank + " does not end");
                    assertEquals(0, processes.get(rank).exitValue());
                }
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
            for (Process process : processes) {
                process.waitFor();
                process.getInputStream().close();
                process.getOutputStream().close();
            }
        }
    }

    private static void assertNamesTheDead(BufferedReader words, long killedMs) throws IOException {
        String word = words.readLine();
        String[] parts = word.split(" ", 4);
        assertTrue(Set.of("PEER_LOST", "PEER_FAILED", "COMMUNICATOR_FAILED").contains(parts[0]), word);
        assertEquals(Integer.toString(DOOMED), parts[1], word);
        long tookMs = Long.parseLong(parts[2]) - killedMs;
        assertTrue(tookMs < TOLD_MS_MAX, tookMs + " ms: " + word);
        assertEquals("closed", words.readLine());
    }
}
