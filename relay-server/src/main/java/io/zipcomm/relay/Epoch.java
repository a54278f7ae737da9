package io.zipcomm.relay;

import com.google.protobuf.ByteString;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.Switchboard;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.SessionKey;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.PunchWanted;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.Suspect;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A complete group: its members by rank, what they tell each other through the relay, and its verdicts on them. Event loop only. */
final class Epoch implements Party {

    private static final Logger log = LoggerFactory.getLogger(Epoch.class);

    /** Why the world is revoked when a member asks for the next epoch. */
    static final String GOES_ON = "to go on to the next epoch";

    /**
     * How long after the end of a data connection its control connection may take to say Leave or to end too: they are
     * two connections, and what one says may overtake the other.
     */
    private static final long DATA_END_GRACE_MS = 500;

    /** What is told of a member's reason to abort; clients cut it to as much. */
    private static final int REASON_CHARACTERS_MAX = 2000;

    private final Session session;
    private final Shard shard;
    private final int number;

    /** By rank; those that are gone stay. */
    private final Member[] members;

    private final Switchboard board;

    /** Nobody has any use for a data connection in this epoch any more: its end says nothing of its rank. */
    private boolean worldRevoked;

    private final Punches punches;
    private final Agreements agreements;
    private final ToRank view;

    /** Ranks that are neither gone nor about to leave. */
    private final BitSet living = new BitSet();

    private int present;
    private long activeNs;

    /** Of these, in the order of their ranks. They know nothing of it before {@link #begin}. */
    Epoch(Session session, List<Member> ranks) {
        this.session = session;
        shard = session.shard();
        members = ranks.toArray(Member[]::new);
        present = members.length;
        living.set(0, present);
        number = shard.nextEpoch();
        activeNs = shard.nanoTime();
        punches = new Punches(activeNs);
        agreements = new Agreements(shard, this);
        RelaySettings settings = shard.settings();
        boolean reduces = settings.hubReduction() && shard.exchange().combines();
        board = new Switchboard(
                number,
                members.length,
                settings.sessionMemoryBytes(),
                settings.fragmentBytesMax(),
                settings.hubOperationsMax(),
                reduces);
        view = ControlWriter.message(view(reduces));
    }

    private GroupReady view(boolean reduces) {
        GroupReady.Builder told = GroupReady.newBuilder()
                .setEpoch(number)
                .setSessionKey(ByteString.copyFrom(shard.random(SessionKey.BYTES)))
                .setFlowWindowBytes(board.windowBytes())
                .setFragmentBytesMax(board.fragmentBytesMax())
                .setHubWindowBytes(board.hubWindowBytes())
                .setHubReduces(reduces);
        for (int rank = 0; rank < members.length; rank++) {
            told.addMembers(MemberView.of(rank, members[rank].join, members[rank].control.remoteAddress()));
        }
        if (Arrays.stream(members).anyMatch(member -> member.former != null)) {
            for (Member member : members) {
                told.addRanksBefore(member.former == null ? Member.NO_RANK : member.former.rank);
            }
        }
        return told.build();
    }

    /** Why it cannot begin; null if it can. */
    Refusal refusal() {
        int bytes = ControlWriter.viewBytesMax(view);
        return bytes > Frame.PAYLOAD_BYTES_MAX
                ? new Refusal(
                        ErrorCode.LIMIT,
                        "the addresses of all ranks make a message of " + bytes + " bytes, the limit is "
                                + Frame.PAYLOAD_BYTES_MAX)
                : null;
    }

    /** Its members are in it from now on, and are told. */
    void begin() {
        for (int rank = 0; rank < members.length; rank++) {
            Member member = members[rank];
            member.rank = rank;
            member.party = this;
            member.control.allowReasons(members.length);
            if (member.data != null) {
                member.data.connect(rank, board);
            }
        }
        tellView();
    }

    /** The same to all, but for the rank, which goes ahead of it. */
    private void tellView() {
        ControlFrame shared = new ControlFrame(ControlWriter.bytes(shard.allocator(), view), shard.backlog());
        for (Member member : members) {
            ControlFrame own = new ControlFrame(
                    ControlWriter.rankOf(shard.allocator(), member.rank, shared.bytes()), shard.backlog());
            member.control.sendShared(own);
            member.control.sendShared(shared);
            own.release();
        }
        shared.release();
    }

    int number() {
        return number;
    }

    /** Members that it began with. */
    int size() {
        return members.length;
    }

    /** Ranks that are neither gone nor about to leave; to be left unchanged. */
    BitSet living() {
        return living;
    }

    int livingCount() {
        return living.cardinality();
    }

    /** The member that has this rank, gone or not, if the ticket is its own; null otherwise. */
    Member holderOf(int rank, byte[] ticket) {
        boolean right = rank >= 0 && rank < members.length && MessageDigest.isEqual(members[rank].ticket, ticket);
        return right ? members[rank] : null;
    }

    /** By rank, of all that it began with. */
    byte[][] tickets() {
        return Arrays.stream(members).map(member -> member.ticket).toArray(byte[][]::new);
    }

