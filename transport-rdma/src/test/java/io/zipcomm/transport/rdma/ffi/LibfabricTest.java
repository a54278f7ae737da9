package io.zipcomm.transport.rdma.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.kenai.jffi.Library;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is looked for is what the system's loader finds. */
final class LibfabricTest {

    private static final int LIMIT_SECONDS = 30;
    private static final String CLASS_PATH = System.getProperty("java.class.path");

    @TempDir
    private Path folder;

    private Path cache(String... paths) throws IOException {
        StringBuilder text = new StringBuilder("glibc-ld.so.cache1.1\0");
        for (String path : paths) {
            text.append(path.substring(path.lastIndexOf('/') + 1))
                    .append('\0')
                    .append(path)
                    .append('\0');
        }
        return Files.writeString(folder.resolve("cache"), text, StandardCharsets.ISO_8859_1);
    }

    private Path installed() throws IOException {
        Path directory = Files.createDirectories(folder.resolve("lib"));
        Files.writeString(directory.resolve(Libfabric.FILE), "");
        return directory;
    }

    @Test
    void shouldSayThatItIsNotInstalled() throws IOException {
        Path cache = cache("/lib/libfabric.so.1.not", "/lib/notlibfabric.so.1", folder + "/gone/libfabric.so.1");
        String absence = Libfabric.absence("", "", cache, List.of(folder));
        assertNotNull(absence);
        assertTrue(absence.startsWith("libfabric.so.1 is not installed"), absence);
    }

    @Test
    void shouldFindItWhereverTheLoaderLooks() throws IOException {
        Path directory = installed();
        Path without = cache();
        assertNull(Libfabric.absence("/nowhere:" + directory, "", without, List.of()));
        assertNull(Libfabric.absence("", "", without, List.of(folder, directory)));
        assertNull(Libfabric.absence("", "/opt/libfabric.so", without, List.of()));
        assertNull(Libfabric.absence("", "", cache("/x/liba.so.1", directory + "/libfabric.so.1"), List.of()));
    }

    @Test
    void shouldNotJudgeALoaderItDoesNotKnow() {
        assertNull(Libfabric.absence("", "", folder.resolve("none"), List.of()));
    }

    // ---- in processes of their own

    /** What a process says of RDMA: whether it is absent, whether it works, and whether the loader finds libfabric. */
    static final class Asked {
        public static void main(String[] args) {
            System.out.println("absence: " + FabricLibrary.absence());
            System.out.println("failure: " + FabricLibrary.failure());
            boolean isFound = Library.openLibrary(Libfabric.FILE, Library.NOW) != null;
            System.out.println("loader: " + (isFound ? "found" : Library.getLastError()));
        }
    }

    private List<String> ask(String libraryPath, List<String> before) throws IOException, InterruptedException {
        String named = System.getProperty(FabricLibrary.PATH_PROPERTY, "");
        return ask(libraryPath, before, "-D" + FabricLibrary.PATH_PROPERTY + "=" + named, CLASS_PATH);
    }

    private List<String> ask(String libraryPath, List<String> before, String flag, String classPath)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(flag, "-cp", classPath, Asked.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        if (!libraryPath.isEmpty()) {
            builder.environment().put("LD_LIBRARY_PATH", libraryPath);
        }
        Path answer = folder.resolve("answer");
        Process process = builder.redirectOutput(answer.toFile()).start();
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new AssertionError("no answer from " + command);
        }
        return Files.readAllLines(answer);
    }

    @Test
    void shouldWorkHere() throws IOException, InterruptedException {
        Native.library();
        assertEquals(List.of("absence: null", "failure: null", "loader: found"), ask("", List.of()));
    }

    /** As with the jar of the library: it is copied, loaded, and the copy deleted. */
    @Test
    void shouldLoadFromTheClassPath() throws IOException, InterruptedException {
        Native.library();
        String resource = "io/zipcomm/native/linux-x86_64";
        String named = System.getProperty(FabricLibrary.PATH_PROPERTY, "");
        assumeTrue(named.endsWith(resource), "it is not where the build puts it");
        String root = named.substring(0, named.length() - resource.length());
        List<String> answer = ask("", List.of(), "-Djava.io.tmpdir=" + folder, CLASS_PATH + File.pathSeparator + root);
        assertEquals(List.of("absence: null", "failure: null", "loader: found"), answer);
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(folder.resolve("answer")), left.toList());
        }
    }

    /** The loader takes the first of that name, and that one is empty. */
    @Test
    void shouldSayWhyItDoesNotLoad() throws IOException, InterruptedException {
        Native.library();
        List<String> answer = ask(installed().toString(), List.of());
        assertEquals("absence: null", answer.get(0));
        assertTrue(
                answer.get(1).matches("failure: .*libfabric\\.so\\.1: file too short \\(-10009\\)"), answer.toString());
    }

    /** In a mount namespace where the file is gone, the search and the loader say the same. */
    @Test
    void shouldAgreeWithTheLoaderThatItIsGone() throws IOException, InterruptedException {
        Native.library();
        Path real = Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .filter(line -> line.contains("/libfabric.so"))
                .map(line -> Path.of(line.substring(line.indexOf('/'))))
                .findFirst()
                .orElseThrow();
        Path scratch = folder.resolve("scratch");
        Files.createDirectories(scratch);
        // What changes is kept in memory, and goes with the process.
        String hide = String.join(
                " && ",
                "mount -t tmpfs none " + scratch,
                "mkdir " + scratch + "/upper " + scratch + "/work",
                "mount -t overlay overlay -o lowerdir=%1$s,upperdir=%2$s/upper,workdir=%2$s/work %1$s"
                        .formatted(real.getParent(), scratch),
                "rm " + real.getParent() + "/libfabric.so.1*");
        assumeTrue(succeeds("unshare", "-m", "sh", "-c", hide), "no mount namespace, or no overlays in it");
        List<String> answer = ask("", List.of("unshare", "-m", "sh", "-c", hide + " && exec \"$0\" \"$@\""));
        assertTrue(answer.get(0).startsWith("absence: libfabric.so.1 is not installed"), answer.toString());
        assertTrue(answer.get(1).startsWith("failure: libfabric.so.1 is not installed"), answer.toString());
        assertTrue(answer.get(2).startsWith("loader: libfabric.so.1: cannot open"), answer.toString());
        assertTrue(Files.exists(real), "it is gone from this machine");
    }

    private static boolean succeeds(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
    }
}
