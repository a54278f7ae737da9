package io.zipcomm.relay;

import com.google.protobuf.ByteString;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.Switchboard;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.SessionKey;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.PunchWanted;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.Suspect;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A complete group: its members by rank, what they tell each other through the relay, and its verdicts on them. Event loop only. */
final class Epoch implements Party {

    private static final Logger log = LoggerFactory.getLogger(Epoch.class);

    /** Why the world is revoked when a member asks for the next epoch. */
    static final String GOES_ON = "to go on to the next epoch";

    /**
     * How long after the end of a data connection, beside the time to return, its control connection may take to say Leave or
     * to end too: they are two connections, and what one says may overtake the other.
     */
    private static final long DATA_END_GRACE_MS = 500;

    /** Aborts and revocations of communicators are kept for those who are away: the latest few. */
    static final int TOLD_MAX = 256;

    /**
     * Something that members were told.
     *
     * @param by whose word it was, who need not be told
     */
    private record Told(ToRank message, int by) {}

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

    /** What members were told of late, for those who were away: what they hear twice means no more than once. */
    private final Deque<Told> told = new ArrayDeque<>();

    /** That the world is revoked, as it was said first; the others say the same. Null if nobody has said it. */
    private Told worldRevocation;

    private final Punches punches;
    private final Agreements agreements;

    /** Null if it began at another relay. */
    private final ToRank view;

    /** By this its members know each other, see {@link SessionKey#membership}. */
    private final byte[] group;

    /** It began at another relay, and went on here without ranks of whom nobody knew that they are gone. */
    private boolean mayBeSuperseded;

    /** Ranks that are neither gone nor about to leave. */
    private final BitSet living = new BitSet();

    /** Of an epoch that began elsewhere: by what its members attach, whose numbers nobody knows here. */
    private final Map<ByteString, Member> byTicket = new HashMap<>();

    private int present;
    private long activeNs;

    /** Of these, in the order of their ranks. They know nothing of it before {@link #begin}. */
    Epoch(Session session, List<Member> ranks) {
        this.session = session;
        shard = session.shard();
        members = ranks.toArray(Member[]::new);
        present = members.length;
        living.set(0, present);
        number = session.nextEpoch();
        activeNs = shard.nanoTime();
        punches = new Punches(activeNs);
        agreements = new Agreements(shard, this);
        board = board(shard, number, members.length);
        byte[] key = shard.random(SessionKey.BYTES);
        group = new SessionKey(key).membership(number);
        view = ControlWriter.message(view(key, hubReduces(shard)));
    }

    /**
     * One that began at a relay that is no more.
     *
     * @param members by rank, those that are gone too
     * @param board   to which nobody is connected yet
     * @param group   by which its members know each other
     */
    Epoch(Session session, Member[] members, Switchboard board, int number, byte[] group) {
        this.session = session;
        this.members = members;
        this.board = board;
        this.number = number;
        this.group = group;
        shard = session.shard();
        for (Member member : members) {
            living.set(member.rank, !member.gone);
        }
        present = living.cardinality();
        activeNs = shard.nanoTime();
        punches = new Punches(activeNs);
        agreements = new Agreements(shard, this);
        view = null;
    }

    /** The board of an epoch of so many ranks, to which nobody is connected. */
    static Switchboard board(Shard shard, int number, int size) {
        RelaySettings settings = shard.settings();
        return new Switchboard(
                number,
                size,
                settings.sessionMemoryBytes(),
                settings.fragmentBytesMax(),
                settings.hubOperationsMax(),
                hubReduces(shard));
    }

    static boolean hubReduces(Shard shard) {
        return shard.settings().hubReduction() && shard.exchange().combines();
    }

