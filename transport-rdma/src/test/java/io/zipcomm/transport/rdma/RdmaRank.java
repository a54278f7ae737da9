package io.zipcomm.transport.rdma;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.testkit.DirectWiring;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.transport.rdma.ffi.Native;
import io.zipcomm.transport.tcp.TcpTransportProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** A rank without engine or relay, driven turn by turn. */
final class RdmaRank implements PathEvents, AutoCloseable {

    private static final long SEED = 7;

    private final Transport base;
    final RdmaTransport transport;

    /** What it was told of each peer. */
    final TreeMap<Integer, Path> opened = new TreeMap<>();

    final TreeMap<Integer, String> unreachable = new TreeMap<>();

    private RdmaRank(int size, int rank, String provider) {
        Native.library();
        ZipSettings settings = RdmaWiring.settings(size, rank, provider);
        base = new TcpTransportProvider().open(settings);
        transport = (RdmaTransport) new RdmaProvider().open(settings, base).get(0);
    }

    private RdmaRank(int size, int rank, String provider, Fabric fabric) {
        base = new TcpTransportProvider().open(RdmaWiring.settings(size, rank, provider));
        transport = new RdmaTransport(RdmaEndpoint.open(fabric, provider, "", size), base);
    }

    /**
     * A group, started.
     *
     * @param providers of libfabric, one for each rank
     */
    static List<RdmaRank> group(String... providers) {
        List<RdmaRank> ranks = new ArrayList<>();
        for (String provider : providers) {
            ranks.add(new RdmaRank(providers.length, ranks.size(), provider));
        }
        return start(ranks);
    }

    /** A group whose rank 0 uses this in place of the native library, and whose ranks all use one provider. */
    static List<RdmaRank> group(Fabric ofTheFirst, String provider, int size) {
        List<RdmaRank> ranks = new ArrayList<>();
        ranks.add(new RdmaRank(size, 0, provider, ofTheFirst));
        while (ranks.size() < size) {
            ranks.add(new RdmaRank(size, ranks.size(), provider));
        }
        return start(ranks);
    }

    private static List<RdmaRank> start(List<RdmaRank> ranks) {
        List<List<Candidate>> candidates =
                ranks.stream().map(rank -> rank.transport.candidates()).toList();
        List<GroupView> views = DirectWiring.views(SEED, candidates);
        for (int rank = 0; rank < ranks.size(); rank++) {
            ranks.get(rank).transport.start(views.get(rank), ranks.get(rank));
        }
        return ranks;
    }

    /** A turn, as when the thread does not sleep but looks at everything. */
    void turn() {
        transport.afterSleep();
        transport.poll();
    }

    @Override
    public void opened(Path path) {
        opened.put(path.peer(), path);
    }

    @Override
    public void unreachable(int peer, String reason) {
        unreachable.put(peer, reason);
    }

    @Override
    public void punchWanted(int peer) {
        throw new AssertionError("nobody is behind a NAT here");
    }

    @Override
    public void relayLost(String reason) {
        throw new AssertionError(reason);
    }

    @Override
    public void close() {
        transport.close();
        base.close();
    }

    @Override
    public String toString() {
        return "open " + opened.keySet() + ", unreachable " + unreachable;
    }
}
