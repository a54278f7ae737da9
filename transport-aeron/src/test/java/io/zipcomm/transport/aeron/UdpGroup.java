package io.zipcomm.transport.aeron;

import io.aeron.driver.DataPacketDispatcher;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ReceiveChannelEndpointSupplier;
import io.aeron.driver.media.UdpChannel;
import io.aeron.protocol.DataHeaderFlyweight;
import io.aeron.protocol.RttMeasurementFlyweight;
import io.aeron.protocol.SetupFlyweight;
import io.zipcomm.internal.CombinedProvider;
import io.zipcomm.internal.Engine;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.internal.MembershipClient;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.testkit.SkippingClock;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.DirectTransportProvider;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.tcp.TcpTransportProvider;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;

/**
 * A group of which every rank is a thread here, joined as {@link io.zipcomm.Zip#join} does it, but with its paths over UDP in the
 * test's hands.
 */
final class UdpGroup {

    private static final int LIMIT_S = 100;

    /** Enough for a minute that is skipped now and then. */
    private static final Duration OPERATION_TIMEOUT = Duration.ofHours(2);

    /** What the engines go by. */
    final SkippingClock clock;

    private final List<Rank> ranks;

    private UdpGroup(SkippingClock clock, List<Rank> ranks) {
        this.clock = clock;
        this.ranks = ranks;
    }

    /**
     * Joins all ranks.
     *
     * @param apart whether each rank takes itself for alone on its host
     */
    static UdpGroup join(int relayPort, String directory, int size, boolean apart) throws Exception {
        SkippingClock clock = new SkippingClock();
        return new UdpGroup(clock, each(size, rank -> {
            ZipSettings settings = ZipSettings.builder()
                    .relay("127.0.0.1:" + relayPort)
                    .session("s")
                    .size(size)
                    .rank(rank)
                    .transport(ZipSettings.TransportChoice.AUTO)
                    .joinTimeout(Duration.ofSeconds(30))
                    .operationTimeout(OPERATION_TIMEOUT)
                    .set(Setting.CLOSE_TIMEOUT, "10000")
                    .set(Setting.HOST_ID, apart ? "host " + rank : "this host")
                    .set(Setting.SHARED_MEMORY, directory)
                    .set(Setting.AERON_UDP, "on")
                    .build();
            return new Rank(settings, apart, clock);
        }));
    }

