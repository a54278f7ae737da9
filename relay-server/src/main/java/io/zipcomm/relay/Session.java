package io.zipcomm.relay;

import com.google.protobuf.ByteString;
import io.netty.channel.Channel;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.DataConnection;
import io.zipcomm.relay.route.Pulse;
import io.zipcomm.relay.route.RateLimit;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Ping;
import io.zipcomm.wire.proto.ToRelay;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A group that gathers, works and dissolves: who may be in it, and what it may use. Event loop only. */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class Session {

    private static final Logger log = LoggerFactory.getLogger(Session.class);

    private static final int TICKET_BYTES = 32;

    /** Bytes of so much time may be forwarded at once under a rate. */
    private static final long RATE_BURST_NS = TimeUnit.MILLISECONDS.toNanos(100);

    /** A data connection is asked after so many intervals of heartbeats, and dead after so many times their timeout. */
    private static final int PING_INTERVALS = 2;

    private static final int SILENCE_TIMEOUTS = 2;

    private final Shard shard;
    private final String name;
    private final Grant grant;
    private final Terms terms;
    private final long openedNs;

    /** Bytes each second from all ranks together to be forwarded. */
    private final RateLimit rate;

    /** The least that the token of a rank with which the epoch began allows them; 0 for no limit. */
    private long grantedBytesPerSecond;

    /** Given to ranks that have no number in the first group, to attach by. */
    private int nextNumber;

    /** Who has been admitted and is not gone, by the number to attach with. */
    private final Map<Integer, Member> admitted = new HashMap<>();

    /** Ranks that are here, each once, however many connections it has. */
    private int present;

    private boolean ended;

    private final Newcomers newcomers;

    /** Null while there is an epoch. */
    private Gathering gathering;

    /** Null until the first has begun, and when all members of the last are gone. */
    private Epoch epoch;

    /** Null as long as no member has asked for another epoch. */
    private Succession succession;

    /** Of the last epoch that is over: its number, and what its ranks were admitted with. */
    private int overEpoch;

    private byte[][] overTickets = {};

    Session(Shard shard, Join first, Grant grant) {
        this.shard = shard;
        this.grant = grant;
        openedNs = shard.nanoTime();
        rate = new RateLimit(0, RATE_BURST_NS, openedNs);
        name = first.getSession();
        terms = Terms.of(first);
        nextNumber = terms.sizeMax();
        newcomers = new Newcomers(this);
        JoinTimeout timeout = JoinTimeout.of(first, shard.settings());
        gathering = new Gathering(this, timeout, TimeUnit.MILLISECONDS.toNanos(timeout.ms()));
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("ranks", terms.size())
                .log("session opened, {} ms to join", timeout.ms());
    }

    String name() {
        return name;
    }

    Shard shard() {
        return shard;
    }

    Terms terms() {
        return terms;
    }

    /** What the token that opened it allows. */
    Grant grant() {
        return grant;
    }

    /** Limits have changed. */
    void reloaded() {
        everybody().forEach(this::limit);
        limitAll();
    }

    private void limit(Member member) {
        RelayLimits limits = shard.settings().limits();
        member.rate.perSecond(lower(limits.rankBytesPerSecond(), member.grant.bytesPerSecond()), shard.nanoTime());
        member.control.messagesPerSecond(limits.controlMessagesPerSecond());
    }

    private void limitAll() {
        rate.perSecond(
                lower(shard.settings().limits().sessionBytesPerSecond(), grantedBytesPerSecond), shard.nanoTime());
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
                terms.size(),
                epoch == null ? 0 : epoch.number(),
                TimeUnit.NANOSECONDS.toMillis(nowNs - openedNs),
                epoch == null ? 0 : epoch.waitingBytes(),
                ranks().stream().map(member -> member.view(nowNs)).toList());
    }

    // Joining

    /** Takes in a rank that is no member, or answers why not. */
    Refusal join(ControlConnection control, Join join, Grant granted) {
        boolean gathers = gathering != null && gathering.isOpen();
        Refusal refusal = terms.disagreement(name, join);
        if (refusal == null) {
            refusal = gathers ? gathering.refusal(join) : newcomers.refusal(members());
        }
        if (refusal != null) {
            return refusal;
        }
        RateLimit ownRate = new RateLimit(0, RATE_BURST_NS, shard.nanoTime());
        Member member = opened(new Member(this, control, join, granted, ownRate), gathers ? gathering : newcomers);
        count(member);
        if (gathers) {
            gathering.join(member);
        } else {
            admit(member, nextNumber++);
            newcomers.join(member);
        }
        return null;
    }

    private Member opened(Member member, Party party) {
        member.joinedNs = shard.nanoTime();
        member.heardNs = member.joinedNs;
        member.party = party;
        member.control.belongsTo(member);
        limit(member);
        return member;
    }

    private void count(Member member) {
        member.former = null;
        present++;
        shard.counters().ranks.incrementAndGet();
    }

    /** Those who have a place in the group, or in the one that gathers. */
    private int members() {
        return gathering != null ? gathering.present() : epoch.livingCount();
    }

    /** Lets a member of an epoch go on into the next one, or answers why not. Who has no ticket learns nothing. */
    Refusal continues(ControlConnection control, Join join) {
        Continues continues = join.getContinues();
        byte[] ticket = continues.getTicket().toByteArray();
        Refusal over = epochOver(continues, ticket);
        if (over != null) {
            return over;
        }
        Member former = epoch.holderOf(continues.getRank(), ticket);
        Refusal refusal = former == null ? Shard.NO_SUCH_PLACE : refusal(former, join);
        if (refusal != null) {
            return refusal;
        }
        if (former.next != null) {
            asksNoMore(former.next, new Refusal(ErrorCode.RANK_TAKEN, former + " has asked once more"));
        }
        Member member = new Member(this, control, join, former.grant, former.rate);
        member.former = former;
        if (succession == null) {
            succession = new Succession(this, epoch, newcomers, member);
        }
        Refusal disagreement = succession.disagreement(former.rank, continues);
        if (disagreement != null) {
            succession.fail(disagreement);
            return disagreement;
        }
        Succession joined = succession;
        opened(member, joined);
        admit(member, nextNumber++);
        joined.join(member);
        return null;
    }

    /** Null if it is of the current epoch. */
    private Refusal epochOver(Continues continues, byte[] ticket) {
        if (epoch != null && continues.getEpoch() == epoch.number()) {
            return null;
        }
        int rank = continues.getRank();
        boolean known = continues.getEpoch() == overEpoch
                && rank >= 0
                && rank < overTickets.length
                && MessageDigest.isEqual(overTickets[rank], ticket);
        return known
                ? new Refusal(
                        ErrorCode.STALE_EPOCH,
                        "epoch " + overEpoch + " of session " + name + " is over"
                                + (epoch == null ? "" : ": epoch " + epoch.number() + " has begun"))
                : Shard.NO_SUCH_PLACE;
    }

    private Refusal refusal(Member former, Join join) {
        if (former.gone || former.leaving) {
            return new Refusal(
                    ErrorCode.EXPELLED,
                    former + " is not in epoch " + epoch.number() + " of session " + name + " any more");
        }
        if (join.getContinues().getKind() != Continues.Kind.NEXT_EPOCH) {
            return new Refusal(
                    ErrorCode.PROTOCOL,
                    "Join that continues by " + join.getContinues().getKind() + ": expected NEXT_EPOCH");
        }
        int wanted = join.getContinues().getSizeWanted();
        if (wanted < 0 || wanted > terms.sizeMax()) {
            return new Refusal(ErrorCode.BAD_SETTING, "wanted size " + wanted + ": expected 0 to " + terms.sizeMax());
        }
        return terms.disagreement(name, join);
    }

    /** A member does not gather for the next epoch any more. */
    void asksNoMore(Member member, Refusal refusal) {
        succession.refuse(member, refusal);
    }

    /** There may be less to wait for before the next epoch can begin. */
    void gathersOn() {
        if (succession != null) {
            succession.beginIfReady();
        }
    }

    /** Nobody waits for it any more. */
    void succeeded(Succession done) {
        if (succession == done) {
            succession = null;
        }
    }

    /** Somebody who had a place has gone away before the first epoch: who waits for one may have it. */
    void placeIsFree() {
        if (gathering != null && gathering.isOpen() && newcomers.count() > 0) {
            gathering.adopt(newcomers.take(1));
        }
    }

    /** It came too late for an epoch that begins without it. */
    void waitsOn(Member straggler) {
        newcomers.join(straggler);
    }

    /** Tells a member that it has a place, and by which number to attach to it: this one if nobody else has it. */
    void admit(Member member, int wanted) {
        int number = admitted.containsKey(wanted) ? nextNumber++ : wanted;
        member.number = number;
        member.heardNs = shard.nanoTime();
        member.ticket = shard.random(TICKET_BYTES);
        admitted.put(number, member);
        member.control.send(ControlWriter.message(Admitted.newBuilder()
                .setVersion(Frame.VERSION)
                .setRank(number)
                .setTicket(ByteString.copyFrom(member.ticket))
                .setHeartbeatIntervalMs(shard.settings().heartbeatInterval().toMillis())
                .setHeartbeatTimeoutMs(shard.settings().heartbeatTimeout().toMillis())
                .setObservedHost(MemberView.host(member.control.remoteAddress()))
                .setObservedPort(member.control.remoteAddress().getPort())
                .setSettled(gathering == null || gathering.isClosing())
                .build()));
    }

    /** The member that an Attach is for, if its ticket is right; null otherwise. */
    Member holderOf(Attach attach) {
        Member member = admitted.get(attach.getRank());
        boolean right = member != null
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
        DataConnection data = new DataConnection(member.number, shard.exchange(), member, member.rate, rate);
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
        member.party.ready(member);
        return null;
    }

    /**
     * Begins an epoch.
     *
     * @param ranks   its members, in the order of their ranks; newcomers among them need not wait any more
     * @param sinceNs when they began to gather
     */
    void begin(Epoch next, List<Member> ranks, long sinceNs) {
        Epoch last = epoch;
        newcomers.release(ranks);
        ranks.stream().filter(member -> member.former != null).forEach(this::count);
        gathering = null;
        epoch = next;
        if (last != null) {
            remember(last);
            last.retire();
        }
        grantedBytesPerSecond = 0;
        for (Member member : ranks) {
            grantedBytesPerSecond = lower(grantedBytesPerSecond, member.grant.sessionBytesPerSecond());
        }
        limitAll();
        shard.counters().groupsCompleted.increment();
        shard.counters().gatheringNs.accept(shard.nanoTime() - sinceNs);
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("ranks", ranks.size())
                .addKeyValue("epoch", epoch.number())
                .log("session complete");
        epoch.begin();
    }

    private void remember(Epoch last) {
        overEpoch = last.number();
        overTickets = last.tickets();
    }

    /** All members are gone. Those who still wait begin anew, without the others' leave. */
    void groupEnded() {
        if (ended) {
            return;
        }
        remember(epoch);
        epoch.close();
        epoch = null;
        if (shard.draining()) {
            newcomers.refuseAll(Shard.DRAINING);
            return;
        }
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("epoch", overEpoch)
                .log("all members are gone, {} ranks that waited gather", newcomers.count());
        Member first = newcomers.members().get(0);
        gathering = new Gathering(this, JoinTimeout.of(first.join, shard.settings()), newcomers.leftNs(first));
        gathering.adopt(newcomers.take(terms.size()));
    }

    // Living

    void message(Member from, ToRelay message) {
        if (from.gone) {
            return;
        }
        from.heardNs = shard.nanoTime();
        if (message.hasHeartbeat()) {
            from.control.send(ControlWriter.heartbeat(message.getHeartbeat().getNumber()));
        } else {
            from.party.message(from, message);
        }
    }

    void expelForMessage(Member from, ToRelay message) {
        expel(
                from,
                new Refusal(ErrorCode.PROTOCOL, "message " + message.getMessageCase() + " on a control connection"));
    }

    /** Looks for members that have fallen silent, and whether the session is of any use. */
    void sweep(long nowNs, boolean relayWasPaused) {
        for (Member member : everybody()) {
            if (!member.gone) {
                sweep(member, nowNs, relayWasPaused);
            }
        }
        long idleMsMax = shard.settings().sessionIdleMax().toMillis();
        if (idleMsMax > 0
                && epoch != null
                && !ended
                && epoch.idleNs(nowNs) > TimeUnit.MILLISECONDS.toNanos(idleMsMax)) {
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
        if (heard && epoch != null) {
            epoch.active(nowNs);
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
        member.party.gone(member, Cause.SILENT, silence.reason());
    }

    // Going

    void controlEnded(Member member, String reason) {
        if (!member.gone && !member.leaving) {
            member.party.gone(member, Cause.LOST, reason);
        }
    }

    void dataEnded(Member member) {
        if (!member.gone) {
            member.party.dataEnded(member);
        }
    }

    /** A rank broke the protocol or a limit. */
    void expel(Member member, Refusal refusal) {
        if (!member.gone) {
            shard.counters().refused(refusal);
            member.control.refuse(refusal);
            member.party.gone(member, Cause.EXPELLED, refusal.toString());
        }
    }

    /** A rank goes away before its group has begun: nobody else is told. */
    void forget(Member member, String why) {
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("rank", member.rank)
                .addKeyValue("remote", member.control.remoteAddress())
                .log("rank went away before the group was complete: {}", why);
        depart(member);
    }

    /** Somebody is not here any more. */
    void depart(Member member) {
        member.gone = true;
        member.losePatience();
        if (member.isAdmitted()) {
            admitted.remove(member.number);
        }
        if (member.data != null) {
            member.data.close();
        }
        if (member.former == null) {
            present--;
            shard.counters().ranks.decrementAndGet();
            if (present == 0) {
                end();
            }
        }
    }

    /** Refuses everybody who is there. */
    void endAll(Refusal refusal) {
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

    /** Who is here, each with all connections. */
    private List<Member> everybody() {
        List<Member> everybody = ranks();
        if (succession != null) {
            everybody.addAll(succession.members());
        }
        return everybody;
    }

    /** Each rank once: those that gather, or the members, and then those that wait. */
    private List<Member> ranks() {
        List<Member> ranks = new ArrayList<>();
        if (gathering != null) {
            ranks.addAll(gathering.members());
        }
        if (epoch != null) {
            ranks.addAll(epoch.present());
        }
        ranks.addAll(newcomers.members());
        return ranks;
    }

    private void end() {
        if (!ended) {
            ended = true;
            if (gathering != null) {
                gathering.close();
            }
            if (succession != null) {
                succession.close();
            }
            if (epoch != null) {
                epoch.close();
            }
            shard.ended(this);
            long livedNs = shard.nanoTime() - openedNs;
            shard.counters().sessionNs.accept(livedNs);
            log.atInfo()
                    .addKeyValue("session", name)
                    .addKeyValue("epoch", epoch == null ? overEpoch : epoch.number())
                    .log("session ended after {} ms", TimeUnit.NANOSECONDS.toMillis(livedNs));
        }
    }
}
