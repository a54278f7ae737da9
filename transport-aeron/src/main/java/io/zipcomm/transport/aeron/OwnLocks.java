package io.zipcomm.transport.aeron;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Locks on files, where several ranks of one process use the same files. A lock belongs to the process, so the system does not
 * keep its ranks apart; and it ends when the process closes the file, whichever channel it had it open by, so a file that is
 * held must not be opened again.
 */
final class OwnLocks {

    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private OwnLocks() {}

    /** A file is locked from now on. */
    static void hold(Path file) {
        HELD.add(file);
    }

    static void giveBack(Path file) {
        HELD.remove(file);
    }

    /** Whether this process holds a file. */
    static boolean isHeld(Path file) {
        return HELD.contains(file);
    }

    /**
     * Locks a file, unless somebody has it.
     *
     * @return the lock, which ends with the channel; null if this process or another has it
     */
    static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Another rank of this process: what the system's null says of other processes.
            return null;
        }
    }
}
