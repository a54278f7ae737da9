package io.zipcomm.bench.machine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Of which commit the program is. */
public final class SourceCommit {

    /** System property with the folder of the sources, which the launcher sets. */
    public static final String ROOT_PROPERTY = "zip.root";

    private static final String UNKNOWN = "unknown";
    private static final long LIMIT_S = 5;

    private SourceCommit() {}

    /** As the launcher's folder says; {@code unknown} without one, or outside of a repository. */
    public static String describe() {
        String root = System.getProperty(ROOT_PROPERTY);
        return root == null ? UNKNOWN : describe(Path.of(root));
    }

    static String describe(Path root) {
        String commit = git(root, "rev-parse", "--short=12", "HEAD");
        if (commit == null) {
            return UNKNOWN;
        }
        String changes = git(root, "status", "--porcelain", "--untracked-files=no");
        return changes == null || changes.isEmpty() ? commit : commit + "-dirty";
    }

    /** What git says; null if it fails, or is missing. */
    private static String git(Path root, String... args) {
        String[] command = new String[args.length + 3];
        command[0] = "git";
        command[1] = "-C";
        command[2] = root.toString();
        System.arraycopy(args, 0, command, 3, args.length);
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            process.getOutputStream().close();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            boolean ended = process.waitFor(LIMIT_S, TimeUnit.SECONDS);
            process.destroyForcibly();
            return ended && process.exitValue() == 0 ? text.trim() : null;
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }
}
