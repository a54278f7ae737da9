package io.zipcomm.testkit;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/**
 * Makes temporary directories in memory, to be the {@code ZIP_SHARED_MEMORY} of a test that shares it with nobody. Where the
 * system has no {@code /dev/shm} they are on disk.
 */
public final class SharedMemoryFolder implements TempDirFactory {

    private static final Path MEMORY = Path.of("/dev/shm");
    private static final String PREFIX = "zip-test-";
    private static final String GROUPS = "group-*";

    /** For JUnit. */
    public SharedMemoryFolder() {}

    @Override
    public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext extension) throws IOException {
        return Files.isWritable(MEMORY) ? Files.createTempDirectory(MEMORY, PREFIX) : Files.createTempDirectory(PREFIX);
    }

    /** What groups have left behind in such a directory. Others may remove it meanwhile. */
    public static List<Path> leftIn(Path folder) throws IOException {
        List<Path> left = new ArrayList<>();
        try (DirectoryStream<Path> users = Files.newDirectoryStream(folder, Files::isDirectory)) {
            for (Path user : users) {
                try (DirectoryStream<Path> groups = Files.newDirectoryStream(user, GROUPS)) {
                    groups.forEach(left::add);
                }
            }
        }
        return left;
    }
}
