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
                .addAllTransports(join.getTransportsList());
        // Where a rank was observed is the relay's to say.
        List<Candidate> own = join.getCandidatesList().stream()
                .filter(candidate -> candidate.getKind() != Candidate.Kind.OBSERVED)
                .toList();
        view.addAllCandidates(own);
        if (!seen.getAddress().isLoopbackAddress()) {
            addObserved(view, own, withoutScope(seen.getAddress().getHostAddress()));
        }
        return view.build();
    }

    /**
     * The public address of a host that does not have it on an interface, as machines in clouds: what comes in there is
     * passed on to the same port. The port that the relay saw is no use, since the rank does not listen on it.
     */
    private static void addObserved(Member.Builder view, List<Candidate> own, String host) {
        List<Candidate> listening = own.stream()
                .filter(candidate -> candidate.getKind() == Candidate.Kind.PRIVATE)
                .toList();
        if (listening.stream().noneMatch(candidate -> candidate.getHost().equals(host))) {
            listening.stream()
                    .limit(1)
                    .forEach(first -> view.addCandidates(
                            first.toBuilder().setKind(Candidate.Kind.OBSERVED).setHost(host)));
        }
    }

    /** The scope of a link-local IPv6 address means something on this machine only. */
    private static String withoutScope(String address) {
        int percent = address.indexOf('%');
        return percent < 0 ? address : address.substring(0, percent);
    }
}
