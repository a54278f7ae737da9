package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.DataConnection;
import io.zipcomm.relay.route.ForwardLimit;
import io.zipcomm.relay.route.RateLimit;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** One rank of a session, from its Join until it is gone. What happens to it the session decides. Event loop only. */
final class Member implements DataConnection.Owner {

    static final int NO_RANK = -1;

    private static final int SAID_MAX = 16;

    /** Messages of so much time may come at once. */
    private static final long BURST_NS = TimeUnit.SECONDS.toNanos(1);

    final Session session;
    /** The last one, if it has ended; null in a rank that was gone when its epoch came to this relay. */
    ControlConnection control;

    /** Why the control connection ended, and another may come; null as long as it has not. */
    String controlEnd;

    final Join join;

    /** What its token allows. */
    final Grant grant;

    /** Bytes each second from it to be forwarded. */
    final RateLimit rate;

    /** Control messages each second from it, on whatever connection, and what they cost. */
    final RateLimit messages;

    /** {@link #NO_RANK} until one is assigned. */
    int rank = NO_RANK;

    /** What it is part of. */
    Party party;

    /** That it was admitted with, and attaches by. */
    int number = NO_RANK;

    /** Proves the right to attach; null until admitted. */
    byte[] ticket;

    /** Null until attached, and in ranks that attach none. */
    DataConnection data;

    /** How many data connections it has had. */
    int attachments;

    /** Why the data connection ended; null as long as it has not. */
    String dataEnd;

    /** How far away it is. */
    final Punches.Distance distance = new Punches.Distance();

    /** Communicators whose collectives it said to have failed: the latest few. */
    private final Queue<Integer> aborted = new ArrayDeque<>(2);

    /** Communicators that it revoked: the latest few. */
    private final Queue<Integer> revoked = new ArrayDeque<>(2);

    /** The same rank in the current epoch, while this gathers for the next one; null otherwise. */
    Member former;

    /** The same rank as it gathers for the next epoch; null if it does not. */
    Member next;

    /** It has asked for the next epoch, in vain or not: it has nothing more to say in this one. */
    boolean hasGoneOn;

    /** When it joined. */
    long joinedNs;

    /** When the rank last said anything. */
    long heardNs;

    /** It has chosen this relay, without a data connection. */
    boolean chosen;

    /** It said Leave. */
    boolean leaving;

    /** It is not in the session any more, whatever still comes from its connections. */
    boolean gone;

    /** Ends the wait for the other connection, or another data connection; null if there is none. */
    Future<?> patience;

    /** Ends the wait for another control connection; null if there is none. */
    Future<?> controlPatience;

    /** What the others were told when it was given up; null before. */
    ToRank verdict;

    Member(Session session, ControlConnection control, Join join, Grant grant, RateLimit rate) {
        this.grant = grant;
        this.rate = rate;
        this.session = session;
        this.control = control;
        this.join = join;
        messages = new RateLimit(0, BURST_NS, session.shard().nanoTime());
    }

    /** A rank of an epoch that went on without it. */
    static Member gone(Session session, int rank, MemberGone verdict) {
        Member member = new Member(session, null, Join.getDefaultInstance(), Grant.UNLIMITED, null);
        member.rank = rank;
        member.gone = true;
        member.verdict = ControlWriter.message(verdict);
        return member;
    }

    /** It has another control connection; the one before may not have ended here yet. */
    void comesBy(ControlConnection another) {
        control.close();
        control = another;
        controlEnd = null;
        heardNs = session.shard().nanoTime();
        if (controlPatience != null) {
            controlPatience.cancel(false);
        }
        another.belongsTo(this);
    }

    /** Whether what it says waits, since it has said more than it may. */
    boolean isInDebt() {
        return messages.waitNs(session.shard().nanoTime()) > 0;
    }

    /** Whether it has been told that it has a place. */
    boolean isAdmitted() {
        return ticket != null;
    }

    /** Whether there is nothing more to wait for before the group can begin. */
    boolean isReady() {
        boolean here = join.getRelayed() ? data != null : chosen || !join.getElsewhere();
        return isAdmitted() && here;
    }

    /** Whether it may say on its control connection that it is ready, though it attaches no data connection. */
    boolean mayChoose() {
        return isAdmitted() && join.getElsewhere() && !join.getRelayed();
    }

    /** Nobody waits any more for what it was given time for. */
    void losePatience() {
        if (patience != null) {
            patience.cancel(false);
        }
        if (gone && controlPatience != null) {
            controlPatience.cancel(false);
        }
    }

    /** Whether frames may still come from its data connection. */
    boolean hasOpenData() {
        return data != null && dataEnd == null;
    }

    /**
     * Notes that it says that collectives of a communicator fail. Answers whether it is news: it is not if that is among the
     * latest few of which it said so.
     */
    boolean abortsFirst(int context) {
        return isNews(aborted, context);
    }

    /** The same for communicators that it revokes. */
    boolean revokesFirst(int context) {
        return isNews(revoked, context);
    }

    private static boolean isNews(Queue<Integer> said, int context) {
        if (said.contains(context)) {
            return false;
        }
        if (said.size() >= SAID_MAX) {
            said.remove();
        }
        return said.add(context);
    }

    /** What it looks like now. */
    SessionView.RankView view(long nowNs) {
        return new SessionView.RankView(
                rank,
                control.remoteAddress().getAddress().getHostAddress() + ":"
                        + control.remoteAddress().getPort(),
                hasOpenData(),
                TimeUnit.NANOSECONDS.toMillis(nowNs - joinedNs),
                data == null ? 0 : data.bytesForwarded(),
                data == null ? 0 : data.waitingBytes(),
                data == null ? 0 : data.flows());
    }

    /** It is read more slowly for a limit. */
    void limitReached(RelayOption option) {
        session.limitReached(option);
    }

    void message(ToRelay message) {
        session.message(this, message);
    }

    void controlEnded(String reason) {
        session.controlEnded(this, reason);
    }

    void violated(Refusal refusal) {
        session.expel(this, refusal);
    }

    @Override
    public void violated(ErrorCode code, String reason) {
        violated(new Refusal(code, reason));
    }

    void exceeded(RelayOption option, String reason) {
        violated(Refusal.limit(option, reason));
    }

    @Override
    public void exceeded(ForwardLimit limit, String reason) {
        exceeded(option(limit), reason);
    }

    @Override
    public void limitReached(ForwardLimit limit) {
        limitReached(option(limit));
    }

    private static RelayOption option(ForwardLimit limit) {
        return switch (limit) {
            case FRAGMENT -> RelayOption.FRAGMENT_BYTES_MAX;
            case MEMORY -> RelayOption.MEMORY;
            case SESSION_MEMORY -> RelayOption.SESSION_MEMORY;
            case STANDSTILL -> RelayOption.SLOW_CONSUMER_TIMEOUT;
            case RANK_RATE -> RelayOption.RANK_BYTES_PER_SECOND;
            case GROUP_RATE -> RelayOption.SESSION_BYTES_PER_SECOND;
            case HUB_OPERATIONS -> RelayOption.HUB_OPERATIONS_MAX;
        };
    }

    @Override
    public void dataEnded(String reason) {
        dataEnd = reason;
        session.dataEnded(this);
    }

    @Override
    public String toString() {
        if (former != null) {
            return former.toString();
        }
        return rank == NO_RANK ? "a rank without number" : "rank " + rank;
    }
}
