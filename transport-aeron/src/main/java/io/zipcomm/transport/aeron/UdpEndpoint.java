package io.zipcomm.transport.aeron;

import io.aeron.Aeron;
import io.aeron.ChannelUriStringBuilder;
import io.aeron.CommonContext;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ReceiveChannelEndpointSupplier;
import io.aeron.driver.SendChannelEndpointSupplier;
import io.aeron.driver.ThreadingMode;
import io.aeron.protocol.DataHeaderFlyweight;
import io.zipcomm.membership.GroupView;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.agrona.CloseHelper;
import org.agrona.collections.LongHashSet;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersReader;
import org.agrona.concurrent.status.ReadablePosition;
import org.agrona.concurrent.status.UnsafeBufferPosition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A rank's end of all its streams over UDP: a media driver without a thread, which whoever holds the engine drives, and a
 * client of it. All peers send to one stream, and cast on another. Made before the first use, in any thread; used by the holder of the engine.
 */
final class UdpEndpoint implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(UdpEndpoint.class);

    /** Driver and client are driven by the same threads: a silence between them says nothing. */
    private static final long CLIENT_TIMEOUT_NS = TimeUnit.HOURS.toNanos(24);

    /**
     * How long a peer may say nothing at all, as if it were frozen, before its stream is over. If its process is gone, the
     * relay knows sooner.
     */
    static final long SILENCE_NS_MAX = TimeUnit.SECONDS.toNanos(60);

    /** How long the driver repeats that a stream has ended. */
    private static final long LINGER_NS = TimeUnit.MILLISECONDS.toNanos(500);

    /** Time between looks of the driver at what ends. */
    private static final long TIMER_NS = TimeUnit.MILLISECONDS.toNanos(20);

    /** Turns of the driver in which the word goes out that this rank leaves. */
    private static final int GOODBYE_TURNS = 8;

    /**
     * How long a reader of what this rank casts may say nothing before it counts as gone. Nothing is cast then until it is back,
     * so this is not long.
     */
    private static final String CAST_SILENCE_MAX = "2s";

    private static final int PAGE_BYTES = 4096;
    private static final int COUNTER_BYTES = 128;

    /** Counters of the driver for a path, and then some for endings. */
    private static final int COUNTERS_PER_PATH = 16;

    private static final int COUNTERS_BYTES_MIN = 1 << 20;

    private final GroupDirectory directory;
    private final UdpNames names;
    private final UdpBudget budget;
    private final UdpSigns signs;

    /** Registrations of streams that the peer has refused. */
    private final LongHashSet refused = new LongHashSet();

    // Null until made.
    private MediaDriver driver;
    private AgentInvoker invoker;
    private DriverClient client;
    private Subscription subscription;
    private Subscription castSubscription;

    private UdpEndpoint(GroupDirectory directory, UdpNames names, UdpBudget budget) {
        this.directory = directory;
        this.names = names;
        this.budget = budget;
        signs = new UdpSigns(names);
    }

    /** Makes the sockets of a rank. */
    interface Gates {

        /**
         * How the driver is to make the one at which the rank is sent to.
         *
         * @param signs counts what comes from each peer
         */
        ReceiveChannelEndpointSupplier of(UdpNames names, UdpSigns signs);

        /** How it is to make those from which the rank sends. */
        default SendChannelEndpointSupplier senders() {
            return UdpSender::new;
        }
    }

    /**
     * Starts a driver. Blocks for some hundred milliseconds the first time, since much has to be loaded.
     *
     * @param shared where its memory is to be
     * @param port   taken; given back here, for the driver to take it
     * @param casts  whether ranks may cast
     * @throws IOException if there is no memory, the port is taken, or somebody has this rank's place
     * @throws InterruptedException if the thread was interrupted
     */
    static UdpEndpoint make(SharedDirectory shared, GroupView view, UdpPort port, Gates gates, boolean casts)
            throws IOException, InterruptedException {
        UdpNames names = new UdpNames(view);
        GroupDirectory directory = shared.enter(names.group(), view.rank());
        UdpBudget budget;
        try {
            budget = budget(shared, directory, view, port.receiveBytes());
        } catch (IOException | RuntimeException | Error e) {
            HostPlace.closeQuietly(directory.toString(), directory);
            throw e;
        }
        UdpEndpoint endpoint = new UdpEndpoint(directory, names, budget);
        try {
            endpoint.open(view, port, gates, casts);
            return endpoint;
        } catch (IOException | RuntimeException | Error e) {
            // An error, too: the JVM makes one of a page that cannot be had.
            endpoint.close();
            throw new IOException("Aeron over UDP: " + e.getMessage(), e);
        }
    }

    private static UdpBudget budget(SharedDirectory shared, GroupDirectory directory, GroupView view, int receiveBytes)
            throws IOException {
        long freeBytes = share(shared.freeBytes(), directory.bytes(), view);
        String tooLittle = UdpBudget.problem(freeBytes).orElse(null);
        if (tooLittle != null) {
            throw new IOException(shared + ", for each rank of this host: " + tooLittle);
        }
        return UdpBudget.of(freeBytes, receiveBytes, view.size());
    }

    /**
     * One rank's share, in bytes: the same for all of its host, whoever comes first.
     *
     * @param takenBytes what ranks of the host have taken already
     */
    static long share(long freeBytes, long takenBytes, GroupView view) {
        long ranks = view.members().stream()
                .filter(one -> one.hostId().equals(view.self().hostId()))
                .count();
        return (freeBytes + takenBytes) / ranks;
    }

    private void open(GroupView view, UdpPort port, Gates gates, boolean casts) throws IOException {
        Path path = directory.file(view.rank(), "udp");
        driver = MediaDriver.launch(context(path, view, gates));
        invoker = driver.sharedAgentInvoker();
        client = DriverClient.connect(
                new Aeron.Context()
                        .driverAgentInvoker(invoker)
                        .publicationErrorFrameHandler(frame -> refused.add(frame.registrationId())),
                path,
                view.rank(),
                TimeUnit.NANOSECONDS.toMillis(CLIENT_TIMEOUT_NS));
        ChannelUriStringBuilder channel = new ChannelUriStringBuilder()
                .media(CommonContext.UDP_MEDIA)
                .endpoint(endpoint(port.address().getHostAddress(), port.number()))
                .receiverWindowLength(budget.windowBytes());
        port.close();
        subscription = client.aeron().addSubscription(channel.build(), names.stream());
        if (casts) {
            // Of a loss is told at once: the others, who may have lost the same, are few.
            castSubscription =
                    client.aeron().addSubscription(channel.group(false).build(), names.castStream());
        }
    }

    private MediaDriver.Context context(Path path, GroupView view, Gates gates) {
        int counters = Integer.highestOneBit(2 * view.size() * COUNTERS_PER_PATH * COUNTER_BYTES - 1);
        return new MediaDriver.Context()
                .aeronDirectoryName(path.toString())
                .dirDeleteOnStart(true)
                .dirDeleteOnShutdown(true)
                .warnIfDirectoryExists(false)
                .threadingMode(ThreadingMode.INVOKER)
                .asyncExecutorEnabled(false)
                .receiveChannelEndpointSupplier(gates.of(names, signs))
                .sendChannelEndpointSupplier(gates.senders())
                .streamSessionLimit(names.sessions())
                .socketRcvbufLength(budget.receiveBytes())
                .initialWindowLength(budget.windowBytes())
                .clientLivenessTimeoutNs(CLIENT_TIMEOUT_NS)
                .publicationUnblockTimeoutNs(2 * CLIENT_TIMEOUT_NS)
                .imageLivenessTimeoutNs(SILENCE_NS_MAX)
                .publicationConnectionTimeoutNs(SILENCE_NS_MAX)
                .publicationLingerTimeoutNs(LINGER_NS)
                .timerIntervalNs(TIMER_NS)
                .termBufferSparseFile(false)
                .filePageSize(PAGE_BYTES)
                .performStorageChecks(true)
                .lowStorageWarningThreshold(0)
                .counterValuesBufferLength(Math.max(COUNTERS_BYTES_MIN, counters))
                .errorHandler(e -> LOG.debug("media driver of rank {}", view.rank(), e));
    }

    /** As channels have it. */
    static String endpoint(String address, int port) {
        return (address.indexOf(':') >= 0 ? "[" + address + "]" : address) + ":" + port;
    }

    UdpNames names() {
        return names;
    }

    /** What has come from each peer. */
    UdpSigns signs() {
        return signs;
    }

    Aeron aeron() {
        return client.aeron();
    }

    /** What peers send comes in here, one image for each session. */
    Subscription subscription() {
        return subscription;
    }

    /** What a peer casts; null if there is nothing. */
    Image cast(int peer) {
        return castSubscription == null ? null : castSubscription.imageBySessionId(names.castSession(peer));
    }

    /**
     * Begins to make a stream to a peer.
     *
     * @param peer    rank in the world
     * @param round   as {@link UdpNames#sessionTo} has it
     * @param attempt which of its addresses this is, from 0
     * @param host    literal address
     * @param isLocal whether the peer is on this host
     * @return Aeron's number for it
     */
    long publish(int peer, int round, int attempt, String host, int port, boolean isLocal) {
        String channel = new ChannelUriStringBuilder()
                .media(CommonContext.UDP_MEDIA)
                .endpoint(endpoint(host, port))
                .sessionId(names.sessionTo(peer, round, attempt))
                .termLength(budget.termBytes())
                .mtu(isLocal ? budget.localMtuBytes() : budget.remoteMtuBytes())
                .build();
        return client.aeron().asyncAddExclusivePublication(channel, names.streamOf(peer));
    }

    /**
     * Begins to make the stream by which this rank casts. Nothing can be written to it before all its readers answer.
     *
     * @param readers how many there will be
     * @param isLocal whether all of them are on this host
     * @param isV6    whether any of them has an address of IPv6
     * @return Aeron's number for it
     */
    long publishCast(int readers, boolean isLocal, boolean isV6) {
        ChannelUriStringBuilder channel = new ChannelUriStringBuilder()
                .media(CommonContext.UDP_MEDIA)
                .controlMode(CommonContext.MDC_CONTROL_MODE_MANUAL)
                .minFlowControl(readers, CAST_SILENCE_MAX)
                .sessionId(names.castSession(names.rank()))
                .termLength(budget.termBytes())
                .mtu(isLocal ? budget.localMtuBytes() : budget.remoteMtuBytes());
        if (isV6) {
            channel.controlEndpoint("[::]:0");
        }
        return client.aeron().asyncAddExclusivePublication(channel.build(), names.castStream());
    }

    /** Longest message to a rank of this host, or of another. */
    int messageBytes(boolean isLocal) {
        return (isLocal ? budget.localMtuBytes() : budget.remoteMtuBytes()) - DataHeaderFlyweight.HEADER_LENGTH;
    }

    /**
     * A position that the driver keeps.
     *
     * @param type         which, as Aeron numbers them
     * @param registration of the stream
     * @return null if there is no such stream
     */
    ReadablePosition position(int type, long registration) {
        CountersReader counters = client.aeron().countersReader();
        int id = counters.findByTypeIdAndRegistrationId(type, registration);
        return id == CountersReader.NULL_COUNTER_ID
                ? null
                : new UnsafeBufferPosition((UnsafeBuffer) counters.valuesBuffer(), id);
    }

    /** Whether the peer has said that it wants nothing of a stream. */
    boolean isRefused(long registration) {
        return refused.contains(registration);
    }

    /**
     * A turn of the driver. It opens files, which would fail if this thread is to be interrupted: that is for whoever waits on
     * it.
     *
     * @return 0 if there was nothing to do
     */
    int drive() {
        boolean interrupted = Thread.interrupted();
        int work = invoker.invoke();
        restore(interrupted);
        return work;
    }

    /** Lets Aeron's client do what it has to do now and then. */
    void look() {
        boolean interrupted = Thread.interrupted();
        client.look();
        restore(interrupted);
    }

    /** Why nothing works any more; null while it does. */
    String problem() {
        return client.problem() == null && isOver() ? "Aeron was closed" : client.problem();
    }

    /** Whether Aeron has ended here, on whatever grounds: what it had mapped is gone then, and must not be touched. */
    boolean isOver() {
        return client.aeron().isClosed() || invoker.isClosed();
    }

    private static void restore(boolean interrupted) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Says to peers that this rank sends and reads no more, and ends everything. */
    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
        if (subscription != null && problem() == null) {
            subscription.close();
            CloseHelper.close(castSubscription);
            for (int i = 0; i < GOODBYE_TURNS; i++) {
                invoker.invoke();
            }
        }
        HostPlace.closeQuietly("Aeron's client", client);
        HostPlace.closeQuietly("the media driver", driver);
        HostPlace.closeQuietly(directory.toString(), directory);
        restore(interrupted);
    }
}
