package io.zipcomm.transport.tcp;

import io.zipcomm.internal.MembershipClient;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.testkit.DirectWiring;
import io.zipcomm.testkit.TransportContract;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.Transport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** TCP transports of one group on the loopback interface, with real sockets, whose paths lead through a real relay; or direct ones. */
final class TcpWiring implements TransportContract.Wiring {

    private final List<TcpTransport> transports = new ArrayList<>();
    private final List<MembershipClient> clients = new ArrayList<>();
    private final Way way;
    private int epoch;

    private TcpWiring(Way way) {
        this.way = way;
    }

    static DirectWiring direct(int size, long seed, String io) {
        return DirectWiring.open(
                size, seed, rank -> transport(size, rank, io), candidates -> DirectWiring.views(seed, candidates));
    }

    /** Each rank takes itself for alone on its host. */
    static DirectWiring between(int size, long seed, String io) {
        return DirectWiring.open(
                size, seed, rank -> transport(size, rank, io), candidates -> viewsApart(seed, candidates));
    }

    private static TcpTransport transport(int size, int rank, String io) {
        return new TcpTransport(settings(size, rank, io).build());
    }

    private static List<GroupView> viewsApart(long seed, List<List<Candidate>> candidates) {
        return DirectWiring.views(
                seed, candidates.stream().map(TestGroup::asIfRemote).toList(), rank -> "host " + rank);
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
        TcpWiring wiring = new TcpWiring(way);
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
        transports.get(view.rank()).start(view, new PathEvents() {
            @Override
            public void opened(Path path) {
                throw new AssertionError("nobody asked for a direct path to rank " + path.peer());
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
        return transports.get(rank).relayed(peer);
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
            client.leave(TimeUnit.SECONDS.toNanos(1));
            client.close();
        }
        transports.forEach(TcpTransport::close);
        way.close();
    }
}
