package io.zipcomm.transport.aeron;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One rank's place in the directory of its group. The rank holds a lock for as long as its process lives and has not left;
 * files whose names begin with {@code rank-N.} are its own, and are removed when it is gone, by itself or by others.
 */
final class GroupDirectory implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(GroupDirectory.class);

    private static final Pattern OF_RANK = Pattern.compile("rank-(\\d+)\\..*");
    private static final String LOCK = "lock";

    /** Name of a link to the rank that comes after another one. */
    private static final String AFTER = "after-";

    static final int NOBODY = -1;

    /**
     * Locks that ranks of this process hold. They belong to the process, so the system does not keep its ranks apart; and they end
     * when it closes the file, by whichever channel, so a file in here must not be opened again.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final SharedDirectory parent;
    private final Path path;
    private final int rank;
    private final FileChannel channel;
    private boolean closed;

    /** Called with the parent's lock held. */
    GroupDirectory(SharedDirectory parent, Path path, int rank) throws IOException {
        this.parent = parent;
        this.path = path;
        this.rank = rank;
        channel = hold(file(rank, LOCK));
        if (channel == null) {
            throw new IOException("there is a living rank " + rank + " in " + path);
        }
    }

    /** Locks a file for this process; null if somebody has. */
    private static FileChannel hold(Path file) throws IOException {
        synchronized (HELD) {
            FileChannel locked = HELD.contains(file) ? null : lock(file);
            if (locked != null) {
                HELD.add(file);
            }
            return locked;
        }
    }

    /** A file of a rank, by the end of its name. */
    Path file(int ofRank, String name) {
        return path.resolve("rank-" + ofRank + "." + name);
    }

    Path path() {
        return path;
    }

    /** Whether the process of a rank lives, and the rank has not left. Asks the system, for some microseconds. */
    boolean isAlive(int ofRank) throws IOException {
        Path file = file(ofRank, LOCK);
        return Files.exists(file) && isLocked(file);
    }

    /**
     * Puts this rank behind another one, for good, unless somebody else is there.
     *
     * @return whether it is there now
     */
    boolean follow(int ofRank) throws IOException {
        try {
            Files.createSymbolicLink(path.resolve(AFTER + ofRank), Path.of(Integer.toString(rank)));
            return true;
        } catch (FileAlreadyExistsException e) {
            LOG.trace("somebody was first", e);
            return false;
        }
    }

    /** The rank that comes after another one, or {@link #NOBODY}. */
    int after(int ofRank) throws IOException {
        try {
            return Integer.parseInt(
                    Files.readSymbolicLink(path.resolve(AFTER + ofRank)).toString());
        } catch (NoSuchFileException e) {
            return NOBODY;
        } catch (NumberFormatException e) {
            throw new IOException("who comes after rank " + ofRank + " in " + path + ": " + e.getMessage(), e);
        }
    }

    /** Bytes that the ranks of the group have taken so far, about: others make and remove files meanwhile. */
    long bytes() throws IOException {
        return bytes(path);
    }

    private static long bytes(Path what) throws IOException {
        try {
            if (!Files.isDirectory(what, LinkOption.NOFOLLOW_LINKS)) {
                return Files.size(what);
            }
            long sum = 0;
            try (DirectoryStream<Path> all = Files.newDirectoryStream(what)) {
                for (Path one : all) {
                    sum += bytes(one);
                }
            }
            return sum;
        } catch (NoSuchFileException | DirectoryIteratorException e) {
            LOG.trace("{} was removed", what, e);
            return 0;
        }
    }

    /** Leaves. Removes this rank's files, those of ranks that died, and the directory if nobody is left. */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        // In this order: who finds the place free must also find the lock free.
        channel.close();
        HELD.remove(file(rank, LOCK));
        parent.left(this);
    }

    /** Removes the files of ranks that are gone, and all if none is left. The caller holds the parent's lock. */
    static void removeDead(Path group) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(group)) {
            files = all.toList();
        }
        Set<String> living = new HashSet<>();
        for (Path one : files) {
            Matcher name = OF_RANK.matcher(one.getFileName().toString());
            if (name.matches() && one.equals(group.resolve("rank-" + name.group(1) + "." + LOCK)) && isLocked(one)) {
                living.add(name.group(1));
            }
        }
        for (Path one : files) {
            Matcher name = OF_RANK.matcher(one.getFileName().toString());
            if (living.isEmpty() || (name.matches() && !living.contains(name.group(1)))) {
                remove(one);
            }
        }
        if (living.isEmpty()) {
            Files.delete(group);
        }
    }

    private static void remove(Path what) throws IOException {
        if (!Files.isDirectory(what, LinkOption.NOFOLLOW_LINKS)) {
            Files.deleteIfExists(what);
            return;
        }
        List<Path> all;
        try (Stream<Path> tree = Files.walk(what)) {
            all = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path one : all) {
            Files.deleteIfExists(one);
        }
    }

    /** Whether a living process holds the lock. */
    private static boolean isLocked(Path file) throws IOException {
        // Ranks of this process one after the other: they share their locks.
        synchronized (HELD) {
            if (HELD.contains(file)) {
                return true;
            }
            try (FileChannel free = lock(file)) {
                return free == null;
            }
        }
    }

    /** Opens a file that this process does not hold, and locks it; null if another process has. */
    private static FileChannel lock(Path file) throws IOException {
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
        channel.close();
        return null;
    }

    @Override
    public String toString() {
        return path + " of rank " + rank;
    }
}
