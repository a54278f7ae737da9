package io.zipcomm.internal;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.SessionKey;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone;
import java.util.ArrayList;
import java.util.List;

/** What a {@link MembershipClient} says and hears, made from and into the library's own types. */
final class MembershipMessages {

    private MembershipMessages() {}

    /** Asks for a place. */
    static Join join(
            ZipSettings settings,
            TransportProvider provider,
            List<Candidate> candidates,
            String hostId,
            boolean relayed,
            boolean elsewhere) {
        Join.Builder join = Join.newBuilder()
                .setVersionMin(Frame.VERSION)
                .setVersionMax(Frame.VERSION)
                .setSession(settings.session())
                .setToken(settings.token())
                .setSize(settings.size())
                .setRank(settings.rank())
                .setJoinTimeoutMs(settings.joinTimeout().toMillis())
                .setHostId(hostId)
                .setRelayed(relayed)
                .setElsewhere(elsewhere)
                .putGroupSettings(Setting.EAGER_BYTES.variable(), settings.eagerBytes())
                .putGroupSettings(Setting.WINDOW_BYTES.variable(), settings.windowBytes())
                .putGroupSettings(Setting.REPLAY_BYTES.variable(), settings.replayBytes())
                .putGroupSettings(
                        Setting.RELAY_COLLECTIVES.variable(),
                        settings.relayCollectives().number())
                .putGroupSettings(
                        Setting.AERON_UDP.variable(), settings.aeronUdp().number())
                // Links begin on the relay everywhere or nowhere.
                .putGroupSettings(Setting.TRANSPORT.variable() + "=tcp", relayed ? 0 : 1);
        for (Candidate candidate : candidates) {
            join.addCandidates(toWire(candidate));
        }
        for (Capabilities one : provider.capabilities()) {
            if (one.relayed() || settings.transport().accepts(one.path())) {
                join.addTransports(one.path());
            }
        }
        return join.build();
    }

    /** The group as this rank sees it. */
    static GroupView view(GroupReady group, String session, int rank) {
        List<Member> members = new ArrayList<>();
        for (io.zipcomm.wire.proto.Member member : group.getMembersList()) {
            // What makes no sense is of no use, whatever another rank may think of it.
            List<Candidate> candidates = member.getCandidatesList().stream()
                    .map(MembershipMessages::fromWire)
                    .filter(Candidate::isSound)
                    .toList();
            members.add(new Member(member.getRank(), member.getHostId(), candidates, member.getTransportsList()));
        }
        return new GroupView(
                session,
                group.getEpoch(),
                rank,
                members,
                new SessionKey(group.getSessionKey().toByteArray()),
                group.getFlowWindowBytes(),
                group.getFragmentBytesMax(),
                group.getHubWindowBytes(),
                group.getHubReduces());
    }

    static ControlPlane.Listener.Cause cause(MemberGone.Cause cause) {
        return switch (cause) {
            case LEFT -> ControlPlane.Listener.Cause.LEFT;
            case SILENT -> ControlPlane.Listener.Cause.SILENT;
            case EXPELLED -> ControlPlane.Listener.Cause.EXPELLED;
            case LOST, UNKNOWN, UNRECOGNIZED -> ControlPlane.Listener.Cause.LOST;
        };
    }

    private static io.zipcomm.wire.proto.Candidate toWire(Candidate candidate) {
        io.zipcomm.wire.proto.Candidate.Kind kind = switch (candidate.kind()) {
            case PRIVATE -> io.zipcomm.wire.proto.Candidate.Kind.PRIVATE;
            case LOOPBACK -> io.zipcomm.wire.proto.Candidate.Kind.LOOPBACK;
            case OBSERVED -> io.zipcomm.wire.proto.Candidate.Kind.OBSERVED;
            case MEMORY -> io.zipcomm.wire.proto.Candidate.Kind.MEMORY;
            case FABRIC -> io.zipcomm.wire.proto.Candidate.Kind.FABRIC;
        };
        return io.zipcomm.wire.proto.Candidate.newBuilder()
                .setKind(kind)
                .setTransport(candidate.transport())
                .setHost(candidate.host())
                .setPort(candidate.port())
                .build();
    }

    private static Candidate fromWire(io.zipcomm.wire.proto.Candidate candidate) {
        Candidate.Kind kind = switch (candidate.getKind()) {
            case LOOPBACK -> Candidate.Kind.LOOPBACK;
            case OBSERVED -> Candidate.Kind.OBSERVED;
            case MEMORY -> Candidate.Kind.MEMORY;
            case FABRIC -> Candidate.Kind.FABRIC;
            case PRIVATE, UNKNOWN, UNRECOGNIZED -> Candidate.Kind.PRIVATE;
        };
        return new Candidate(kind, candidate.getTransport(), candidate.getHost(), candidate.getPort());
    }
}
