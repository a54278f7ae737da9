package io.zipcomm.relay;

import io.zipcomm.wire.proto.Candidate;
import io.zipcomm.wire.proto.Member;
import java.net.InetSocketAddress;

/** What the group view says about a member. */
final class MemberView {
    private MemberView() {}

    static Member of(io.zipcomm.relay.Member member) {
        Member.Builder view = Member.newBuilder()
                .setRank(member.rank)
                .setHostId(member.join.getHostId())
                .addAllTransports(member.join.getTransportsList());
        // Where a rank was observed is the relay's to say.
        member.join.getCandidatesList().stream()
                .filter(candidate -> candidate.getKind() != Candidate.Kind.OBSERVED)
                .forEach(view::addCandidates);
        InetSocketAddress seen = member.control.remoteAddress();
        if (!seen.getAddress().isLoopbackAddress()) {
            view.addCandidates(Candidate.newBuilder()
                    .setKind(Candidate.Kind.OBSERVED)
                    .setTransport("tcp")
                    .setHost(withoutScope(seen.getAddress().getHostAddress()))
                    .setPort(seen.getPort()));
        }
        return view.build();
    }

    /** The scope of a link-local IPv6 address means something on this machine only. */
    private static String withoutScope(String address) {
        int percent = address.indexOf('%');
        return percent < 0 ? address : address.substring(0, percent);
    }
}
