package io.zipcomm.transport.aeron;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory that several ranks can open, in memory as a rule: those for whom it has the same {@link #id} can share files in
 * it, whether they are processes of one host or containers with a common volume. It belongs to one user, and nobody else may
 * look into it.
 *
 * <p>Each group has a directory of its own in it, see {@link GroupDirectory}. Those of groups whose processes are all gone,
 * killed perhaps, are removed by whoever comes next.
 */
final class SharedDirectory {

    private static final Logger LOG = LoggerFactory.getLogger(SharedDirectory.class);

    private static final Set<PosixFilePermission> OWNER_ONLY = EnumSet.of(
            PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);

    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
            PosixFilePermissions.asFileAttribute(OWNER_ONLY);

    private static final ReentrantLock IN_PROCESS = new ReentrantLock();
    private static final String GROUP = "group-";
    private static final String ID = "id";
    private static final String LOCK = "lock";
    private static final long LOCK_NS_MAX = 2_000_000_000L;
    private static final long LOOK_MS = 1;

    private final Path path;
    private final String id;

    private SharedDirectory(Path path, String id) {
        this.path = path;
        this.id = id;
    }

    /**
     * Opens the directory of this user in another one, or makes it.
     *
     * @param base an existing directory, such as {@code /dev/shm}
     * @throws IOException if it cannot be used: there is none, somebody else owns it, or it is locked for seconds
     * @throws InterruptedException if the thread was interrupted
     */
    static SharedDirectory open(Path base) throws IOException, InterruptedException {
        if (!FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
            throw new IOException("no file permissions on this system");
        }
        if (!Files.isDirectory(base)) {
            throw new NoSuchFileException(base + " is no directory");
        }
        Path path = base.toRealPath()
                .resolve("zip-" + System.getProperty("user.name").replaceAll("[^A-Za-z0-9._-]", "_"));
        try {
            Files.createDirectory(path, PRIVATE);
        } catch (FileAlreadyExistsException e) {
            LOG.trace("somebody was first", e);
        }
        checkOwner(path);
        return locked(path, () -> new SharedDirectory(path, id(path)));
    }

    private static void checkOwner(Path path) throws IOException {
        PosixFileAttributes found = Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        // The name of a user says less than the owner that the system gives to what this process makes.
        Path own = Files.createTempFile("zip-owner", null);
        try {
            boolean mine = found.owner().equals(Files.getOwner(own));
            if (!found.isDirectory() || !mine || !found.permissions().equals(OWNER_ONLY)) {
                throw new IOException(path + " is not a directory of this user alone: it belongs to "
                        + found.owner().getName() + ", " + PosixFilePermissions.toString(found.permissions()));
            }
        } finally {
            Files.delete(own);
        }
    }

    /** Called with the lock held, so that two who come first agree. */
    private static String id(Path path) throws IOException {
        Path file = path.resolve(ID);
        if (!Files.exists(file)) {
            Path made = path.resolve(ID + ".new");
            Files.writeString(made, UUID.randomUUID().toString());
            Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
        }
        return Files.readString(file).trim();
    }

    /** Equal for all who see this directory, and for nobody else. */
    String id() {
        return id;
    }

    /** Memory that files in it may still take, in bytes. */
    long freeBytes() throws IOException {
        return Files.getFileStore(path).getUsableSpace();
    }

    /**
     * Enters a group's directory, made by whoever comes first. What the dead have left is removed.
     *
     * @param group name of the group, equal for all its ranks and used by no other: letters and digits
     * @param rank  rank in the world
     * @return the directory, to be closed by the caller
     * @throws IOException if it cannot be made, or a process with this rank is in it
     * @throws InterruptedException if the thread was interrupted
     */
    GroupDirectory enter(String group, int rank) throws IOException, InterruptedException {
        return locked(path, () -> {
            removeDead();
            Path directory = path.resolve(GROUP + group);
            if (!Files.isDirectory(directory)) {
                Files.createDirectory(directory, PRIVATE);
            }
            return new GroupDirectory(this, directory, rank);
        });
    }

    /** A rank has given its lock back: its files go, and the directory if it was the last. */
    void left(GroupDirectory directory) {
        try {
            locked(path, this::removeDead);
        } catch (IOException e) {
            LOG.warn("{} stays, until another group comes: {}", directory, e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.warn("{} stays, until another group comes: interrupted", directory);
        }
    }

    /** Removes what belongs to no living process. With the lock held, which keeps out those who are about to enter. */
    private Void removeDead() throws IOException {
        List<Path> groups;
        try (Stream<Path> all = Files.list(path)) {
            groups = all.filter(one -> one.getFileName().toString().startsWith(GROUP))
                    .toList();
        }
        for (Path group : groups) {
            try {
                GroupDirectory.removeDead(group);
            } catch (IOException e) {
                // What cannot be removed of one group is no reason to keep others out.
                LOG.warn("{} stays, until another group comes: {}", group, e.toString());
            }
        }
        return null;
    }

    /** What is done with the lock of the whole directory. */
    private interface Action<T> {
        T run() throws IOException;
    }

    /** Waits for the lock, which nobody holds for longer than it takes to make or remove files. */
    private static <T> T locked(Path path, Action<T> action) throws IOException, InterruptedException {
        long endNs = System.nanoTime() + LOCK_NS_MAX;
        // Ranks of one process first: the system does not keep them apart.
        if (!IN_PROCESS.tryLock(LOCK_NS_MAX, TimeUnit.NANOSECONDS)) {
            throw new IOException(path + " is in use by another thread for " + LOCK_NS_MAX / 1_000_000 + " ms");
        }
        try (FileChannel channel = FileChannel.open(
                path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            while (channel.tryLock() == null) {
                if (System.nanoTime() - endNs > 0) {
                    throw new IOException(
                            path + " is locked by another process for " + LOCK_NS_MAX / 1_000_000 + " ms");
                }
                Thread.sleep(LOOK_MS);
            }
            return action.run();
        } finally {
            IN_PROCESS.unlock();
        }
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
