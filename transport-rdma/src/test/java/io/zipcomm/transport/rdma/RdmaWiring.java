package io.zipcomm.transport.rdma;

import io.zipcomm.internal.CombinedProvider;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.DirectWiring;
import io.zipcomm.transport.tcp.TcpTransportProvider;
import java.util.List;

/** Transports over libfabric of one group in this process, each beside one for TCP, which sleeps for it. */
final class RdmaWiring {

    private RdmaWiring() {}

    /**
     * Opens all paths.
     *
     * @param provider of libfabric
     */
    static DirectWiring open(int size, long seed, String provider) {
        CombinedProvider providers = new CombinedProvider(new TcpTransportProvider(), List.of(new RdmaProvider()));
        return DirectWiring.open(
                size,
                seed,
                rank -> providers.open(settings(size, rank, provider)),
                candidates -> DirectWiring.views(seed, candidates));
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
}
