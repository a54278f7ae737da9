package io.zipcomm.relay;

import com.google.protobuf.ByteString;
import io.netty.channel.Channel;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.DataConnection;
import io.zipcomm.relay.route.Pulse;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone.Cause;
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

    /** A data connection is asked after so many intervals of heartbeats, and dead after so many times their timeout. */
    private static final int PING_INTERVALS = 2;

    private static final int SILENCE_TIMEOUTS = 2;

    private final Shard shard;
    private final String name;
    private final Grant grant;
    private final Terms terms;
    private final long openedNs;

    private final SessionRates rates;

    /** Given to ranks that have no number in the first group, to attach by. */
    private int nextNumber;

    /** Who has been admitted and is not gone, by the number to attach with. */
    private final Map<Integer, Member> admitted = new HashMap<>();

    /** Ranks that are here, each once, however many connections it has. */
    private int present;

    private boolean ended;

    private final Newcomers newcomers;

    /** Null while there is an epoch, or members of one come back. */
    private Gathering gathering;

    /** Null until the first has begun, and when all members of the last are gone. */
    private Epoch epoch;

    private final Returns returns;

    /** Null as long as no member has asked for another epoch. */
    private Succession succession;

    Session(Shard shard, Join first, Grant grant) {
        this.shard = shard;
        this.grant = grant;
        openedNs = shard.nanoTime();
        rates = new SessionRates(shard);
        name = first.getSession();
        terms = Terms.of(first);
        nextNumber = terms.sizeMax();
        newcomers = new Newcomers(this);
        returns = new Returns(this);
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("ranks", terms.size())
                .log("session opened");
    }

    /** Its first rank, which is still to {@link #join}, says how long the others have. */
    void gather(Join first) {
        JoinTimeout timeout = JoinTimeout.of(first, shard.settings());
        gathering = new Gathering(this, timeout, TimeUnit.MILLISECONDS.toNanos(timeout.ms()));
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

    /** Null if there is none. */
    Epoch epoch() {
        return epoch;
    }

    /** Limits have changed. */
    void reloaded() {
        everybody().forEach(rates::limit);
        rates.limitAll();
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
        Member member = arrives(control, join, granted, gathers ? gathering : newcomers);
        if (gathers) {
            gathering.join(member);
        } else {
            admit(member, nextNumber++);
            newcomers.join(member);
        }
        return null;
    }

    /** A rank that was not here before. */
    Member arrives(ControlConnection control, Join join, Grant granted, Party party) {
        Member member = opened(new Member(this, control, join, granted, rates.ofOneMore()), party);
        count(member);
        return member;
    }

    private Member opened(Member member, Party party) {
        member.joinedNs = shard.nanoTime();
        member.heardNs = member.joinedNs;
        member.party = party;
        member.control.belongsTo(member);
        rates.limit(member);
        return member;
    }

    private void count(Member member) {
        member.former = null;
        present++;
        shard.counters().ranks.incrementAndGet();
    }

    /** Those who have a place in the group and are not away, or in the one that gathers. */
    private int members() {
        if (gathering != null) {
            return gathering.present();
        }
        return epoch == null ? returns.size() : epoch.hereCount();
    }

    /** Lets a member of an epoch go on into the next one, or answers why not. Who has no ticket learns nothing. */
    Refusal continues(ControlConnection control, Join join) {
        Continues continues = join.getContinues();
        byte[] ticket = continues.getTicket().toByteArray();
        Refusal over = returns.overRefusal(continues, ticket);
        if (over != null) {
            return over;
        }
        if (returns.underWay() && (epoch == null || continues.getEpoch() != epoch.number())) {
            return shard.refusalOfUnknown(join);
        }
        if (epoch == null || continues.getEpoch() != epoch.number()) {
            return mayBeTakenUp(join) ? shard.refusalOfUnknown(join) : Shard.NO_SUCH_PLACE;
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

    /** Whether a member may be of an epoch that this relay does not know, to which none has come back yet; if its token admits. */
    private boolean mayBeTakenUp(Join join) {
        int number = join.getContinues().getEpoch();
        boolean roomForIt =
                epoch == null ? number > returns.overEpoch() : number > epoch.number() && epoch.mayBeSuperseded();
        return roomForIt;
    }

    /** Takes in a member on another control connection, or answers why not. */
    Refusal comeBack(ControlConnection control, Join join) {
        return returns.comeBack(control, join);
    }

    /** Takes in the first member that comes back to a session that this relay did not know, and whose token admits. */
    Refusal restore(ControlConnection control, Join join, Grant granted) {
        return returns.restore(control, join, granted);
    }

    /** The number of an epoch that is about to begin. */
    int nextEpoch() {
        return returns.nextEpoch();
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
                    "Join that continues by " + join.getContinues().getKind() + ": expected NEXT_EPOCH or SAME_EPOCH");
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
        member.ticket = shard.issueTicket(name);
        admitted.put(number, member);
        sayAdmitted(member);
    }

    void sayAdmitted(Member member) {
        member.control.send(ControlWriter.message(Admitted.newBuilder()
                .setVersion(Frame.VERSION)
                .setRank(member.number)
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
        if (right) {
            return member;
        }
        return epoch == null ? null : epoch.holderOf(attach);
    }

    /** Gives a member its data connection, or answers why not. */
    Refusal attach(Member member, Channel channel, Attach attach) {
        if (!member.join.getRelayed()) {
            return new Refusal(ErrorCode.PROTOCOL, member + " said that it attaches no data connection");
        }
        boolean comesBack = attach.getAgain() && member.party.isGroup() && !member.leaving;
        if (member.party.isGroup() && member.data == null && !comesBack) {
            return new Refusal(
                    ErrorCode.PROTOCOL, member + " attaches to a group that goes on: expected that it does so again");
        }
        if (member.data != null && !comesBack) {
            return new Refusal(ErrorCode.UNAUTHORIZED, member + " is attached already");
        }
        if (comesBack && member.isInDebt()) {
            return Refusal.limit(
                    RelayOption.CONTROL_MESSAGES_PER_SECOND,
                    member + " attaches more often than the others can be told of it");
        }
        if (member.data != null) {
            // It may not have ended here yet.
            member.data.close();
        }
        boolean answersPing = attach.getAnswersPing();
        DataConnection data = new DataConnection(member.number, shard.exchange(), member, member.rate, rates.all());
        channel.pipeline().replace(channel.pipeline().last(), null, data);
        long pingMs = PING_INTERVALS * shard.settings().heartbeatInterval().toMillis();
        long silenceMs = SILENCE_TIMEOUTS * shard.settings().heartbeatTimeout().toMillis();
        channel.writeAndFlush(
                ControlWriter.frame(
                        channel.alloc(), ControlWriter.attached(answersPing ? silenceMs : 0, ++member.attachments)),
                channel.voidPromise());
        if (answersPing) {
            data.asks(new Pulse(pingMs, silenceMs, shard.nanoTime()));
        }
        member.data = data;
        member.dataEnd = null;
        if (comesBack) {
            member.party.returned(member);
        } else {
            member.party.ready(member);
        }
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
        returns.begins();
        if (last != null) {
            returns.remember(last);
            last.retire("epoch " + next.number() + " has begun");
        }
        rates.begin(ranks);
        shard.counters().groupsCompleted.increment();
        shard.counters().gatheringNs.accept(shard.nanoTime() - sinceNs);
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("ranks", ranks.size())
                .addKeyValue("epoch", epoch.number())
                .log("session complete");
        epoch.begin();
    }

    /** Whether these are the ranks that gather for a first epoch now. */
    boolean isGathering(Gathering ranks) {
        return gathering == ranks && !ended;
    }

    /** Members that came back to an epoch that this relay does not know take the places of those who gather for a first one. */
    void makeWay() {
        if (gathering != null) {
            List<Member> gathered = gathering.members();
            gathering.close();
            gathering = null;
            gathered.forEach(this::waitsIfThereIsRoom);
        }
    }

    private void waitsIfThereIsRoom(Member member) {
        Refusal refusal = newcomers.refusal(members());
        if (refusal != null) {
            shard.counters().refused(refusal);
            member.control.refuse(refusal);
            forget(member, refusal.toString());
            return;
        }
        if (!member.isAdmitted()) {
            admit(member, nextNumber++);
        }
        newcomers.join(member);
    }

    /** An epoch that began at a relay that is no more goes on here, with those of its ranks that live. */
    void restored(Epoch again, List<Member> living, boolean complete, Recollection recollection) {
        Epoch earlier = epoch;
        if (succession != null) {
            succession.fail(new Refusal(
                    ErrorCode.STALE_EPOCH, "epoch " + again.number() + " goes on at the relay, which is later"));
        }
        epoch = again;
        returns.goesOn(again.number(), complete);
        if (earlier != null) {
            returns.remember(earlier);
            earlier.retire("epoch " + again.number() + ", which is later, goes on");
        }
        rates.begin(living);
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("ranks", living.size())
                .addKeyValue("epoch", epoch.number())
                .log("session goes on");
        epoch.goOn(complete, recollection);
    }

    /** Nobody is left of those who came back. */
    void restorationEnded(Restoration restoration) {
        returns.ended(restoration);
        if (!ended && epoch == null && !returns.underWay()) {
            beginAnew();
        }
    }

    /** All members are gone. Those who still wait begin anew, without the others' leave. */
    void groupEnded() {
        if (ended) {
            return;
        }
        returns.remember(epoch);
        epoch.close();
        epoch = null;
        if (!returns.underWay()) {
            beginAnew();
        }
    }

    private void beginAnew() {
        if (shard.draining()) {
            newcomers.refuseAll(Shard.DRAINING);
            return;
        }
        log.atInfo()
                .addKeyValue("session", name)
                .addKeyValue("epoch", returns.overEpoch())
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
            // Who comes back has nothing to say before its epoch goes on, which is soon.
            boolean speaks = !(member.party instanceof Restoration);
            if (!member.gone && SilenceWatch.look(member, shard, nowNs, relayWasPaused, speaks) && epoch != null) {
                epoch.active(nowNs);
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

    // Going

    void controlEnded(Member member, String reason) {
        if (!member.gone && !member.leaving) {
            member.party.controlEnded(member, reason);
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
            admitted.remove(member.number, member);
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
        ranks.addAll(returns.members());
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
            returns.close();
            shard.ended(this);
            long livedNs = shard.nanoTime() - openedNs;
            shard.counters().sessionNs.accept(livedNs);
            log.atInfo()
                    .addKeyValue("session", name)
                    .addKeyValue("epoch", epoch == null ? returns.overEpoch() : epoch.number())
                    .log("session ended after {} ms", TimeUnit.NANOSECONDS.toMillis(livedNs));
        }
    }
}
