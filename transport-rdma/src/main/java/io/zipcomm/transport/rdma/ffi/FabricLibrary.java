package io.zipcomm.transport.rdma.ffi;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Map;
import jnr.ffi.LibraryLoader;
import jnr.ffi.LibraryOption;

/**
 * Finds and loads the native library: where the system property {@code zip.native.path} says, a file or its directory, or
 * else from the class path.
 */
public final class FabricLibrary {

    /** System property. */
    public static final String PATH_PROPERTY = "zip.native.path";

    private static final String FILE = "libzip_fabric.so";
    private static final String RESOURCE = "/io/zipcomm/native/linux-x86_64/" + FILE;

    /** As the library calls what Java has another use for. */
    private static final Map<String, String> RENAMED = Map.of("waitFor", "zf_wait");

    // Under the monitor. What is loaded stays so, and what does not load is not tried again.
    private static Fabric loaded;
    private static String problem;

    private FabricLibrary() {}

    /**
     * Whether it is here, and libfabric, without loading them: some milliseconds. Never throws.
     *
     * @return null if it is, otherwise why it is not
     */
    public static String absence() {
        if (!System.getProperty("os.name").startsWith("Linux") || !isArchitecture()) {
            return "made for Linux on x86-64 only";
        }
        String named = System.getProperty(PATH_PROPERTY, "");
        if (!named.isEmpty() && !Files.isReadable(file(named))) {
            return PATH_PROPERTY + " names no " + FILE + ": " + named;
        }
        if (named.isEmpty() && FabricLibrary.class.getResource(RESOURCE) == null) {
            return FILE + " is not on the class path (the jar of classifier linux-x86_64), and " + PATH_PROPERTY
                    + " is not set";
        }
        return Libfabric.absence();
    }

    /**
     * Whether it works: loads it, and libfabric with it. May take some hundred milliseconds the first time. Never throws.
     *
     * @return null if it does, otherwise why not
     */
    public static String failure() {
        String absence = absence();
        if (absence != null) {
            return absence;
        }
        try {
            Fabric fabric = load();
            int version = fabric.libraryVersion();
            return version > 0 ? null : FabricError.text(fabric, version);
        } catch (IOException e) {
            return e.getMessage();
        }
    }

    private static boolean isArchitecture() {
        String name = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        return name.equals("amd64") || name.equals("x86_64");
    }

    private static Path file(String named) {
        Path path = Path.of(named);
        return Files.isDirectory(path) ? path.resolve(FILE) : path;
    }

    /**
     * Loads the library, once in a process. Takes some 200 ms.
     *
     * @throws IOException if it is not there, does not load, or is of another version
     */
    public static synchronized Fabric load() throws IOException {
        if (loaded == null && problem == null) {
            String absence = absence();
            if (absence != null) {
                throw new IOException(absence);
            }
            try {
                loaded = loadFrom(System.getProperty(PATH_PROPERTY, ""));
            } catch (IOException | RuntimeException | LinkageError e) {
                problem = FILE + ": " + e.getMessage() + cause(e);
                throw new IOException(problem, e);
            }
        }
        if (problem != null) {
            throw new IOException(problem);
        }
        return loaded;
    }

    /** JNR-FFI says what it could not do; why is behind it: no native access, or no place to write to. */
    private static String cause(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root == failure || root.getMessage() == null
                ? ""
                : ": " + root.getMessage().lines().findFirst().orElse("");
    }

    private static Fabric loadFrom(String named) throws IOException {
        if (!named.isEmpty()) {
            return bind(file(named).toAbsolutePath());
        }
        // Nobody else may write there: what is in the file is run.
        Path directory = Files.createTempDirectory(
                "zip-native", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path copy = directory.resolve(FILE);
        try (InputStream from = FabricLibrary.class.getResourceAsStream(RESOURCE)) {
            Files.copy(from, copy);
            return bind(copy);
        } finally {
            Files.deleteIfExists(copy);
            Files.delete(directory);
        }
    }

    private static Fabric bind(Path file) throws IOException {
        Fabric fabric = LibraryLoader.create(Fabric.class)
                .option(LibraryOption.LoadNow, true)
                .option(LibraryOption.IgnoreError, true)
                .mapper((name, context) -> RENAMED.getOrDefault(name, symbol(name)))
                .load(file.toString());
        if (fabric.version() != Fabric.ABI_VERSION) {
            throw new IOException(file + " is of version " + fabric.version() + ", not " + Fabric.ABI_VERSION);
        }
        return fabric;
    }

    /** A function's name by the method's: {@code zf_peer_add} for {@code peerAdd}. */
    static String symbol(String method) {
        return "zf_" + method.replaceAll("[A-Z]", "_$0").toLowerCase(Locale.ROOT);
    }
}
