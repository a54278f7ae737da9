package io.zipcomm.bench.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process's output goes to. */
final class Terminal {

    private Terminal() {}

    /** Whether standard error is a terminal; false where that cannot be found out. */
    static boolean isStandardErrorInteractive() {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