    long waitingBytes() {
        return board.waitingBytes();
    }

    /** Those who are not gone, in the order of their ranks. */
    List<Member> present() {
        return Arrays.stream(members).filter(member -> !member.gone).toList();
    }

    /** Frames of a member have come in. */
    void active(long nowNs) {
        activeNs = nowNs;
    }

    /** For how long its members have said nothing but heartbeats. */
    long idleNs(long nowNs) {
        return nowNs - activeNs;
    }

    @Override
    public boolean isGroup() {
        return true;
    }

    @Override
    public void ready(Member member) {
        throw new IllegalStateException(member + " was ready when the epoch began");
    }

    // What members say

    @Override
    public void message(Member from, ToRelay message) {
        switch (message.getMessageCase()) {
            case LEAVE -> {
                if (!message.getLeave().getUnlessComplete()) {
                    leave(from);
                }
            }
            case ABORT -> abort(from, message.getAbort());
            case SUSPECT -> suspect(from, message.getSuspect());
            case PUNCH_WANTED -> punch(from, message.getPunchWanted());
            case PONG -> punches.answered(from, message.getPong().getNumber(), number, from.heardNs);
            case ATTACH -> {
                // It chose this relay long ago.
                if (!from.mayChoose()) {
                    session.expelForMessage(from, message);
                }
            }
            case REVOKE -> revoke(from, message.getRevoke());
            case AGREE -> agree(from, message.getAgree());
            case HEARTBEAT, JOIN, MESSAGE_NOT_SET -> session.expelForMessage(from, message);
        }
    }

    /** LEFT is announced when all frames of the rank are in, so that it does not overtake them here. */
    private void leave(Member member) {
        member.control.finish();
        member.leaving = true;
        stopsToLive(member, new Refusal(ErrorCode.CLOSED, member + " has left"));
        waitNoMoreFor(member);
        if (member.hasOpenData()) {
            waitAtMost(shard.settings().heartbeatTimeout().toMillis(), member, this::left);
        } else {
            left(member);
        }
    }

    private void stopsToLive(Member member, Refusal refusal) {
        living.clear(member.rank);
        if (member.next != null) {
            session.asksNoMore(member.next, refusal);
        }
    }

    /** Behind the verdict on it, if there is one: others learn first who is gone, and then what follows from it. */
    private void waitNoMoreFor(Member member) {
        agreements.waitNoMoreFor(member.rank);
        session.gathersOn();
    }

    private void left(Member member) {
        gone(member, Cause.LEFT, "left");
    }

    private void abort(Member from, Abort abort) {
        if (isOfThisEpoch(from, abort.getEpoch(), "Abort")) {
            activeNs = from.heardNs;
            board.collectiveFailed(abort.getContext(), from.rank);
            if (from.abortsFirst(abort.getContext())) {
                // Field by field: what else may be in it would go to everybody.
                Abort told = Abort.newBuilder()
                        .setEpoch(number)
                        .setContext(abort.getContext())
                        .setRank(from.rank)
                        .setCode(abort.getCode())
                        .setReason(cut(abort.getReason()))
                        .setCulprit(abort.getCulprit())
                        .build();
                from.control.chargeFor(present - 1);
                tellAll(ControlWriter.message(told), from);
            }
        }
    }

    private void revoke(Member from, Revoke revoke) {
        if (isOfThisEpoch(from, revoke.getEpoch(), "Revoke")) {
            activeNs = from.heardNs;
            board.collectiveFailed(revoke.getContext(), from.rank);
            worldRevoked |= revoke.getContext() == 0;
            if (from.revokesFirst(revoke.getContext())) {
                from.control.chargeFor(present - 1);
                tellRevoked(from, revoke.getContext(), cut(revoke.getReason()));
            }
        }
    }

    /**
     * A member asks for the next epoch. It has revoked the world; if it could not say so, for want of a connection, the others are
     * told all the same: they would not ask in time, and be left out.
     */
    void goesOn(Member member) {
        member.hasGoneOn = true;
        if (!worldRevoked) {
            worldRevoked = true;
            tellRevoked(member, 0, GOES_ON);
        }
        agreements.waitNoMoreFor(member.rank);
    }

    /** Ranks that live and have never asked for the next epoch: they may still have something to say in this one. */
    BitSet attending() {
        BitSet attending = (BitSet) living.clone();
        for (Member member : members) {
            if (member.hasGoneOn) {
                attending.clear(member.rank);
            }
        }
        return attending;
    }

    private void tellRevoked(Member by, int context, String reason) {
        Revoke told = Revoke.newBuilder()
                .setEpoch(number)
                .setContext(context)
                .setRank(by.rank)
                .setReason(reason)
                .build();
        tellAll(ControlWriter.message(told), by);
    }

    private void agree(Member from, Agree agree) {
        if (isOfThisEpoch(from, agree.getEpoch(), "Agree")) {
            activeNs = from.heardNs;
            Refusal refusal = agreements.say(from, agree);
            if (refusal != null) {
                session.expel(from, refusal);
            }
        }
    }

