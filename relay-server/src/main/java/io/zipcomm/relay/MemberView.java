package io.zipcomm.relay;

import io.zipcomm.wire.proto.Candidate;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.Member;
import java.net.InetSocketAddress;
import java.util.List;

/** What the group view says about a member. */
final class MemberView {
    private MemberView() {}

    static Member of(io.zipcomm.relay.Member member) {
        return of(member.rank, member.join, member.control.remoteAddress());
    }

    /**
     * A member.
     *
     * @param rank its rank
     * @param join what it said of itself
     * @param seen where it came from
     */
    static Member of(int rank, Join join, InetSocketAddress seen) {
        Member.Builder view = Member.newBuilder()
                .setRank(rank)
                .setHostId(join.getHostId())
                .addAllTransports(join.getTransportsList())
                .setSealNonce(join.getSealNonce());
        // Where a rank was observed is the relay's to say.
        List<Candidate> own = join.getCandidatesList().stream()
                .filter(candidate -> candidate.getKind() != Candidate.Kind.OBSERVED)
                .toList();
        view.addAllCandidates(own);
        if (!seen.getAddress().isLoopbackAddress() && own.stream().anyMatch(MemberView::isPrivate)) {
            view.addCandidates(observed(seen));
        }
        return view.build();
    }

    /** A rank that listens for other hosts opens its control connection from the port on which it does. */
    private static boolean isPrivate(Candidate candidate) {
        return candidate.getKind() == Candidate.Kind.PRIVATE
                && candidate.getTransport().equals("tcp");
    }

    /**
     * What the rank's port looks like from here. Through a NAT that maps a port to the same address for whomever it talks
     * to, or a cloud's address that stands for one machine, it is where peers reach it, too.
     */
    private static Candidate observed(InetSocketAddress seen) {
        return Candidate.newBuilder()
                .setKind(Candidate.Kind.OBSERVED)
                .setTransport("tcp")
                .setHost(host(seen))
                .setPort(seen.getPort())
                .build();
    }

    /** Without a scope: that of a link-local IPv6 address means something on one machine only. */
    static String host(InetSocketAddress seen) {
        String address = seen.getAddress().getHostAddress();
        int percent = address.indexOf('%');
        return percent < 0 ? address : address.substring(0, percent);
    }
}
