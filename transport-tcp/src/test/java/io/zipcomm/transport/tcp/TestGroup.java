package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.internal.Engine;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.internal.MembershipClient;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.testkit.SkippingClock;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * A group of which every rank is a thread here, joined as {@link io.zipcomm.Zip#join} does it, but with its transport in
 * the test's hands.
 */
final class TestGroup {

    private static final String HOST = "this host";

    private static final Duration OPERATION_TIMEOUT = Duration.ofSeconds(60);

    /** Enough for a minute that is skipped now and then. */
    private static final Duration SKIPPING_OPERATION_TIMEOUT = Duration.ofHours(2);

    /** What the engines go by. */
    final SkippingClock clock;

    private final List<Rank> ranks;

    private TestGroup(SkippingClock clock, List<Rank> ranks) {
        this.clock = clock;
        this.ranks = ranks;
    }

    /**
     * Joins all ranks.
     *
     * @param holdDirect   whether direct connections wait for {@link Rank#letConnect}
     * @param closeTimeout how long a rank waits for the others when it leaves
     */
    static TestGroup join(
            RelayServer relay,
            String session,
            int size,
            ZipSettings.TransportChoice choice,
            boolean holdDirect,
            Duration closeTimeout)
            throws Exception {
        return join(relay, session, size, choice, holdDirect, closeTimeout, Hosts.ONE);
    }

    /** Where the ranks of a group are, as they are told; and whether the test skips pauses, which count for operations, too. */
    record Hosts(boolean separate, String io, boolean skipping) {
        static final Hosts ONE = new Hosts(false, "auto");

        Hosts(boolean separate, String io) {
            this(separate, io, false);
        }

        /** The same hosts, and the test may skip what links wait for. */
        Hosts withSkips() {
            return new Hosts(separate, io, true);
        }
    }

    /**
     * Joins all ranks.
     *
     * @param hosts whether each rank takes itself for alone on its host, though all connect by loopback; and the socket
     *     implementation
     */
    static TestGroup join(
            RelayServer relay,
            String session,
            int size,
            ZipSettings.TransportChoice choice,
            boolean holdDirect,
            Duration closeTimeout,
            Hosts hosts)
            throws Exception {
        SkippingClock clock = new SkippingClock();
        List<Rank> ranks = Threads.each(size, rank -> {
            ZipSettings settings = ZipSettings.builder()
                    .relay("127.0.0.1:" + relay.address().getPort())
                    .session(session)
                    .size(size)
                    .rank(rank)
                    .transport(choice)
                    .joinTimeout(Duration.ofSeconds(30))
                    .operationTimeout(hosts.skipping ? SKIPPING_OPERATION_TIMEOUT : OPERATION_TIMEOUT)
                    .set(Setting.CLOSE_TIMEOUT, Long.toString(closeTimeout.toMillis()))
                    .set(Setting.HOST_ID, hosts.separate ? HOST + " " + rank : HOST)
                    .set(Setting.IO, hosts.io)
                    .build();
            return Rank.join(settings, holdDirect, hosts, clock);
        });
        return new TestGroup(clock, ranks);
    }

    Rank rank(int rank) {
        return ranks.get(rank);
    }

    int size() {
        return ranks.size();
    }

    /** All ranks leave, at once. */
    void leave() throws Exception {
        Threads.each(ranks.size(), rank -> {
            ranks.get(rank).world.close();
            return null;
        });
    }

    /** Others do not try loopback addresses of what they take for another host. */
    static List<Candidate> asIfRemote(List<Candidate> candidates) {
        return candidates.stream()
                .filter(one -> one.kind() == Candidate.Kind.LOOPBACK)
                .map(one -> new Candidate(Candidate.Kind.PRIVATE, one.transport(), one.host(), one.port()))
                .toList();
    }

    /** One rank. */
    static final class Rank {
        final GroupCommunicator world;
        final GroupView view;
        private final MembershipClient client;
        private final HeldTransport transport;

        private Rank(GroupCommunicator world, GroupView view, MembershipClient client, HeldTransport transport) {
            this.world = world;
            this.view = view;
            this.client = client;
            this.transport = transport;
        }

        private static Rank join(ZipSettings settings, boolean holdDirect, Hosts hosts, LongSupplier clock) {
            boolean relayed = settings.transport().isRelayed();
            HeldTransport transport = new HeldTransport(new TcpTransport(settings), holdDirect);
            List<Candidate> candidates = hosts.separate ? asIfRemote(transport.candidates()) : transport.candidates();
            MembershipClient client = MembershipClient.join(
                    settings,
                    new TcpTransportProvider(),
                    candidates,
                    transport.rendezvousPort(),
                    settings.hostId(),
                    relayed,
                    System::nanoTime);
            if (relayed) {
                long deadlineNs = System.nanoTime() + settings.joinTimeout().toNanos();
                transport.attach(settings.relay(), settings.session(), client.rank(), client.ticket(), deadlineNs);
            }
            GroupView view = client.awaitGroup();
            Engine engine = new Engine(view, transport, client, settings, clock, true);
            GroupCommunicator world = engine.start();
            client.listen(engine);
            return new Rank(world, view, client, transport);
        }

        /** The direct connection to a peer that opened last; null if none has. Engine holder only, but for a look. */
        DirectConnection direct(int peer) {
            return (DirectConnection) transport.opened.get(peer);
        }

        /** The data connection to the relay. Engine holder only. */
        FrameStream relayConnection() {
            return transport.real.relayConnection();
        }

        /** Whether a connection is being opened. Engine holder only. */
        boolean isConnecting() {
            return transport.real.isConnecting();
        }

        /** Does something in the next turn of the engine, on the thread that holds it. */
        void act(Runnable action) {
            transport.actions.add(action);
            transport.wakeup();
        }

        /** Kind of the path on which frames to a peer go now. */
        String pathTo(int peer) {
            return world.progress().pathTo(peer);
        }

        /** The next attempts to connect directly come to nothing. */
        void refuseConnections(int count) {
            transport.refusals.set(count);
        }

        /** Direct connections that were asked for begin now, and later ones at once. */
        void letConnect() {
            transport.held = false;
            transport.wakeup();
        }

        /** The sockets that carry data close, as if this process had died, without a word. No operation may be running. */
        void killTransport() throws InterruptedException {
            transport.doomed = true;
            assertTrue(transport.dead.await(10, TimeUnit.SECONDS), "the engine takes no turn");
        }

        /** The relay sees this process die, too. */
        void killControl() {
            client.close();
        }
    }

    /** Passes everything on, except that direct connections may have to wait, and that it may die between two turns. */
    private static final class HeldTransport implements Transport {
        private final CountDownLatch dead = new CountDownLatch(1);
        private volatile boolean doomed;
        private final TcpTransport real;
        private final List<Integer> waiting = new ArrayList<>(); // engine holder only
        private volatile boolean held;
        private final AtomicInteger refusals = new AtomicInteger();
        private PathEvents listener; // engine holder only
        private final Queue<Runnable> actions = new ConcurrentLinkedQueue<>();
        private final Map<Integer, Path> opened = new ConcurrentHashMap<>();

        HeldTransport(TcpTransport real, boolean held) {
            this.real = real;
            this.held = held;
        }

        @Override
        public void connect(int peer) {
            if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                actions.add(() -> listener.unreachable(peer, "refused by the test"));
            } else if (held) {
                waiting.add(peer);
            } else {
                real.connect(peer);
            }
        }

        private void connectWaiting() {
            if (!held && !waiting.isEmpty()) {
                waiting.forEach(real::connect);
                waiting.clear();
            }
        }

        /** By the engine holder: whoever else closed it would do so under the hands of a thread that polls. */
        private void dieIfDoomed() {
            if (doomed) {
                real.close();
                dead.countDown();
            }
            for (Runnable action = actions.poll(); action != null; action = actions.poll()) {
                action.run();
            }
        }

        @Override
        public int poll() {
            dieIfDoomed();
            connectWaiting();
            return real.poll();
        }

        @Override
        public int await(long timeoutNs, BooleanSupplier wakeupDue) {
            dieIfDoomed();
            connectWaiting();
            return real.await(timeoutNs, wakeupDue);
        }

        @Override
        public List<Candidate> candidates() {
            return real.candidates();
        }

        @Override
        public void relayOver() {
            real.relayOver();
        }

        @Override
        public void detached(int number, String reason) {
            real.detached(number, reason);
        }

        @Override
        public void attach(RelayAddress relay, String session, int rank, byte[] ticket, long deadlineNs) {
            real.attach(relay, session, rank, ticket, deadlineNs);
        }

        @Override
        public void start(GroupView view, PathEvents events) {
            listener = events;
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
                public void relayAway(String reason) {
                    events.relayAway(reason);
                }

                @Override
                public void flowBegan(int peer) {
                    events.flowBegan(peer);
                }

                @Override
                public void hubBack() {
                    events.hubBack();
                }

                @Override
                public void relayLost(String reason) {
                    events.relayLost(reason);
                }
            });
        }

        @Override
        public Path relayed(int peer) {
            return real.relayed(peer);
        }

        @Override
        public void wakeup() {
            real.wakeup();
        }

        @Override
        public int rendezvousPort() {
            return real.rendezvousPort();
        }

        @Override
        public void punch(int peer, long atNs, long roundTripNs) {
            real.punch(peer, atNs, roundTripNs);
        }

        @Override
        public boolean isConnecting() {
            return real.isConnecting();
        }

        @Override
        public boolean hasOutput() {
            return real.hasOutput();
        }

        @Override
        public TransportCounters counters() {
            return real.counters();
        }

        @Override
        public void close() {
            real.close();
        }
    }
}