    private GroupReady view(byte[] sessionKey, boolean reduces) {
        GroupReady.Builder ready = GroupReady.newBuilder()
                .setEpoch(number)
                .setSessionKey(ByteString.copyFrom(sessionKey))
                .setFlowWindowBytes(board.windowBytes())
                .setFragmentBytesMax(board.fragmentBytesMax())
                .setHubWindowBytes(board.hubWindowBytes())
                .setHubReduces(reduces);
        for (int rank = 0; rank < members.length; rank++) {
            ready.addMembers(MemberView.of(rank, members[rank].join, members[rank].control.remoteAddress()));
        }
        if (Arrays.stream(members).anyMatch(member -> member.former != null)) {
            for (Member member : members) {
                ready.addRanksBefore(member.former == null ? Member.NO_RANK : member.former.rank);
            }
        }
        return ready.build();
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
            if (member.data == null) {
                board.absent(rank);
            } else {
                member.data.connect(rank, board);
            }
        }
        tellView();
    }

    /**
     * It began at a relay that is no more, and goes on here: its members are told what any of them knew, and have some time for other
     * data connections.
     *
     * @param complete whether all are there but those of whom a member knew that they are gone
     */
    void goOn(boolean complete, Recollection recollection) {
        mayBeSuperseded = !complete;
        for (Member member : members) {
            if (member.gone && member.verdict.getMemberGone().getCause() == Cause.LEFT) {
                board.leaves(member.rank);
            }
            if (member.gone || !member.join.getRelayed()) {
                board.absent(member.rank);
            }
        }
        for (ToRank one : recollection.told()) {
            recall(one);
        }
        for (Member member : present()) {
            member.party = this;
            // It had nothing to say while it waited for this.
            member.heardNs = shard.nanoTime();
            byTicket.put(ByteString.copyFrom(member.ticket), member);
            session.sayAdmitted(member);
        }
        tellWhatTheyMissed(present());
        // Those who have heard an answer know it, and the others ask.
        recollection.answered().forEach(agreements::restore);
        for (Recollection.Asked asked : recollection.asked()) {
            if (living.get(asked.rank())) {
                agree(members[asked.rank()], asked.agree());
            }
        }
        for (Member member : present()) {
            if (member.join.getRelayed()) {
                member.dataEnd = "no data connection since the relay was started again";
                waitAtMost(shard.settings().heartbeatTimeout().toMillis(), member, this::lostItsData);
            }
        }
    }

    /** Somebody said it at the relay before, or heard it there. */
    private void recall(ToRank message) {
        boolean revocation = message.hasRevoke();
        int context = revocation
                ? message.getRevoke().getContext()
                : message.getAbort().getContext();
        Member by = members[
                revocation ? message.getRevoke().getRank() : message.getAbort().getRank()];
        if (revocation) {
            by.revokesFirst(context);
            worldRevoked |= context == 0;
        } else {
            by.abortsFirst(context);
        }
        board.collectiveHasFailed(context, by.rank, shard.exchange());
        keep(new Told(message, by.rank));
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

    /** By this its members know each other. */
    byte[] group() {
        return group;
    }

    /** It began at a relay that is no more. */
    boolean wasRestored() {
        return view == null;
    }

    /** Whether its missing members may be in a later epoch, of which those that are here had not heard. */
    boolean mayBeSuperseded() {
        return mayBeSuperseded;
    }

    /** What to say to who has no ticket for a place: that it was given up if nobody has any, and otherwise nothing. */
    Refusal givenUp(int rank) {
        boolean known = rank < members.length && members[rank].ticket == null;
        return known ? givenUp(members[rank]) : Shard.NO_SUCH_PLACE;
    }

    private Refusal givenUp(Member member) {
        String why = member.verdict == null
                ? "it left"
                : member.verdict.getMemberGone().getDetail();
        return new Refusal(ErrorCode.EXPELLED, "rank " + member.rank + " of epoch " + number + " was given up: " + why);
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

    /**
     * Members that live and have a control connection. All others may never come back, so who comes to a group whose members have just
     * died waits until that is known, and then begins anew.
     */
    int hereCount() {
        return (int)
                living.stream().filter(rank -> members[rank].controlEnd == null).count();
    }

    /** The member that has this rank, gone or not, if the ticket is its own; null otherwise. */
    Member holderOf(int rank, byte[] ticket) {
        boolean right = rank >= 0 && rank < members.length && MessageDigest.isEqual(members[rank].ticket, ticket);
        return right ? members[rank] : null;
    }

    /** The member that attaches to an epoch that began elsewhere; null if there is none. */
    Member holderOf(Attach attach) {
        Member member = byTicket.get(attach.getTicket());
        return member == null || member.gone ? null : member;
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

    // Coming back

    @Override
    public void controlEnded(Member member, String reason) {
        member.controlEnd = reason;
        awaitReturn(member, reason, true);
    }

    private void awaitReturn(Member member, String reason, boolean first) {
        long graceNs = shard.settings().resumeGrace().toNanos();
        long dueNs = shard.nanoTime() + graceNs;
        Runnable over = () -> {
            if (member.gone || member.controlEnd == null) {
                return;
            }
            if (first && shard.stoodStill(dueNs)) {
                awaitReturn(member, reason, false);
            } else {
                session.limitReached(RelayOption.RESUME_GRACE);
                gone(member, Cause.LOST, reason);
            }
        };
        member.controlPatience = shard.later(over, graceNs);
    }

    /** A member has another control connection. Answers why it must not. */
    Refusal comeBack(ControlConnection control, Continues continues) {
        int rank = continues.getRank();
        Member member = holderOf(rank, continues.getTicket().toByteArray());
        if (member == null) {
            return Shard.NO_SUCH_PLACE;
        }
        if (member.gone || member.leaving) {
            return givenUp(member);
        }
        if (member.isInDebt()) {
            return Refusal.limit(
                    RelayOption.CONTROL_MESSAGES_PER_SECOND, member + " comes back more often than it is answered");
        }
        log.atInfo()
                .addKeyValue("session", session.name())
                .addKeyValue("rank", rank)
                .addKeyValue("epoch", number)
                .log("rank opened another control connection");
        member.comesBy(control);
        session.sayAdmitted(member);
        control.chargeForReturn(1 + tellWhatTheyMissed(List.of(member)));
        if (member.dataEnd != null && needsData()) {
            control.send(ControlWriter.detached(member.attachments, member.dataEnd));
        }
        return null;
    }

    /** Who is gone, then what follows from it. Answers how many messages that are. */
    private int tellWhatTheyMissed(List<Member> back) {
        back.forEach(member -> member.control.allowReasons(members.length));
        List<Missed> missed = new ArrayList<>();
        for (Member other : members) {
            if (other.verdict != null) {
                missed.add(new Missed(other.verdict, rank -> true));
            }
        }
        agreements.forEachAnswer((answer, ranks) -> missed.add(new Missed(answer, ranks::get)));
        for (Told one : told) {
            missed.add(new Missed(one.message, rank -> rank != one.by));
        }
        if (worldRevocation != null) {
            int by = worldRevocation.by;
            missed.add(new Missed(worldRevocation.message, rank -> rank != by));
        }
        int count = 0;
        for (Missed one : missed) {
            List<Member> concerned =
                    back.stream().filter(member -> one.by.test(member.rank)).toList();
            if (!concerned.isEmpty()) {
                count += concerned.size();
                ControlFrame frame = frame(one.message);
                concerned.forEach(member -> member.control.addShared(frame));
                frame.release();
            }
        }
        back.forEach(member -> member.control.flush());
        return count;
    }

    /** Something that is told to who comes back, if it was missed by that rank. */
    private record Missed(ToRank message, IntPredicate by) {}

    /** Tells all but one, and those who are away when they come back. */
    private void tellAllAndKeep(ToRank message, Member except) {
        keep(new Told(message, except.rank));
        tellAll(message, except);
    }

    private void keep(Told one) {
        if (one.message.hasRevoke() && one.message.getRevoke().getContext() == 0) {
            worldRevocation = worldRevocation == null ? one : worldRevocation;
            return;
        }
        if (told.size() == TOLD_MAX) {
            told.remove();
        }
        told.add(one);
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
            case HEARTBEAT, JOIN, RECALL, MESSAGE_NOT_SET -> session.expelForMessage(from, message);
        }
    }

    /** LEFT is announced when all frames of the rank are in, so that it does not overtake them here. */
    private void leave(Member member) {
        member.control.finish();
        member.leaving = true;
        board.leaves(member.rank);
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
                Abort failed = Abort.newBuilder()
                        .setEpoch(number)
                        .setContext(abort.getContext())
                        .setRank(from.rank)
                        .setCode(abort.getCode())
                        .setReason(cut(abort.getReason()))
                        .setCulprit(abort.getCulprit())
                        .build();
                from.control.chargeFor(present - 1);
                tellAllAndKeep(ControlWriter.message(failed), from);
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
        Revoke revoked = Revoke.newBuilder()
                .setEpoch(number)
                .setContext(context)
                .setRank(by.rank)
                .setReason(reason)
                .build();
        tellAllAndKeep(ControlWriter.message(revoked), by);
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
    static String cut(String reason) {
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
            wantsDataBack(member);
        }
    }

    /** Who goes on to the next epoch, from a world that was revoked, has another data connection, or will have. */
    private boolean needsData() {
        return !worldRevoked;
    }

    private void wantsDataBack(Member member) {
        if (needsData()) {
            member.control.send(ControlWriter.detached(member.attachments, member.dataEnd));
        }
        long graceMs = shard.settings().resumeGrace().toMillis() + DATA_END_GRACE_MS;
        waitAtMost(graceMs, member, this::lostItsData);
    }

    private void lostItsData(Member member) {
        if (needsData()) {
            session.limitReached(RelayOption.RESUME_GRACE);
            member.control.refuse(new Refusal(ErrorCode.RELAY_LOST, member.dataEnd));
            gone(member, Cause.LOST, member.dataEnd);
        }
    }

    @Override
    public void returned(Member member) {
        log.atInfo()
                .addKeyValue("session", session.name())
                .addKeyValue("rank", member.rank)
                .addKeyValue("epoch", number)
                .log("rank attached another data connection");
        member.losePatience();
        member.control.chargeFor(present - 1);
        member.data.connectAgain(member.rank, board);
    }

    private void waitAtMost(long timeoutMs, Member member, Consumer<Member> end) {
        waitAtMost(timeoutMs, member, end, true);
    }

    private void waitAtMost(long timeoutMs, Member member, Consumer<Member> end, boolean first) {
        member.losePatience();
        long timeoutNs = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        long dueNs = shard.nanoTime() + timeoutNs;
        Runnable over = () -> {
            if (member.gone) {
                return;
            }
            if (first && shard.stoodStill(dueNs)) {
                waitAtMost(timeoutMs, member, end, false);
            } else {
                end.accept(member);
            }
        };
        member.patience = shard.later(over, timeoutNs);
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
        member.verdict = ControlWriter.message(MemberGone.newBuilder()
                .setEpoch(number)
                .setRank(member.rank)
                .setCause(cause)
                .setDetail(detail)
                .build());
        boolean lived = living.get(member.rank);
        stopsToLive(member, new Refusal(ErrorCode.EXPELLED, member + " of epoch " + number + " is gone: " + detail));
        board.absent(member.rank);
        session.depart(member);
        tellAll(member.verdict, member);
        if (lived) {
            waitNoMoreFor(member);
        }
        if (present == 0) {
            session.groupEnded();
        }
    }

    /** Tells those of these ranks something who are not gone; who is away hears it when it comes back. */
    void tell(ToRank message, BitSet ranks) {
        ControlFrame frame = frame(message);
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
        ControlFrame frame = frame(message);
        for (Member member : members) {
            if (!member.gone && member != except) {
                member.control.sendShared(frame);
            }
        }
        frame.release();
    }

    /** The caller is its first holder. */
    private ControlFrame frame(ToRank message) {
        return new ControlFrame(ControlWriter.frame(shard.allocator(), message), shard.backlog());
    }

    /** Nobody is in it any more. */
    void close() {
        agreements.close();
        board.close();
    }

    /**
     * It is over, and its members need not come back: what is left of them here ends.
     *
     * @param why which epoch there is now
     */
    void retire(String why) {
        Refusal over = new Refusal(ErrorCode.STALE_EPOCH, why);
        for (Member member : present()) {
            member.control.refuse(over);
            session.depart(member);
        }
        close();
    }
}
