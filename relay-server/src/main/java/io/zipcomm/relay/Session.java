package io.zipcomm.relay;

import com.google.protobuf.ByteString;
import io.netty.channel.Channel;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.DataConnection;
import io.zipcomm.relay.route.Pulse;
import io.zipcomm.relay.route.RateLimit;
import io.zipcomm.relay.route.Switchboard;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.SessionKey;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Ping;
import io.zipcomm.wire.proto.PunchWanted;
import io.zipcomm.wire.proto.Suspect;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A group that gathers, works and dissolves. Event loop only.
 *
 * <p>Ranks: a rank that is asked for is given at once. Who asks for none waits until as many have joined as the group has
 * ranks; then the free ones are given out from the lowest, in the order of joining. So no assigned rank is ever in the way
 * of somebody who asks for it.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class Session {

    private static final Logger log = LoggerFactory.getLogger(Session.class);

    private static final int TICKET_BYTES = 32;

    /** Bytes of so much time may be forwarded at once under a rate. */
    private static final long RATE_BURST_NS = TimeUnit.MILLISECONDS.toNanos(100);

    /**
     * How long after the end of a data connection its control connection may take to say Leave or to end too: they are
     * two connections, and what one says may overtake the other.
     */
    private static final long DATA_END_GRACE_MS = 500;

    /** A data connection is asked after so many intervals of heartbeats, and dead after so many times their timeout. */
    private static final int PING_INTERVALS = 2;

    private static final int SILENCE_TIMEOUTS = 2;

    /** What is told of a member's reason to abort; clients cut it to as much. */
    private static final int REASON_CHARACTERS_MAX = 2000;

    private final Shard shard;
    private final String name;
    private final Grant grant;
    private final long openedNs;

    /** Bytes each second from all ranks together to be forwarded. */
    private final RateLimit rate;

    /** The least that the token of a rank of the group allows them; 0 for no limit. */
    private long grantedBytesPerSecond;

    private final Map<String, Long> groupSettings;
    private final long joinTimeoutMs;

    /** The relay's limit is less than what the first rank wanted. */
    private final boolean joinTimeCut;

    private final Future<?> joinDeadline;

    /** By rank; null where nobody has it. Once the group is complete, members that are gone stay. */
    private final Member[] members;

    /** Joined without asking for a rank, in order. */
    private final List<Member> unranked = new ArrayList<>();

    private final Punches punches;

    private int present;
    private int ready;
    private int epoch;
    private long activeNs;
    private boolean ended;

    /** Null until the group is complete. */
    private Switchboard board;

    Session(Shard shard, Join first, Grant grant) {
        this.shard = shard;
        this.grant = grant;
        openedNs = shard.nanoTime();
        punches = new Punches(openedNs);
        rate = new RateLimit(0, RATE_BURST_NS, openedNs);
        name = first.getSession();
        members = new Member[first.getSize()];
        groupSettings = first.getGroupSettingsMap();
        joinTimeoutMs = Math.min(
                first.getJoinTimeoutMs(), shard.settings().joinTimeoutMax().toMillis());
        joinTimeCut = joinTimeoutMs < first.getJoinTimeoutMs();
        joinDeadline = shard.later(this::joinDeadlinePassed, TimeUnit.MILLISECONDS.toNanos(joinTimeoutMs));
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("ranks", members.length)
                .log("session opened, {} ms to join", joinTimeoutMs);
    }

    String name() {
        return name;
    }

    /** What the token that opened it allows. */
    Grant grant() {
        return grant;
    }

    /** Limits have changed. */
    void reloaded() {
        everybody().forEach(this::limit);
    }

    private void limit(Member member) {
        RelayLimits limits = shard.settings().limits();
        long nowNs = shard.nanoTime();
        member.rate.perSecond(lower(limits.rankBytesPerSecond(), member.grant.bytesPerSecond()), nowNs);
        member.control.messagesPerSecond(limits.controlMessagesPerSecond());
        limitAll(lower(grantedBytesPerSecond, member.grant.sessionBytesPerSecond()), nowNs);
    }

    private void limitAll(long bytesPerSecond, long nowNs) {
        grantedBytesPerSecond = bytesPerSecond;
        rate.perSecond(lower(shard.settings().limits().sessionBytesPerSecond(), bytesPerSecond), nowNs);
    }

    /** Who has gone away before the group began does not hold it back. */
    private void forgetGrant(Grant gone) {
        if (gone.sessionBytesPerSecond() > 0) {
            long lowest = 0;
            for (Member member : everybody()) {
                lowest = lower(lowest, member.grant.sessionBytesPerSecond());
            }
            limitAll(lowest, shard.nanoTime());
        }
    }

    /** The lower of two limits; 0 is none. */
    private static long lower(long one, long other) {
        return one == 0 || other == 0 ? Math.max(one, other) : Math.min(one, other);
    }

    /** A rank is read more slowly for a limit, or something that it asked for was refused. */
    void limitReached(RelayOption option) {
        shard.counters().limitReached(option);
    }

    /** What it looks like now. */
    SessionView view() {
        long nowNs = shard.nanoTime();
        return new SessionView(
                name,
                members.length,
                epoch,
                TimeUnit.NANOSECONDS.toMillis(nowNs - openedNs),
                board == null ? 0 : board.waitingBytes(),
                everybody().stream().map(member -> member.view(nowNs)).toList());
    }

    // Gathering

    /** Takes in a rank, or answers why not. */
    Refusal join(ControlConnection control, Join join, Grant granted) {
        Refusal refusal = refusal(join);
        if (refusal != null) {
            return refusal;
        }
        Member member = new Member(this, control, join, granted, new RateLimit(0, RATE_BURST_NS, shard.nanoTime()));
        member.joinedNs = shard.nanoTime();
        member.heardNs = member.joinedNs;
        control.belongsTo(member);
        present++;
        shard.counters().ranks.incrementAndGet();
        if (join.getRank() == Member.NO_RANK) {
            unranked.add(member);
        } else if (join.getElsewhere()) {
            // Keeps the place; it is told when all are here.
            members[join.getRank()] = member;
            member.rank = join.getRank();
        } else {
            admit(member, join.getRank());
        }
        limit(member);
        if (present == members.length) {
            assignRest();
        }
        completeIfReady();
        return null;
    }

    private Refusal refusal(Join join) {
        if (join.getSize() != members.length) {
            return new Refusal(
                    ErrorCode.SIZE_MISMATCH,
                    "session " + name + " has " + members.length + " ranks, this rank expects " + join.getSize());
        }
        Refusal disagreement = GroupSettings.disagreement(groupSettings, join.getGroupSettingsMap());
        if (disagreement != null) {
            return disagreement;
        }
        if (board != null || present == members.length) {
            return new Refusal(
                    ErrorCode.GROUP_FULL, "all " + members.length + " ranks of session " + name + " have joined");
        }
        int rank = join.getRank();
        return rank != Member.NO_RANK && members[rank] != null
                ? new Refusal(
                        ErrorCode.RANK_TAKEN,
                        "rank " + rank + " of session " + name + " is taken by "
                                + members[rank].control.remoteAddress())
                : null;
    }

    private void assignRest() {
        int free = 0;
        for (Member member : unranked) {
            while (members[free] != null) {
                free++;
            }
            admit(member, free);
        }
        unranked.clear();
        for (Member member : members) {
            if (!member.isAdmitted()) {
                admit(member, member.rank);
            }
        }
    }

    private void admit(Member member, int rank) {
        members[rank] = member;
        member.rank = rank;
        member.heardNs = shard.nanoTime();
        member.ticket = shard.random(TICKET_BYTES);
        if (member.isReady()) {
            ready++;
        }
        member.control.send(ControlWriter.message(Admitted.newBuilder()
                .setVersion(Frame.VERSION)
                .setRank(rank)
                .setTicket(ByteString.copyFrom(member.ticket))
                .setHeartbeatIntervalMs(shard.settings().heartbeatInterval().toMillis())
                .setHeartbeatTimeoutMs(shard.settings().heartbeatTimeout().toMillis())
                .setObservedHost(MemberView.host(member.control.remoteAddress()))
                .setObservedPort(member.control.remoteAddress().getPort())
                .build()));
    }

    /** The member that an Attach is for, if its ticket is right; null otherwise. */
    Member holderOf(Attach attach) {
        int rank = attach.getRank();
        Member member = rank >= 0 && rank < members.length ? members[rank] : null;
        boolean right = member != null
                && !member.gone
                && MessageDigest.isEqual(member.ticket, attach.getTicket().toByteArray());
        return right ? member : null;
    }

    /** Gives a member its data connection, or answers why not. */
    Refusal attach(Member member, Channel channel, boolean answersPing) {
        if (!member.join.getRelayed()) {
            return new Refusal(ErrorCode.PROTOCOL, member + " said that it attaches no data connection");
        }
        if (member.data != null) {
            return new Refusal(ErrorCode.UNAUTHORIZED, member + " is attached already");
        }
        DataConnection data = new DataConnection(member.rank, shard.exchange(), member, member.rate, rate);
        channel.pipeline().replace(channel.pipeline().last(), null, data);
        long pingMs = PING_INTERVALS * shard.settings().heartbeatInterval().toMillis();
        long silenceMs = SILENCE_TIMEOUTS * shard.settings().heartbeatTimeout().toMillis();
        channel.writeAndFlush(
                ControlWriter.frame(channel.alloc(), ControlWriter.attached(answersPing ? silenceMs : 0)),
                channel.voidPromise());
        if (answersPing) {
            data.asks(new Pulse(pingMs, silenceMs, shard.nanoTime()));
        }
        member.data = data;
        ready++;
        completeIfReady();
        return null;
    }

    private void completeIfReady() {
        if (ready == members.length && board == null) {
            complete();
        }
    }

    private void complete() {
        joinDeadline.cancel(false);
        epoch = shard.nextEpoch();
        activeNs = shard.nanoTime();
        RelaySettings settings = shard.settings();
        boolean reduces = settings.hubReduction() && shard.exchange().combines();
        board = new Switchboard(
                epoch,
                members.length,
                settings.sessionMemoryBytes(),
                settings.fragmentBytesMax(),
                settings.hubOperationsMax(),
                reduces);
        GroupReady.Builder view = GroupReady.newBuilder()
                .setEpoch(epoch)
                .setSessionKey(ByteString.copyFrom(shard.random(SessionKey.BYTES)))
                .setFlowWindowBytes(board.windowBytes())
                .setFragmentBytesMax(board.fragmentBytesMax())
                .setHubWindowBytes(board.hubWindowBytes())
                .setHubReduces(reduces);
        for (Member member : members) {
            view.addMembers(MemberView.of(member));
        }
        ToRank message = ControlWriter.message(view.build());
        if (message.getSerializedSize() > Frame.PAYLOAD_BYTES_MAX) {
            endAll(new Refusal(
                    ErrorCode.LIMIT,
                    "the addresses of all ranks make a message of " + message.getSerializedSize()
                            + " bytes, the limit is " + Frame.PAYLOAD_BYTES_MAX));
            return;
        }
        shard.counters().groupsCompleted.increment();
        shard.counters().gatheringNs.accept(activeNs - openedNs);
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("ranks", members.length)
                .addKeyValue("epoch", epoch)
                .log("session complete");
        for (Member member : members) {
            member.control.allowReasons();
            if (member.data != null) {
                member.data.connect(board);
            }
        }
        tellAll(message, null);
    }

    private void joinDeadlinePassed() {
        if (board == null && !ended) {
            String missing = "session " + name + " after " + joinTimeoutMs + " ms: " + whoIsMissing();
            endAll(
                    joinTimeCut
                            ? new Refusal(
                                    ErrorCode.JOIN_TIMEOUT,
                                    missing + " (" + RelayOption.JOIN_TIMEOUT_MAX.key() + ")",
                                    RelayOption.JOIN_TIMEOUT_MAX)
                            : new Refusal(ErrorCode.JOIN_TIMEOUT, missing));
        }
    }

    private String whoIsMissing() {
        String joined = present + " of " + members.length + " ranks joined";
        BitSet missing = ranksWhere(false);
        if (present < members.length && unranked.isEmpty()) {
            return joined + "; missing " + RankList.text(missing);
        }
        if (present < members.length) {
            return joined + ", " + unranked.size() + " of them without asking for a rank; missing "
                    + (members.length - present) + " of " + RankList.text(missing);
        }
        BitSet unattached = ranksWhere(true);
        return joined + ", but " + RankList.text(unattached) + " did not attach a data connection";
    }

    /** Ranks that nobody has or, if {@code taken}, whose holders are not ready. */
    private BitSet ranksWhere(boolean taken) {
        BitSet ranks = new BitSet(members.length);
        for (int rank = 0; rank < members.length; rank++) {
            Member member = members[rank];
            if (taken ? member != null && !member.isReady() : member == null) {
                ranks.set(rank);
            }
        }
        return ranks;
    }

    /** A rank goes away before the group is complete: its place is free again. */
    private void forget(Member member, String why) {
        if (member.isReady()) {
            ready--;
        }
        if (member.rank == Member.NO_RANK) {
            unranked.remove(member);
        } else {
            members[member.rank] = null;
        }
        forgetGrant(member.grant);
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("rank", member.rank)
                .addKeyValue("remote", member.control.remoteAddress())
                .log("rank went away before the group was complete: {}", why);
        depart(member);
    }

    // Working

    void message(Member from, ToRelay message) {
        if (from.gone) {
            return;
        }
        from.heardNs = shard.nanoTime();
        switch (message.getMessageCase()) {
            case HEARTBEAT -> answer(from, message.getHeartbeat().getNumber());
            case LEAVE -> {
                if (board == null || !message.getLeave().getUnlessComplete()) {
                    leave(from);
                }
            }
            case ABORT -> abort(from, message.getAbort());
            case SUSPECT -> suspect(from, message.getSuspect());
            case PUNCH_WANTED -> punch(from, message.getPunchWanted());
            case PONG -> punches.answered(from, message.getPong().getNumber(), epoch, from.heardNs);
            case ATTACH -> {
                if (from.isAdmitted() && from.join.getElsewhere() && !from.join.getRelayed()) {
                    choose(from);
                } else {
                    expelForMessage(from, message);
                }
            }
            case JOIN, MESSAGE_NOT_SET -> expelForMessage(from, message);
        }
    }

    private void expelForMessage(Member from, ToRelay message) {
        expel(
                from,
                new Refusal(ErrorCode.PROTOCOL, "message " + message.getMessageCase() + " on a control connection"));
    }

    /** A rank that asked several relays and attaches to none has made its choice. */
    private void choose(Member member) {
        if (!member.chosen) {
            member.chosen = true;
            ready++;
            completeIfReady();
        }
    }

    private static void answer(Member from, long number) {
        from.control.send(ControlWriter.heartbeat(number));
    }

    /** LEFT is announced when all frames of the rank are in, so that it does not overtake them here. */
    private void leave(Member member) {
        member.control.finish();
        if (board == null) {
            forget(member, "it left");
            return;
        }
        member.leaving = true;
        if (member.hasOpenData()) {
            waitAtMost(shard.settings().heartbeatTimeout().toMillis(), member, this::left);
        } else {
            left(member);
        }
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
                        .setEpoch(epoch)
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
        int rank = suspect.getRank();
        if (!isOfThisEpoch(from, suspect.getEpoch(), "Suspect")) {
            return;
        }
        if (rank < 0 || rank >= members.length || rank == from.rank) {
            expel(from, new Refusal(ErrorCode.PROTOCOL, "Suspect of rank " + rank + " of " + members.length));
        } else if (!members[rank].gone) {
            Suspect told = Suspect.newBuilder()
                    .setEpoch(epoch)
                    .setRank(from.rank)
                    .setDetail(cut(suspect.getDetail()))
                    .build();
            members[rank].control.send(ControlWriter.message(told));
        }
    }

    private void punch(Member from, PunchWanted wanted) {
        int rank = wanted.getRank();
        if (!isOfThisEpoch(from, wanted.getEpoch(), "PunchWanted")) {
            return;
        }
        if (rank < 0 || rank >= members.length || rank == from.rank) {
            expel(from, new Refusal(ErrorCode.PROTOCOL, "PunchWanted of rank " + rank + " of " + members.length));
        } else if (!members[rank].gone) {
            punches.wanted(from, members[rank], epoch, from.heardNs);
        }
    }

    private boolean isOfThisEpoch(Member from, int epochSaid, String message) {
        if (board != null && epochSaid == epoch) {
            return true;
        }
        expel(
                from,
                new Refusal(
                        ErrorCode.STALE_EPOCH,
                        message + " of epoch " + epochSaid
                                + (board == null ? " before the group is complete" : " in epoch " + epoch)));
        return false;
    }

    /** Looks for members that have fallen silent, and whether the session is of any use. */
    void sweep(long nowNs, boolean relayWasPaused) {
        for (Member member : everybody()) {
            if (!member.gone) {
                sweep(member, nowNs, relayWasPaused);
            }
        }
        long idleMsMax = shard.settings().sessionIdleMax().toMillis();
        if (idleMsMax > 0 && board != null && !ended && nowNs - activeNs > TimeUnit.MILLISECONDS.toNanos(idleMsMax)) {
            endAll(Refusal.limit(
                    RelayOption.SESSION_IDLE_MAX,
                    "session " + name + " sent nothing but heartbeats for " + idleMsMax + " ms"));
        }
    }

    private void sweep(Member member, long nowNs, boolean relayWasPaused) {
        long slowNs = shard.settings().limits().slowConsumerTimeout().toNanos();
        if (member.control.standsStill(nowNs, slowNs, relayWasPaused)) {
            member.exceeded(RelayOption.SLOW_CONSUMER_TIMEOUT, "does not read its control connection");
            return;
        }
        if (member.hasOpenData()) {
            member.data.look(nowNs, relayWasPaused);
        }
        boolean heard = member.data != null && member.data.takeHeard();
        if (heard) {
            activeNs = nowNs;
        }
        if (heard || relayWasPaused) {
            member.heardNs = nowNs;
        }
        long silentMs = TimeUnit.NANOSECONDS.toMillis(nowNs - member.heardNs);
        long silentMsMax = shard.settings().heartbeatTimeout().toMillis();
        if (!member.isAdmitted() && silentMs > silentMsMax / 2) {
            // It is not told to say heartbeats yet. Where its machine is gone, nobody says so.
            member.control.send(ControlWriter.message(Ping.getDefaultInstance()));
        }
        if (silentMs <= silentMsMax || member.leaving) {
            return;
        }
        String missing = member.isAdmitted() ? "no heartbeat for " : "no answer for ";
        Refusal silence = Refusal.limit(RelayOption.HEARTBEAT_TIMEOUT, missing + silentMs + " ms");
        shard.counters().limitReached(RelayOption.HEARTBEAT_TIMEOUT);
        // It may be there after all, only late.
        member.control.refuse(silence);
        if (board == null) {
            forget(member, silence.reason());
        } else {
            gone(member, Cause.SILENT, silence.reason());
        }
    }

    // Dissolving

    void controlEnded(Member member, String reason) {
        if (member.gone || member.leaving) {
            return;
        }
        if (board == null) {
            forget(member, reason);
        } else {
            gone(member, Cause.LOST, reason);
        }
    }

    void dataEnded(Member member) {
        if (member.gone) {
            return;
        }
        if (board == null) {
            member.control.refuse(new Refusal(ErrorCode.RELAY_LOST, member.dataEnd + " before the group was complete"));
            forget(member, member.dataEnd);
        } else if (member.leaving) {
            left(member);
        } else {
            waitAtMost(DATA_END_GRACE_MS, member, lost -> {
                lost.control.refuse(new Refusal(ErrorCode.RELAY_LOST, lost.dataEnd));
                gone(lost, Cause.LOST, lost.dataEnd);
            });
        }
    }

    private void waitAtMost(long timeoutMs, Member member, Consumer<Member> end) {
        if (member.patience != null) {
            member.patience.cancel(false);
        }
        Runnable over = () -> {
            if (!member.gone) {
                end.accept(member);
            }
        };
        member.patience = shard.later(over, TimeUnit.MILLISECONDS.toNanos(timeoutMs));
    }

    /** A rank broke the protocol or a limit. */
    void expel(Member member, Refusal refusal) {
        if (member.gone) {
            return;
        }
        shard.counters().refused(refusal);
        member.control.refuse(refusal);
        if (board == null) {
            forget(member, refusal.toString());
        } else {
            gone(member, Cause.EXPELLED, refusal.toString());
        }
    }

    private void gone(Member member, Cause cause, String detail) {
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("rank", member.rank)
                .addKeyValue("epoch", epoch)
                .addKeyValue("cause", cause)
                .addKeyValue("remote", member.control.remoteAddress())
                .log("rank gone: {}", detail);
        shard.counters().gone(cause);
        depart(member);
        tellAll(
                ControlWriter.message(MemberGone.newBuilder()
                        .setEpoch(epoch)
                        .setRank(member.rank)
                        .setCause(cause)
                        .setDetail(detail)
                        .build()),
                member);
    }

    private void depart(Member member) {
        member.gone = true;
        if (member.patience != null) {
            member.patience.cancel(false);
        }
        if (member.data != null) {
            member.data.close();
        }
        present--;
        shard.counters().ranks.decrementAndGet();
        if (present == 0) {
            end();
        }
    }

    /** Refuses everybody who is there. */
    private void endAll(Refusal refusal) {
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("code", refusal.code())
                .log("session is ended: {}", refusal.reason());
        for (Member member : everybody()) {
            shard.counters().refused(refusal);
            member.control.refuse(refusal);
            depart(member);
        }
    }

    /** The relay closes: connections end without a word, and the clients know that it is the relay that is lost. */
    void drop() {
        for (Member member : everybody()) {
            member.control.close();
            depart(member);
        }
    }

    private List<Member> everybody() {
        List<Member> everybody = new ArrayList<>(unranked);
        Arrays.stream(members).filter(member -> member != null && !member.gone).forEach(everybody::add);
        return everybody;
    }

    private void end() {
        if (!ended) {
            ended = true;
            joinDeadline.cancel(false);
            if (board != null) {
                board.close();
            }
            shard.ended(this);
            long livedNs = shard.nanoTime() - openedNs;
            shard.counters().sessionNs.accept(livedNs);
            log.atInfo()
                    .addKeyValue("session", name)
                    .addKeyValue("epoch", epoch)
                    .log("session ended after {} ms", TimeUnit.NANOSECONDS.toMillis(livedNs));
        }
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
}
