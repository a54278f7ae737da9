package io.zipcomm.transport.aeron;

import io.zipcomm.error.ZipException;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What this process's settings let ranks of its host share, in words, before anything is shared. */
final class MemoryOutlook {

    /** Ranks of this host, to give an idea. */
    private static final int[] GROUPS = {2, 8, 64};

    private static final double MIB = 1 << 20;

    private MemoryOutlook() {}

    /** Of the environment and system properties. Never throws. */
    static String ofThisProcess() {
        ZipSettings settings;
        try {
            // A group of nobody: only where memory is shared is asked.
            settings = ZipSettings.builderFromEnvironment()
                    .session("outlook")
                    .size(1)
                    .rank(0)
                    .build();
        } catch (ZipException e) {
            return "not used: " + e.reason();
        }
        return of(settings.sharedMemory()) + (settings.aeronDriver().isEmpty() ? "" : driver(settings.aeronDriver()));
    }

    /**
     * Of one directory.
     *
     * @param directory as {@link ZipSettings#sharedMemory} has it
     */
    static String of(String directory) {
        String variable = Setting.SHARED_MEMORY.variable();
        if (directory.isEmpty()) {
            return "not used: " + variable + " is none";
        }
        Path path = Path.of(directory);
        if (!Files.isDirectory(path) || !Files.isWritable(path)) {
            return "not used: " + variable + " is '" + directory
                    + "', which is not a directory that this process may write to";
        }
        try {
            return directory + " (" + variable + ") with "
                    + words(Files.getFileStore(path).getUsableSpace());
        } catch (IOException e) {
            return directory + " (" + variable + "), whose free memory is unknown: " + e.getMessage();
        }
    }

    /** What groups would take of so many free bytes, at the most. */
    static String words(long freeBytes) {
        List<String> groups = new ArrayList<>();
        for (int ranks : GROUPS) {
            groups.add("a group of " + ranks + " here would " + share(freeBytes, ranks));
        }
        return mib(freeBytes) + " free: " + String.join(", ", groups);
    }

    private static String share(long freeBytes, int ranks) {
        String problem = MemoryBudget.problem(freeBytes, ranks).orElse(null);
        if (problem != null) {
            return "share none (" + problem + ")";
        }
        return "take up to " + mib(MemoryBudget.of(freeBytes, ranks).totalBytes(ranks));
    }

    private static String mib(long bytes) {
        return Math.round(bytes / MIB) + " MiB";
    }

    private static String driver(String directory) {
        return "; media driver in " + directory + " (" + Setting.AERON_DRIVER.variable() + ")";
    }
}
