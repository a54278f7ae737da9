package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.membership.SealKeys;
import io.zipcomm.settings.Secret;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.SessionKey;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.PunchAt;
import io.zipcomm.wire.proto.Refused;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.ToRank;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What a {@link MembershipClient} says and hears, made from and into the library's own types. */
final class MembershipMessages {

    private MembershipMessages() {}

    /** Asks for a place. */
    static Join.Builder join(
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
                .setSizeMin(settings.sizeMin())
                .setSizeMax(settings.sizeMax())
                .setRank(settings.rank())
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
                .putGroupSettings(
                        Setting.CHECKSUM.variable(),
                        settings.protection().checksum().number())
                .putGroupSettings(
                        Setting.ENCRYPTION.variable(),
                        settings.protection().encryption().number())
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
        return join;
    }

    /**
     * Tells a rank what the relay said.
     *
     * @param message one that is for members of a group
     * @param epoch   of the group
     * @param heardNs instant at which it came, on the engine's clock
     */
    static void tell(ToRank message, ControlPlane.Listener listener, int epoch, long heardNs) {
        switch (message.getMessageCase()) {
            case ABORT -> {
                Abort abort = message.getAbort();
                listener.aborted(
                        abort.getContext(), abort.getRank(), abort.getCode(), abort.getCulprit(), abort.getReason());
            }
            case SUSPECT ->
                listener.suspectedBy(
                        message.getSuspect().getRank(), message.getSuspect().getDetail());
            case PUNCH_AT -> {
                // If it was kept, the instant is over, and the peer has begun.
                PunchAt punch = message.getPunchAt();
                if (punch.getEpoch() == epoch) {
                    listener.punchAt(punch.getRank(), heardNs + punch.getInUs() * 1000, punch.getRoundTripUs() * 1000);
                }
            }
            case DETACHED ->
                listener.detached(
                        message.getDetached().getNumber(), message.getDetached().getReason());
            case RESTORING ->
                listener.relayRestarted(
                        TimeUnit.MILLISECONDS.toNanos(message.getRestoring().getTimeoutMs()));
            case REVOKE -> {
                Revoke revoke = message.getRevoke();
                listener.revoked(revoke.getContext(), revoke.getRank(), revoke.getReason());
            }
            case AGREED -> {
                Agreed agreed = message.getAgreed();
                listener.agreed(
                        agreed.getContext(),
                        agreed.getLeader(),
                        agreed.getNumber(),
                        agreed.getValue(),
                        numbers(agreed.getFailedList()),
                        numbers(agreed.getMissingList()));
            }
            case MEMBER_GONE -> {
                MemberGone gone = message.getMemberGone();
                listener.memberGone(gone.getRank(), cause(gone.getCause()), gone.getDetail());
            }
            case REFUSED -> {
                Refused refusal = message.getRefused();
                ErrorCode code = ErrorCode.of(refusal.getCode());
                if (code == ErrorCode.RELAY_LOST) {
                    // The data connection, as the relay sees it.
                    listener.controlLost(refusal.getReason());
                    return;
                }
                if (code == ErrorCode.STALE_EPOCH) {
                    listener.epochOver(code + ": " + refusal.getReason());
                    return;
                }
                listener.expelled((code == ErrorCode.EXPELLED ? "" : code + ": ") + refusal.getReason());
            }
            default -> throw new IllegalArgumentException(message.getMessageCase() + " is not for members");
        }
    }

    private static int[] numbers(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
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
                group.getHubReduces(),
                group.getRanksBeforeList(),
                null);
    }

    /**
     * Keys for what goes through the relay.
     *
     * @param nonce of this rank, as it was published: not as the relay tells it
     */
    static SealKeys sealKeys(GroupReady group, GroupView view, Secret secret, byte[] nonce) {
        List<byte[]> nonces = new ArrayList<>();
        for (io.zipcomm.wire.proto.Member member : group.getMembersList()) {
            byte[] published = member.getSealNonce().toByteArray();
            if (published.length != SealKeys.NONCE_BYTES) {
                throw new ZipException(
                        ErrorCode.VERSION_MISMATCH,
                        "the relay does not tell rank " + member.getRank() + "'s part of the keys: "
                                + Setting.ENCRYPTION.variable() + " needs a relay of this version");
            }
            nonces.add(member.getRank() == view.rank() ? nonce : published);
        }
        return new SealKeys(secret.bytes(), view.sessionKey(), view.epoch(), nonces);
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
