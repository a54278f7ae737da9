package io.zipcomm.bench.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Text as Linux writes it. */
final class ProcTextTest {

    private static final String STATUS = """
            Name:	java
            VmHWM:	   51200 kB
            VmRSS:	   49152 kB
            Threads:	2
            voluntary_ctxt_switches:	%d
            nonvoluntary_ctxt_switches:	%d
            """;

    @TempDir
    private Path folder;

    private void file(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private void thread(int id, int willing, int not) throws IOException {
        file("task/" + id + "/status", STATUS.formatted(willing, not));
    }

    @Test
    void shouldReadPeakMemory() throws IOException {
        file("status", STATUS.formatted(1, 2));
        assertEquals(51200.0 * 1024, ProcessStatus.peakMemoryBytes(folder));
    }

    @Test
    void shouldCountSwitchesOfThreadsOldAndNew() throws IOException {
        thread(7, 100, 10);
        thread(8, 5, 5);
        Map<String, Double> before = ProcessStatus.contextSwitches(folder);
        thread(7, 130, 11);
        thread(9, 2, 1);
        Files.delete(folder.resolve("task/8/status"));
        Map<String, Double> after = ProcessStatus.contextSwitches(folder);
        assertEquals(31 + 3, ProcessStatus.switchesBetween(before, after));
    }

    @Test
    void shouldNotKnowWhatIsNotThere() {
        assertTrue(Double.isNaN(ProcessStatus.peakMemoryBytes(folder)));
        Map<String, Double> none = ProcessStatus.contextSwitches(folder);
        assertTrue(Double.isNaN(ProcessStatus.switchesBetween(none, none)));
    }

    @Test
    void shouldReadTheLoad() {
        assertEquals(1.24, LoadWatch.load(List.of("1.24 1.10 1.87 1/93 30911")));
        assertTrue(Double.isNaN(LoadWatch.load(List.of())));
    }

    @Test
    void shouldReadTheShareOfStolenTime() {
        double[] before = LoadWatch.ticks(List.of("cpu  100 10 50 800 5 1 4 20 7 0", "cpu0 1 1 1 1 1 1 1 1 0 0"));
        double[] after = LoadWatch.ticks(List.of("cpu  150 10 60 830 5 1 4 30 9 0"));
        assertEquals(0.1, LoadWatch.stealShare(before, after), 1e-9);
        assertTrue(Double.isNaN(LoadWatch.stealShare(before, LoadWatch.ticks(List.of("intr 5")))));
    }

    @Test
    void shouldReadTheMachine() throws IOException {
        file("proc/cpuinfo", "processor\t: 0\nmodel name\t: Fast 9000 @ 2.5GHz\nflags\t\t: fpu sse hypervisor avx\n");
        file("proc/meminfo", "MemTotal:       25165824 kB\nMemFree: 1 kB\n");
        file("proc/sys/kernel/osrelease", "6.1.0-test\n");
        file("proc/self/cgroup", "0::/\n");
        Map<String, String> facts = MachineFacts.read(folder);
        assertEquals("Fast 9000 @ 2.5GHz", facts.get("processor"));
        assertEquals("24.0 GiB", facts.get("memory"));
        assertEquals("6.1.0-test", facts.get("kernel"));
        assertEquals("none", facts.get("processor quota"));
        assertEquals("yes", facts.get("virtual machine"));
    }

    @Test
    void shouldSayUnknownOfAMachineThatTellsNothing() {
        Map<String, String> facts = MachineFacts.read(folder);
        assertEquals("unknown", facts.get("processor"));
        assertEquals("unknown", facts.get("memory"));
        assertEquals("unknown", facts.get("kernel"));
        assertEquals("unknown", facts.get("virtual machine"));
    }

    @Test
    void shouldNotKnowTheCommitOutsideOfARepository() {
        assertEquals("unknown", SourceCommit.describe(folder));
    }
}
