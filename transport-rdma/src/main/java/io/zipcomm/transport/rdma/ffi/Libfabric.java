package io.zipcomm.transport.rdma.ffi;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Looks for libfabric where the system's loader would, and loads nothing. */
final class Libfabric {

    static final String FILE = "libfabric.so.1";

    /** Of glibc: names of libraries and paths to them, each with a zero behind it. */
    private static final Path CACHE = Path.of("/etc/ld.so.cache");

    /** Where glibc looks without being told. */
    private static final List<Path> TRUSTED =
            Stream.of("/lib64", "/usr/lib64", "/lib", "/usr/lib").map(Path::of).toList();

    private Libfabric() {}

    /**
     * Whether the loader would not find it.
     *
     * @return null if it would, or if nobody can tell; otherwise where it looks
     */
    static String absence() {
        return absence(
                System.getenv().getOrDefault("LD_LIBRARY_PATH", ""),
                System.getenv().getOrDefault("LD_PRELOAD", ""),
                CACHE,
                TRUSTED);
    }

    /**
     * As {@link #absence()}.
     *
     * @param libraryPath directories, with colons or semicolons between them
     * @param preloaded   files that are loaded already
     * @param cache       without it the loader has ways that are not known here
     */
    static String absence(String libraryPath, String preloaded, Path cache, List<Path> trusted) {
        boolean isThere = preloaded.contains("libfabric.so")
                || !Files.isReadable(cache)
                || Stream.of(libraryPath.split("[:;]"))
                        .filter(one -> !one.isEmpty())
                        .anyMatch(one -> holds(Path.of(one)))
                || isCached(cache)
                || trusted.stream().anyMatch(Libfabric::holds);
        return isThere ? null : FILE + " is not installed: not in LD_LIBRARY_PATH, and not where ldconfig looks";
    }

    private static boolean holds(Path directory) {
        return Files.exists(directory.resolve(FILE));
    }

    private static boolean isCached(Path cache) {
        try {
            // One character a byte.
            String text = Files.readString(cache, StandardCharsets.ISO_8859_1);
            String end = "/" + FILE + "\0";
            int at = text.indexOf(end);
            while (at >= 0) {
                Path path = Path.of(text.substring(text.lastIndexOf('\0', at) + 1, at + end.length() - 1));
                if (Files.exists(path)) {
                    return true;
                }
                at = text.indexOf(end, at + 1);
            }
            return false;
        } catch (IOException e) {
            return true;
        }
    }
}
