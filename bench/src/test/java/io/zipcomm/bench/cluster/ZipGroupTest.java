package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.worker.CaseOrder;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ZipGroupTest {

    private static final long LIMIT_NS = 30_000_000_000L;
    private static final int LOOKS = 20;
    private static final long BETWEEN_LOOKS_MS = 10;

    /** A thread that spins is ready to run whenever one looks, however busy the machine is. */
    @Test
    void shouldSleepBetweenOrders() throws WorkerFailure, InterruptedException, IOException {
        assumeTrue(Files.exists(Path.of("/proc/self/task")), "there is no /proc");
        try (EmbeddedRelay relay = EmbeddedRelay.start();
                ZipGroup group = new ZipGroup(relay, "tcp", null, 2)) {
            group.measure(new CaseOrder(BenchOperation.ALLREDUCE.label(), 8, CaseOrder.AUTO, 10, 1_000_000, false));
            List<ProcessHandle> workers = ProcessHandle.current()
                    .children()
                    .filter(ProcessHandle::isAlive)
                    .toList();
            assertEquals(2, workers.size());
            long deadline = System.nanoTime() + LIMIT_NS;
            int asleep = 0;
            while (asleep < LOOKS) {
                assertTrue(System.nanoTime() - deadline < 0, "the workers do not come to rest");
                boolean ready = false;
                for (ProcessHandle worker : workers) {
                    ready |= hasReadyThread(worker);
                }
                // The compiler may have something left to do.
                asleep = ready ? 0 : asleep + 1;
                Thread.sleep(BETWEEN_LOOKS_MS);
            }
        }
    }

    private static boolean hasReadyThread(ProcessHandle process) throws IOException {
        Path tasks = Path.of("/proc", Long.toString(process.pid()), "task");
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(tasks)) {
            for (Path thread : threads) {
                String stat = Files.readString(thread.resolve("stat"));
                if (stat.startsWith(") R", stat.lastIndexOf(')'))) {
                    return true;
                }
            }
        }
        return false;
    }
}
