package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class SharedDirectoryTest {

    @TempDir
    private Path base;

    private Path own() {
        return base.resolve("zip-" + System.getProperty("user.name"));
    }

    private List<String> groups() throws IOException {
        try (Stream<Path> all = Files.list(own())) {
            return all.map(one -> one.getFileName().toString())
                    .filter(name -> name.startsWith("group-"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void shouldHaveOneIdForAllWhoSeeIt() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Callable<String>> all = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                all.add(() -> SharedDirectory.open(base).id());
            }
            List<String> ids = new ArrayList<>();
            for (Future<String> one : threads.invokeAll(all)) {
                ids.add(one.get());
            }
            assertEquals(1, ids.stream().distinct().count(), ids.toString());
        } finally {
            threads.shutdown();
        }
        Path other = Files.createDirectory(base.resolve("other"));
        assertNotEquals(
                SharedDirectory.open(base).id(), SharedDirectory.open(other).id());
    }

    @Test
    void shouldRefuseWhatOthersMayLookInto() throws Exception {
        Files.createDirectory(
                own(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.setPosixFilePermissions(own(), PosixFilePermissions.fromString("rwxr-xr-x"));
        IOException open = assertThrows(IOException.class, () -> SharedDirectory.open(base));
        assertTrue(open.getMessage().contains("rwxr-xr-x"), open.getMessage());
        Files.delete(own());
        Files.createSymbolicLink(own(), Files.createDirectory(base.resolve("elsewhere")));
        assertThrows(IOException.class, () -> SharedDirectory.open(base));
        assertThrows(IOException.class, () -> SharedDirectory.open(base.resolve("nowhere")));
    }

    @Test
    void shouldRemoveAGroupWithItsLastRank() throws Exception {
        SharedDirectory directory = SharedDirectory.open(base);
        GroupDirectory first = directory.enter("a", 0);
        GroupDirectory second = directory.enter("a", 1);
        Files.writeString(first.file(0, "arena"), "0");
        Files.writeString(second.file(1, "arena"), "1");
        assertEquals(first.path(), second.path());
        first.close();
        assertFalse(Files.exists(second.file(0, "arena")));
        assertTrue(Files.exists(second.file(1, "arena")));
        second.close();
        assertEquals(List.of(), groups());
    }

    @Test
    void shouldTakeOneProcessForEachRank() throws Exception {
        SharedDirectory directory = SharedDirectory.open(base);
        GroupDirectory first = directory.enter("a", 0);
        IOException refusal = assertThrows(IOException.class, () -> directory.enter("a", 0));
        assertTrue(refusal.getMessage().contains("there is a living rank 0"), refusal.getMessage());
        first.close();
        directory.enter("a", 0).close();
    }

    @Test
    void shouldKeepRanksOfOtherProcessesOut() throws Exception {
        SharedDirectory directory = SharedDirectory.open(base);
        Process other = start("a", 3);
        try {
            IOException refusal = assertThrows(IOException.class, () -> directory.enter("a", 3));
            assertTrue(refusal.getMessage().contains("there is a living rank 3"), refusal.getMessage());
            directory.enter("b", 0).close();
            assertEquals(List.of("group-a"), groups(), "it lives");
        } finally {
            other.destroyForcibly().waitFor();
        }
    }

    /** Killed, so that nothing in the process cleans up. */
    @Test
    void shouldRemoveWhatTheKilledLeft() throws Exception {
        SharedDirectory directory = SharedDirectory.open(base);
        try (GroupDirectory survivor = directory.enter("a", 0)) {
            Process alone = start("b", 0);
            Process member = start("a", 1);
            alone.destroyForcibly().waitFor();
            member.destroyForcibly().waitFor();
            assertTrue(Files.isDirectory(own().resolve("group-b").resolve("rank-0.driver")));
            directory.enter("c", 0).close();
            assertEquals(List.of("group-a"), groups());
            assertFalse(Files.exists(survivor.file(1, "arena")));
        }
        assertEquals(List.of(), groups());
    }

    private Process start(String group, int rank) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Resident.class.getName(),
                        base.toString(),
                        group,
                        Integer.toString(rank))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertEquals("in", process.inputReader(StandardCharsets.US_ASCII).readLine());
        return process;
    }

    /** A process that enters a group and stays until it is killed. */
    static final class Resident {

        private Resident() {}

        public static void main(String[] args) throws Exception {
            GroupDirectory group = SharedDirectory.open(Path.of(args[0])).enter(args[1], Integer.parseInt(args[2]));
            Files.writeString(group.file(Integer.parseInt(args[2]), "arena"), "bytes");
            Path driver = Files.createDirectory(group.file(Integer.parseInt(args[2]), "driver"));
            Files.writeString(driver.resolve("cnc.dat"), "bytes");
            System.out.println("in");
            Thread.sleep(Long.MAX_VALUE);
        }
    }
}