    /** It goes to every member, and wants to be read there. */
    private static String cut(String reason) {
        if (reason.length() <= REASON_CHARACTERS_MAX) {
            return reason;
        }
        boolean insidePair = Character.isHighSurrogate(reason.charAt(REASON_CHARACTERS_MAX - 1));
        return reason.substring(0, insidePair ? REASON_CHARACTERS_MAX - 1 : REASON_CHARACTERS_MAX);
    }

    /**
     * No verdict on a peer's word: if the suspect is gone everybody knows, and if it is silent time will tell. It is told, so
     * that the connection ends at both ends; if its system is there without it, writing to it breaks its connection.
     */
    private void suspect(Member from, Suspect suspect) {
        if (isOfThisEpoch(from, suspect.getEpoch(), "Suspect") && isPeer(from, suspect.getRank(), "Suspect")) {
            Member peer = members[suspect.getRank()];
            if (!peer.gone) {
                peer.control.send(ControlWriter.message(Suspect.newBuilder()
                        .setEpoch(number)
                        .setRank(from.rank)
                        .setDetail(cut(suspect.getDetail()))
                        .build()));
            }
        }
    }

    private void punch(Member from, PunchWanted wanted) {
        if (isOfThisEpoch(from, wanted.getEpoch(), "PunchWanted") && isPeer(from, wanted.getRank(), "PunchWanted")) {
            Member peer = members[wanted.getRank()];
            if (!peer.gone) {
                punches.wanted(from, peer, number, from.heardNs);
            }
        }
    }

    private boolean isOfThisEpoch(Member from, int epochSaid, String message) {
        if (epochSaid == number) {
            return true;
        }
        session.expel(
                from, new Refusal(ErrorCode.STALE_EPOCH, message + " of epoch " + epochSaid + " in epoch " + number));
        return false;
    }

    private boolean isPeer(Member from, int rank, String message) {
        if (rank >= 0 && rank < members.length && rank != from.rank) {
            return true;
        }
        session.expel(from, new Refusal(ErrorCode.PROTOCOL, message + " of rank " + rank + " of " + members.length));
        return false;
    }

    // Verdicts

    @Override
    public void dataEnded(Member member) {
        if (member.leaving) {
            left(member);
        } else {
            waitAtMost(DATA_END_GRACE_MS, member, this::lostItsData);
        }
    }

    /** Who goes on to the next epoch, from a world that was revoked, has another data connection, or will have. */
    private void lostItsData(Member member) {
        if (!worldRevoked) {
            member.control.refuse(new Refusal(ErrorCode.RELAY_LOST, member.dataEnd));
            gone(member, Cause.LOST, member.dataEnd);
        }
    }

    private void waitAtMost(long timeoutMs, Member member, Consumer<Member> end) {
        member.losePatience();
        Runnable over = () -> {
            if (!member.gone) {
                end.accept(member);
            }
        };
        member.patience = shard.later(over, TimeUnit.MILLISECONDS.toNanos(timeoutMs));
    }

    @Override
    public void gone(Member member, Cause cause, String detail) {
        log.atInfo()
                .addKeyValue("session", session.name())
                .addKeyValue("rank", member.rank)
                .addKeyValue("epoch", number)
                .addKeyValue("cause", cause)
                .addKeyValue("remote", member.control.remoteAddress())
                .log("rank gone: {}", detail);
        shard.counters().gone(cause);
        present--;
        member.gone = true;
        boolean lived = living.get(member.rank);
        stopsToLive(member, new Refusal(ErrorCode.EXPELLED, member + " of epoch " + number + " is gone: " + detail));
        session.depart(member);
        tellAll(
                ControlWriter.message(MemberGone.newBuilder()
                        .setEpoch(number)
                        .setRank(member.rank)
                        .setCause(cause)
                        .setDetail(detail)
                        .build()),
                member);
        if (lived) {
            waitNoMoreFor(member);
        }
        if (present == 0) {
            session.groupEnded();
        }
    }

    /** Tells those of these ranks something who are not gone. */
    void tell(ToRank message, BitSet ranks) {
        ControlFrame frame = new ControlFrame(ControlWriter.frame(shard.allocator(), message), shard.backlog());
        ranks.stream()
                .mapToObj(rank -> members[rank])
                .filter(member -> !member.gone)
                .forEach(member -> member.control.sendShared(frame));
        frame.release();
    }

    private void tellAll(ToRank message, Member except) {
        if (present == 0) {
            return;
        }
        ControlFrame frame = new ControlFrame(ControlWriter.frame(shard.allocator(), message), shard.backlog());
        for (Member member : members) {
            if (!member.gone && member != except) {
                member.control.sendShared(frame);
            }
        }
        frame.release();
    }

    /** Nobody is in it any more. */
    void close() {
        agreements.close();
        board.close();
    }

    /** Its members are in the next one: what is left of them here ends without a word. */
    void retire() {
        for (Member member : present()) {
            member.control.finish();
            session.depart(member);
        }
        close();
    }
}