    /** Does something at each rank, in a thread of its own. */
    static <T> List<T> each(int count, IntFunctionThatThrows<T> body) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(count);
        try {
            List<Future<T>> futures = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int one = i;
                Callable<T> task = () -> body.apply(one);
                futures.add(threads.submit(task));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> one : futures) {
                results.add(one.get(LIMIT_S, TimeUnit.SECONDS));
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    /** As {@link IntFunction}. */
    @FunctionalInterface
    interface IntFunctionThatThrows<T> {
        T apply(int index) throws Exception;
    }

    Rank rank(int rank) {
        return ranks.get(rank);
    }

    /** All ranks leave, at once. */
    void leave() throws Exception {
        each(ranks.size(), rank -> {
            ranks.get(rank).world.close();
            return null;
        });
    }

    /** One rank. */
    static final class Rank {
        final GroupCommunicator world;
        private final Watched watched = new Watched();
        private final Transport transport;

        /** Nothing comes in at its port, and nothing goes out from there. */
        volatile boolean deaf;

        private Rank(ZipSettings settings, boolean apart, LongSupplier clock) {
            UdpEndpoint.Gates gates = (names, signs) -> deafGates(names, signs);
            DirectTransportProvider udp = watched.provider(new AeronUdpProvider(gates));
            TcpTransportProvider tcp = new TcpTransportProvider();
            transport = new CombinedProvider(tcp, List.of(udp)).open(settings);
            List<Candidate> candidates = apart ? asIfRemote(transport.candidates()) : transport.candidates();
            MembershipClient client = MembershipClient.join(
                    settings, tcp, candidates, transport.rendezvousPort(), settings.hostId(), true, System::nanoTime);
            long deadlineNs = System.nanoTime() + settings.joinTimeout().toNanos();
            transport.attach(settings.relay(), settings.session(), client.rank(), client.ticket(), deadlineNs);
            GroupView view = client.awaitGroup();
            Engine engine = new Engine(view, transport, client, settings, clock, true);
            world = engine.start();
            client.listen(engine);
        }

        private ReceiveChannelEndpointSupplier deafGates(UdpNames names, UdpSigns signs) {
            return (channel, dispatcher, status, context) ->
                    new DeafGate(this, names, signs, channel, dispatcher, status, context);
        }

        /** Others do not try loopback addresses of what they take for another host. */
        private static List<Candidate> asIfRemote(List<Candidate> candidates) {
            return candidates.stream()
                    .filter(one -> one.kind() == Candidate.Kind.LOOPBACK)
                    .map(one -> new Candidate(Candidate.Kind.PRIVATE, one.transport(), one.host(), one.port()))
                    .toList();
        }

        /** Kind of the path on which frames to a peer go now. */
        String pathTo(int peer) {
            return world.progress().pathTo(peer);
        }

        int resumptions(int peer) {
            return world.progress().resumptions(peer);
        }

        /** The path over UDP that opened last; null if none has. Engine holder only, but for a look. */
        UdpPath path(int peer) {
            return (UdpPath) watched.opened.get(peer);
        }

        /** Its transport over UDP. Engine holder only. */
        UdpTransport udp() {
            return (UdpTransport) watched.real;
        }

        /** Does something in the next turn of the engine, on the thread that holds it. */
        void act(Runnable action) {
            watched.actions.add(action);
            transport.wakeup();
        }
    }

    /** Loses everything while its rank is deaf. */
    private static final class DeafGate extends UdpGate {
        private final Rank rank;

        DeafGate(
                Rank rank,
                UdpNames names,
                UdpSigns signs,
                UdpChannel channel,
                DataPacketDispatcher dispatcher,
                AtomicCounter status,
                MediaDriver.Context context) {
            super(names, signs, channel, dispatcher, status, context);
            this.rank = rank;
        }

        @Override
        public int onDataPacket(
                DataHeaderFlyweight header, UnsafeBuffer buffer, int length, InetSocketAddress source, int transport) {
            return rank.deaf ? 0 : super.onDataPacket(header, buffer, length, source, transport);
        }

        @Override
        public void onSetupMessage(
                SetupFlyweight header, UnsafeBuffer buffer, int length, InetSocketAddress source, int transport) {
            if (!rank.deaf) {
                super.onSetupMessage(header, buffer, length, source, transport);
            }
        }

        @Override
        public void onRttMeasurement(
                RttMeasurementFlyweight header,
                UnsafeBuffer buffer,
                int length,
                InetSocketAddress source,
                int transport) {
            if (!rank.deaf) {
                super.onRttMeasurement(header, buffer, length, source, transport);
            }
        }

        @Override
        public int sendTo(ByteBuffer buffer, InetSocketAddress to) {
            return rank.deaf ? buffer.remaining() : super.sendTo(buffer, to);
        }
    }

    /** Passes everything on, keeps what opens, and does what the test wants between two turns. */
    private static final class Watched implements DirectTransport {
        private final Map<Integer, Path> opened = new ConcurrentHashMap<>();
        private final Queue<Runnable> actions = new ConcurrentLinkedQueue<>();
        private DirectTransport real;

        private DirectTransportProvider provider(DirectTransportProvider of) {
            return new DirectTransportProvider() {
                @Override
                public List<Capabilities> capabilities() {
                    return of.capabilities();
                }

                @Override
                public boolean isWanted(ZipSettings settings) {
                    return of.isWanted(settings);
                }

                @Override
                public Optional<String> unavailabilityReason() {
                    return of.unavailabilityReason();
                }

                @Override
                public String details() {
                    return of.details();
                }

                @Override
                public List<DirectTransport> open(ZipSettings settings, Transport base) {
                    real = of.open(settings, base).get(0);
                    return List.of(Watched.this);
                }
            };
        }

        @Override
        public List<Candidate> candidates() {
            return real.candidates();
        }

        @Override
        public void start(GroupView view, PathEvents events) {
            real.start(view, new PathEvents() {
                @Override
                public void opened(Path path) {
                    opened.put(path.peer(), path);
                    events.opened(path);
                }

                @Override
                public void unreachable(int peer, String reason) {
                    events.unreachable(peer, reason);
                }

                @Override
                public void punchWanted(int peer) {
                    events.punchWanted(peer);
                }

                @Override
                public void relayLost(String reason) {
                    events.relayLost(reason);
                }
            });
        }

        @Override
        public boolean reaches(int peer) {
            return real.reaches(peer);
        }

        @Override
        public void connect(int peer) {
            real.connect(peer);
        }

        @Override
        public void giveUp(int peer) {
            real.giveUp(peer);
        }

        @Override
        public boolean isConnecting() {
            return real.isConnecting();
        }

        @Override
        public boolean hasPaths() {
            return real.hasPaths();
        }

        @Override
        public int poll() {
            for (Runnable action = actions.poll(); action != null; action = actions.poll()) {
                action.run();
            }
            return real.poll();
        }

        @Override
        public long beforeSleep() {
            return real.beforeSleep();
        }

        @Override
        public void afterSleep() {
            real.afterSleep();
        }

        @Override
        public boolean hasOutput() {
            return real.hasOutput();
        }

        @Override
        public void leave() {
            real.leave();
        }

        @Override
        public void close() {
            real.close();
        }
    }
}
