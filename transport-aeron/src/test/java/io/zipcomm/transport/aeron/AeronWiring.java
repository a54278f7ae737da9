package io.zipcomm.transport.aeron;

import io.zipcomm.internal.CombinedProvider;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.DirectWiring;
import io.zipcomm.transport.DirectTransportProvider;
import io.zipcomm.transport.tcp.TcpTransportProvider;
import java.util.List;

/** Transports over Aeron of one group in this process, each beside one for TCP, which sleeps for it. */
final class AeronWiring {

    private AeronWiring() {}

    /**
     * Opens all paths.
     *
     * @param direct    opens them
     * @param choice    what the settings ask for
     * @param directory for shared memory
     * @param io        socket implementation of the transport for TCP
     */
    static DirectWiring open(
            int size, long seed, DirectTransportProvider direct, TransportChoice choice, String directory, String io) {
        return open(size, seed, direct, choice, directory, io, false);
    }

    /**
     * The same, with a say about hosts.
     *
     * @param apart whether ranks take each other for ranks of other hosts
     */
    static DirectWiring open(
            int size,
            long seed,
            DirectTransportProvider direct,
            TransportChoice choice,
            String directory,
            String io,
            boolean apart) {
        CombinedProvider provider = new CombinedProvider(new TcpTransportProvider(), List.of(direct));
        return DirectWiring.open(
                size,
                seed,
                rank -> provider.open(settings(size, rank, choice, directory, io)),
                candidates -> apart ? viewsApart(seed, candidates) : DirectWiring.views(seed, candidates));
    }

    private static List<GroupView> viewsApart(long seed, List<List<Candidate>> candidates) {
        return DirectWiring.views(
                seed, candidates.stream().map(AeronWiring::published).toList(), rank -> "host " + rank);
    }

    /** Addresses of this host, as if it were another one's. */
    private static List<Candidate> published(List<Candidate> own) {
        return own.stream()
                .filter(one -> one.kind() == Candidate.Kind.LOOPBACK)
                .map(one -> new Candidate(Candidate.Kind.PRIVATE, one.transport(), one.host(), one.port()))
                .toList();
    }

    /** Of one rank of a group on this host. */
    static ZipSettings settings(int size, int rank, TransportChoice choice, String directory, String io) {
        return ZipSettings.builder()
                .session("s")
                .size(size)
                .rank(rank)
                .transport(choice)
                .set(Setting.SHARED_MEMORY, directory)
                .set(Setting.AERON_UDP, "on")
                .set(Setting.IO, io)
                .build();
    }
}
