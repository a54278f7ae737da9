package io.zipcomm.transport.rdma;

import io.zipcomm.internal.CombinedProvider;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.TransportContract;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.tcp.TcpTransportProvider;
import io.zipcomm.wire.SessionKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Transports over libfabric of one group in this process, each beside one for TCP, which sleeps for it. */
final class RdmaWiring implements TransportContract.Wiring {

    private static final int EPOCH = 3;
    private static final long FLOW_WINDOW_BYTES = 1 << 20;
    private static final int RELAY_FRAGMENT_BYTES_MAX = 64 << 10;

    private final List<Transport> transports = new ArrayList<>();
    private final Path[][] opened;

    private RdmaWiring(int size) {
        opened = new Path[size][size];
    }

    /**
     * Opens all paths.
     *
     * @param provider of libfabric
     */
    static RdmaWiring open(int size, long seed, String provider) {
        RdmaWiring wiring = new RdmaWiring(size);
        try {
            wiring.openAll(size, seed, provider);
            return wiring;
        } catch (RuntimeException | Error e) {
            wiring.close();
            throw e;
        }
    }

    private void openAll(int size, long seed, String name) {
        CombinedProvider provider = new CombinedProvider(new TcpTransportProvider(), List.of(new RdmaProvider()));
        for (int rank = 0; rank < size; rank++) {
            transports.add(provider.open(settings(size, rank, name)));
        }
        List<GroupView> views =
                views(seed, transports.stream().map(Transport::candidates).toList());
        for (int rank = 0; rank < size; rank++) {
            transports.get(rank).start(views.get(rank), new Opened(rank));
        }
        connectAll(new Random(seed));
    }

    /** Of one rank of a group on this host. */
    static ZipSettings settings(int size, int rank, String provider) {
        return ZipSettings.builder()
                .session("s")
                .size(size)
                .rank(rank)
                .transport(TransportChoice.RDMA)
                .set(Setting.RDMA_PROVIDER, provider)
                .build();
    }

    /** A group as each of its ranks sees it, by what they publish. */
    static List<GroupView> views(long seed, List<List<Candidate>> candidates) {
        List<Member> members = IntStream.range(0, candidates.size())
                .mapToObj(rank -> new Member(rank, "this host", candidates.get(rank), List.of("rdma")))
                .toList();
        byte[] key = new byte[SessionKey.BYTES];
        new Random(seed).nextBytes(key);
        return IntStream.range(0, candidates.size())
                .mapToObj(rank -> new GroupView(
                        "s", EPOCH, rank, members, new SessionKey(key), FLOW_WINDOW_BYTES, RELAY_FRAGMENT_BYTES_MAX))
                .toList();
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
        long deadlineNs = System.nanoTime() + 20_000_000_000L;
        while (openEnds() < (long) size * (size - 1)) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new AssertionError("only " + openEnds() + " of " + size * (size - 1) + " ends of paths are open");
            }
            transports.forEach(transport -> transport.await(1_000_000, () -> false));
        }
    }

    private long openEnds() {
        return IntStream.range(0, opened.length)
                .mapToLong(rank -> java.util.Arrays.stream(opened[rank])
                        .filter(java.util.Objects::nonNull)
                        .count())
                .sum();
    }

    /** Keeps what opens. */
    private final class Opened implements PathEvents {
        private final int rank;

        Opened(int rank) {
            this.rank = rank;
        }

        @Override
        public void opened(Path path) {
            opened[rank][path.peer()] = path;
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
    }

    @Override
    public int epoch() {
        return EPOCH;
    }

    @Override
    public Transport transport(int rank) {
        return transports.get(rank);
    }

    @Override
    public Path path(int rank, int peer) {
        return opened[rank][peer];
    }

    @Override
    public void idle() {
        for (Transport transport : transports) {
            transport.await(1_000_000, () -> false);
        }
    }

    @Override
    public void close() {
        transports.forEach(Transport::close);
    }
}
