package io.zipcomm.bench.cluster;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Programs of this machine that need not be there. */
final class Program {

    private Program() {}

    /**
     * Whether all programs are found on the search path.
     *
     * @return null if they are; otherwise what is missing, as a phrase
     */
    static String missing(String... names) {
        for (String name : names) {
            if (!isThere(name)) {
                return name + " is not installed (not found on PATH)";
            }
        }
        return null;
    }

    private static boolean isThere(String name) {
        String path = System.getenv().getOrDefault("PATH", "");
        return Arrays.stream(path.split(File.pathSeparator, -1))
                .filter(folder -> !folder.isEmpty())
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, name)));
    }
}
