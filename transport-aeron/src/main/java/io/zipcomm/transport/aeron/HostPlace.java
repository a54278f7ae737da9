package io.zipcomm.transport.aeron;

import io.aeron.Aeron;
import io.aeron.CncFileDescriptor;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.ZipSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A rank's place in the memory of its host: its directory, door and arena, and its connection to the media driver, which is
 * in this process if it is the first rank of the host. All of it is made before the first use, since it takes a while.
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

    private final GroupDirectory directory;
    private final Neighbours neighbours;
    private final MemoryBudget budget;
    private final boolean external;

    // Null until made.
    private Arena arena;
    private EmbeddedDriver driver;
    private Aeron aeron;
    private Door door;

    /** Why Aeron's client ended; null while it has not. */
    private volatile String problem;

    private HostPlace(GroupDirectory directory, Neighbours neighbours, MemoryBudget budget, boolean external) {
        this.directory = directory;
        this.neighbours = neighbours;
        this.budget = budget;
        this.external = external;
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
        long freeBytes = shared.freeBytes();
        String tooLittle = MemoryBudget.problem(freeBytes, neighbours.count()).orElse(null);
        if (tooLittle != null) {
            throw new IOException(shared + ": " + tooLittle);
        }
        HostPlace place = new HostPlace(
                shared.enter(name(view), view.rank()),
                neighbours,
                MemoryBudget.of(freeBytes, neighbours.count()),
                !settings.aeronDriver().isEmpty());
        try {
            place.furnish(view.rank(), settings, cancelled);
            return place;
        } catch (IOException | InterruptedException | RuntimeException e) {
            place.close();
            throw e;
        }
    }

    /** Only members of the group can tell it. */
    private static String name(GroupView view) {
        byte[] code = view.sessionKey().code(GROUP_LABEL.getBytes(StandardCharsets.US_ASCII));
        return HexFormat.of().formatHex(code, 0, GROUP_NAME_BYTES);
    }

    private void furnish(int rank, ZipSettings settings, BooleanSupplier cancelled)
            throws IOException, InterruptedException {
        arena = Arena.create(
                directory.file(rank, "arena"), MemoryBudget.SLOT_BYTES, budget.slots(), neighbours.count());
        Path driverDirectory =
                external ? Path.of(settings.aeronDriver()) : directory.file(neighbours.rank(0), "driver");
        if (!external && neighbours.self() == 0) {
            driver = EmbeddedDriver.start(driverDirectory, rank);
        }
        awaitDriver(driverDirectory, cancelled);
        aeron = connect(driverDirectory);
        door = Door.create(directory.file(rank, "door"), neighbours.count());
    }

    private void awaitDriver(Path driverDirectory, BooleanSupplier cancelled) throws IOException, InterruptedException {
        Path file = driverDirectory.resolve(CncFileDescriptor.CNC_FILE);
        long endNs = System.nanoTime() + DRIVER_START_NS_MAX;
        while (!Files.exists(file)) {
            if (cancelled.getAsBoolean()) {
                throw new IOException("not needed any more");
            }
            if (external || System.nanoTime() - endNs > 0) {
                throw new IOException("no media driver in " + driverDirectory);
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
    }

    private Aeron connect(Path driverDirectory) throws IOException {
        Aeron.Context context = new Aeron.Context()
                .aeronDirectoryName(driverDirectory.toString())
                .useConductorAgentInvoker(true)
                .errorHandler(this::failed)
                .subscriberErrorHandler(this::failed);
        context.driverTimeoutMs(
                external
                        ? EXTERNAL_DRIVER_TIMEOUT_MS
                        : TimeUnit.NANOSECONDS.toMillis(EmbeddedDriver.CLIENT_TIMEOUT_NS));
        try {
            return Aeron.connect(context);
        } catch (RuntimeException e) {
            throw new IOException("media driver in " + driverDirectory + ": " + e.getMessage(), e);
        }
    }

    /** Aeron tells of problems that it meets on its own. */
    private void failed(Throwable what) {
        LOG.debug("Aeron's client", what);
        if (aeron == null || aeron.isClosed()) {
            problem = what.getMessage();
        }
    }

    GroupDirectory directory() {
        return directory;
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

    Door door() {
        return door;
    }

    Aeron aeron() {
        return aeron;
    }

    /** Whether others depend on the driver in this process. */
    boolean hasDriver() {
        return driver != null;
    }

    /** Lets Aeron's client do what it has to do now and then. Engine holder only. */
    void look() {
        if (problem == null && aeron.isClosed()) {
            problem = "Aeron's client was closed";
        }
        if (problem == null) {
            aeron.conductorAgentInvoker().invoke();
        }
    }

    /** Whether the process with the driver died. Asks the system, for some microseconds. */
    String driverProblem() {
        if (problem == null && !external && driver == null && !isAlive(0)) {
            problem = "rank " + neighbours.rank(0) + ", which ran it, is gone";
        }
        return problem;
    }

    /** Whether the process of a neighbour lives and has not left. */
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
        closeQuietly("Aeron's client", aeron);
        closeQuietly("the media driver", driver);
        closeQuietly("a door", door);
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
