package io.zipcomm.transport.aeron;

import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Incarnation;
import io.zipcomm.settings.ZipSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A rank's place in the memory of its host: its directory, door and arena, the doors of its neighbours, and its connection to
 * the media driver, which is in this process if it is the first rank of the host. It is made before its first use, since that
 * takes a while.
 */
final class HostPlace implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(HostPlace.class);

    private static final String GROUP_LABEL = "group of shared memory";
    private static final int GROUP_NAME_BYTES = 16;

    /** How long the first rank of the host may take to start its driver. */
    private static final long DRIVER_START_NS_MAX = 10_000_000_000L;

    private static final long LOOK_MS = 2;

    /** A driver of another process that says nothing for so long is gone. */
    private static final long EXTERNAL_DRIVER_TIMEOUT_MS = 4_000;

    /** In place of the neighbour that has the driver, the same for all ranks: it is no rank's. */
    private static final int NO_HOLDER = 0;

    static final int NOBODY = GroupDirectory.NOBODY;

    private final SharedDirectory shared;
    private final GroupDirectory directory;
    private final Neighbours neighbours;
    private final String externalDriver;

    /** Of the neighbours; null where there is none yet, or nobody has looked. */
    private final Door[] doors;

    // Null until made.
    private MemoryBudget budget;
    private Arena arena;
    private SharedSlots sharedSlots;
    private Door own;
    private EmbeddedDriver driver;
    private DriverClient client;

    /** Of the driver to which this rank moves; null as a rule. */
    private DriverClient next;

    /** Of drivers that died while this rank moved to them: some streams may have got there. */
    private final List<DriverClient> dead = new ArrayList<>();

    private HostPlace(SharedDirectory shared, GroupDirectory directory, Neighbours neighbours, String externalDriver) {
        this.shared = shared;
        this.directory = directory;
        this.neighbours = neighbours;
        this.externalDriver = externalDriver;
        doors = new Door[neighbours.count()];
    }

    /**
     * Makes a place. Blocks until the driver runs.
     *
     * @param shared    where ranks of this host meet
     * @param view      the group
     * @param neighbours ranks that see the same directory
     * @param settings  of the process
     * @param cancelled asked while it waits; true ends that
     * @throws IOException if there is no room, no driver, or somebody has this rank's place
     * @throws InterruptedException if the thread was interrupted
     */
    static HostPlace make(
            SharedDirectory shared,
            GroupView view,
            Neighbours neighbours,
            ZipSettings settings,
            BooleanSupplier cancelled)
            throws IOException, InterruptedException {
        HostPlace place =
                new HostPlace(shared, shared.enter(name(view), view.rank()), neighbours, settings.aeronDriver());
        try {
            place.furnish(cancelled);
            return place;
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            place.close();
            throw e;
        }
    }

    /** Only members of the group can tell it, and each incarnation has a directory of its own. */
    private static String name(GroupView view) {
        String label = GROUP_LABEL + Incarnation.id();
        byte[] code = view.sessionKey().code(label.getBytes(StandardCharsets.US_ASCII));
        return HexFormat.of().formatHex(code, 0, GROUP_NAME_BYTES);
    }

    private void furnish(BooleanSupplier cancelled) throws IOException, InterruptedException {
        int self = neighbours.self();
        share();
        if (externalDriver.isEmpty()) {
            if (self == 0) {
                driver = startDriver();
            }
            client = connect(awaitDriver(cancelled), cancelled);
        } else {
            client = DriverClient.connect(Path.of(externalDriver), NO_HOLDER, EXTERNAL_DRIVER_TIMEOUT_MS, cancelled);
        }
        // Again: the file of a driver that starts is longer than what it has taken.
        share();
        // Behind the driver, which cannot tell missing memory in time.
        arena = Arena.create(file(self, "arena"), MemoryBudget.SLOT_BYTES, budget.slots(), neighbours.count());
        sharedSlots = new SharedSlots(arena);
        own = Door.create(file(self, "door"), neighbours.count());
        own.uses(client.holder());
        if (driver != null) {
            own.runsDriver();
        }
    }

    /** Takes this rank's share of what is free, or was before the ranks of the group took theirs. */
    private void share() throws IOException {
        long takenBefore = directory.bytes();
        long freeBytes = shared.freeBytes();
        // Others take their share meanwhile. That is no reason to give up, but one to take less.
        String tooLittle = MemoryBudget.problem(freeBytes + directory.bytes(), neighbours.count())
                .orElse(null);
        if (tooLittle != null) {
            throw new IOException(shared + ": " + tooLittle);
        }
        budget = MemoryBudget.of(takenBefore + freeBytes, neighbours.count());
    }

    /** Waits for a driver: of several the one behind which nobody comes. */
    private int awaitDriver(BooleanSupplier cancelled) throws IOException, InterruptedException {
        long endNs = System.nanoTime() + DRIVER_START_NS_MAX;
        while (true) {
            int holder = lastHolder();
            if (DriverClient.isThere(file(holder, "driver"))) {
                return holder;
            }
            if (cancelled.getAsBoolean()) {
                throw new IOException("not needed any more");
            }
            if (System.nanoTime() - endNs > 0) {
                throw new IOException("no media driver in " + directory.path() + " within "
                        + DRIVER_START_NS_MAX / 1_000_000 + " ms: rank " + neighbours.rank(holder)
                        + " starts one");
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
    }

    private int lastHolder() throws IOException {
        int holder = 0;
        int next = after(holder);
        for (int i = 0; i < neighbours.count() && next != NOBODY; i++) {
            holder = next;
            next = after(holder);
        }
        return holder;
    }

    /** The neighbour whose driver comes after that of another one, for good, or {@link #NOBODY}. None comes twice. */
    int after(int holder) throws IOException {
        return neighbours.index(directory.after(neighbours.rank(holder)));
    }

    /** Has this rank's driver come after that of a neighbour. Returns false if somebody else's does. */
    boolean follow(int holder) throws IOException {
        return directory.follow(neighbours.rank(holder));
    }

    /** Whether who uses the driver of one neighbour needs that of another, now or on its way to the latest. */
    boolean leadsTo(int holder, int later) throws IOException {
        int at = holder;
        for (int i = 0; i < neighbours.count() && at != later && at != NOBODY; i++) {
            at = after(at);
        }
        return at == later;
    }

    /** Runs a driver in this process. Blocks for some hundred milliseconds. Any thread, once. */
    EmbeddedDriver startDriver() throws IOException {
        long freeBytes = shared.freeBytes();
        if (freeBytes < MemoryBudget.DRIVER_BYTES) {
            throw new IOException("no media driver can run here: " + freeBytes / 1024 + " KiB are free in " + shared
                    + ", it needs " + MemoryBudget.DRIVER_BYTES / 1024 + " KiB");
        }
        try {
            return EmbeddedDriver.start(file(neighbours.self(), "driver"), neighbours.rank(neighbours.self()));
        } catch (RuntimeException | InternalError e) {
            // The JVM makes an InternalError of a page that cannot be had.
            throw new IOException("no media driver can run here: " + e.getMessage(), e);
        }
    }

    /**
     * Connects to the driver of a neighbour. Blocks for some milliseconds, or for seconds if it is silent. Any thread.
     *
     * @param cancelled asked while it waits; true ends that
     */
    DriverClient connect(int holder, BooleanSupplier cancelled) throws IOException, InterruptedException {
        return DriverClient.connect(
                file(holder, "driver"),
                holder,
                TimeUnit.NANOSECONDS.toMillis(EmbeddedDriver.CLIENT_TIMEOUT_NS),
                cancelled);
    }

    /** A file of a neighbour, by the end of its name. */
    Path file(int neighbour, String name) {
        return directory.file(neighbours.rank(neighbour), name);
    }

    Neighbours neighbours() {
        return neighbours;
    }

    MemoryBudget budget() {
        return budget;
    }

    Arena arena() {
        return arena;
    }

    /** What is in the arena for several readers. */
    SharedSlots sharedSlots() {
        return sharedSlots;
    }

    /** This rank's own door. */
    Door door() {
        return own;
    }

    /** The door of a neighbour; null if it is not ready, or has left. Asks the system until there is one. */
    Door door(int neighbour) throws IOException {
        if (doors[neighbour] == null && Files.exists(file(neighbour, "door"))) {
            try {
                doors[neighbour] = Door.open(file(neighbour, "door"), neighbours.count());
            } catch (NoSuchFileException e) {
                LOG.trace("rank {} has just left", neighbours.rank(neighbour), e);
            }
        }
        return doors[neighbour];
    }

    /** The driver that is used. */
    DriverClient client() {
        return client;
    }

    /** Whether it is nobody's of this group. */
    boolean isExternal() {
        return !externalDriver.isEmpty();
    }

    /** Whether others depend on a driver in this process. */
    boolean hasDriver() {
        return driver != null;
    }

    /** The driver to which this rank moves; null if it does not. */
    DriverClient next() {
        return next;
    }

    /**
     * Begins to move to another driver.
     *
     * @param started the driver, if it is in this process; else null
     */
    void moveTo(DriverClient to, EmbeddedDriver started) {
        next = to;
        if (started != null) {
            driver = started;
            own.runsDriver();
        }
    }

    /** The driver to which this rank moves has died. What has got there is still read. */
    void giveUpNext() {
        next.hearOut();
        dead.add(next);
        next = null;
    }

    /** All has moved. */
    void moved() {
        dead.forEach(DriverClient::close);
        dead.clear();
        client.close();
        client = next;
        next = null;
        own.uses(client.holder());
    }

    /** Whether the process of a neighbour lives and has not left. Asks the system, for some microseconds. */
    boolean isAlive(int neighbour) {
        try {
            return directory.isAlive(neighbours.rank(neighbour));
        } catch (IOException e) {
            LOG.debug("whether rank {} lives cannot be told", neighbours.rank(neighbour), e);
            return true;
        }
    }

    @Override
    public void close() {
        closeQuietly("Aeron's client", client);
        closeQuietly("Aeron's other client", next);
        dead.forEach(one -> closeQuietly("Aeron's client of a driver that died", one));
        closeQuietly("the media driver", driver);
        for (Door door : doors) {
            closeQuietly("a neighbour's door", door);
        }
        closeQuietly("the door", own);
        closeQuietly("shared memory", arena);
        closeQuietly(directory.toString(), directory);
    }

    static void closeQuietly(String what, AutoCloseable one) {
        if (one == null) {
            return;
        }
        try {
            one.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.warn("interrupted while closing {}", what, e);
        } catch (Exception e) {
            // What can be closed is.
            LOG.warn("closing {}", what, e);
        }
    }
}
