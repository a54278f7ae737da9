package io.zipcomm.transport.tcp;

import io.zipcomm.internal.MembershipClient;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.testkit.TransportContract;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.Transport;
import io.zipcomm.wire.SessionKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** TCP transports of one group on the loopback interface, with real sockets and, for relayed paths, a real relay. */
final class TcpWiring implements TransportContract.Wiring {

    private static final int EPOCH = 3;
    private static final long FLOW_WINDOW_BYTES = 1 << 20;
    private static final int RELAY_FRAGMENT_BYTES_MAX = 64 << 10;

    private final List<TcpTransport> transports = new ArrayList<>();
    private final List<MembershipClient> clients = new ArrayList<>();
    private final Path[][] opened;
    private final boolean direct;
    private Way way;
    private int epoch;

    private TcpWiring(int size, boolean direct) {
        this.direct = direct;
        opened = new Path[size][size];
    }

    static TcpWiring direct(int size, long seed, String io) {
        return direct(size, seed, io, false);
    }

    /** Each rank takes itself for alone on its host. */
    static TcpWiring between(int size, long seed, String io) {
        return direct(size, seed, io, true);
    }

    private static TcpWiring direct(int size, long seed, String io, boolean separate) {
        TcpWiring wiring = new TcpWiring(size, true);
        List<Member> members = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            TcpTransport transport = new TcpTransport(settings(size, rank, io).build());
            wiring.transports.add(transport);
            List<Candidate> candidates =
                    separate ? TestGroup.asIfRemote(transport.candidates()) : transport.candidates();
            String host = separate ? "host " + rank : "this host";
            members.add(new Member(rank, host, candidates, List.of("tcp")));
        }
        byte[] key = new byte[SessionKey.BYTES];
        new Random(seed).nextBytes(key);
        for (int rank = 0; rank < size; rank++) {
            wiring.start(new GroupView(
                    "s", EPOCH, rank, members, new SessionKey(key), FLOW_WINDOW_BYTES, RELAY_FRAGMENT_BYTES_MAX));
        }
        wiring.connectAll(new Random(seed));
        return wiring;
    }

    static TcpWiring relayed(int size, String io) {
        return relayed(size, io, Way.Kind.ZIP);
    }

    static TcpWiring relayed(int size, String io, Way.Kind kind) {
        return relayed(size, io, Way.open(kind));
    }

    /** What the relay sends trickles in. */
    static TcpWiring relayedInPieces(int size, String io, Way.Kind kind) {
        return relayed(size, io, Way.openInPieces(kind));
    }

    private static TcpWiring relayed(int size, String io, Way way) {
        TcpWiring wiring = new TcpWiring(size, false);
        wiring.way = way;
        for (int rank = 0; rank < size; rank++) {
            ZipSettings settings = wiring.way
                    .apply(settings(size, rank, io))
                    .transport(ZipSettings.TransportChoice.RELAY)
                    .build();
            TcpTransport transport = new TcpTransport(settings);
            wiring.transports.add(transport);
            MembershipClient client = MembershipClient.join(
                    settings, new TcpTransportProvider(), List.of(), 0, "this host", true, System::nanoTime);
            wiring.clients.add(client);
            transport.attach(
                    settings.relay(), settings.session(), rank, client.ticket(), System.nanoTime() + 10_000_000_000L);
        }
        for (MembershipClient client : wiring.clients) {
            wiring.start(client.awaitGroup());
        }
        return wiring;
    }

    private static ZipSettings.Builder settings(int size, int rank, String io) {
        return ZipSettings.builder()
                .session("s")
                .size(size)
                .rank(rank)
                .joinTimeout(Duration.ofSeconds(20))
                .set(Setting.IO, io);
    }

    private void start(GroupView view) {
        epoch = view.epoch();
        int self = view.rank();
        transports.get(self).start(view, new PathEvents() {
            @Override
            public void opened(Path path) {
                opened[self][path.peer()] = path;
            }

            @Override
            public void unreachable(int peer, String reason) {
                throw new AssertionError("rank " + peer + " is unreachable: " + reason);
            }

            @Override
            public void punchWanted(int peer) {
                throw new AssertionError("nobody is behind a NAT here");
            }

            @Override
            public void relayLost(String reason) {
                throw new AssertionError(reason);
            }
        });
    }

    /** The lower rank begins, or the higher, or both at once. */
    private void connectAll(Random random) {
        int size = transports.size();
        for (int rank = 0; rank < size; rank++) {
            for (int peer = rank + 1; peer < size; peer++) {
                int who = random.nextInt(3);
                if (who != 1) {
                    transports.get(rank).connect(peer);
                }
                if (who != 0) {
                    transports.get(peer).connect(rank);
                }
            }
        }
        long deadlineNs = System.nanoTime() + 10_000_000_000L;
        while (open() < size * (size - 1)) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new AssertionError("only " + open() + " of " + size * (size - 1) + " ends of paths are open");
            }
            transports.forEach(TcpTransport::poll);
        }
    }

    private int open() {
        int count = 0;
        for (Path[] row : opened) {
            for (Path path : row) {
                count += path == null ? 0 : 1;
            }
        }
        return count;
    }

    @Override
    public int epoch() {
        return epoch;
    }

    @Override
    public Transport transport(int rank) {
        return transports.get(rank);
    }

    @Override
    public Path path(int rank, int peer) {
        return direct ? opened[rank][peer] : transports.get(rank).relayed(peer);
    }

    @Override
    public void idle() {
        for (TcpTransport transport : transports) {
            transport.await(1_000_000, () -> false);
        }
    }

    @Override
    public void close() {
        for (MembershipClient client : clients) {
            client.leave();
            client.close();
        }
        transports.forEach(TcpTransport::close);
        if (way != null) {
            way.close();
        }
    }
}
