package io.zipcomm.simulation;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Which failures the faults of a run explain. A failure needs a cause that was there before it ended: nothing is excused by what
 * struck later, or elsewhere.
 */
final class Causes {

    /** The relay gives a rank so long to open a connection again. */
    private static final long GRACE_NS = 1_000_000_000;

    /** A rank that nothing hinders is back after so long: pauses between tries, and some round trips over the slowest network. */
    private static final long BACK_NS = 400_000_000;

    /** So long after it a reset may still be noticed: it passes the slowest network behind what is under way. */
    private static final long NOTICED_NS = 200_000_000;

    /** After a relay was started again, members that do not come back hold the others up for so long. */
    private static final long RESTORE_NS = Fault.HEARTBEAT_TIMEOUT_NS;

    /** An operation takes so long over the slowest network, with nothing in its way. */
    private static final long SLOW_NS = 2_000_000_000;

    /** How operations end when another one, perhaps of another rank, has failed. */
    private static final Set<ErrorCode> CONSEQUENCES =
            EnumSet.of(ErrorCode.COMMUNICATOR_FAILED, ErrorCode.PEER_FAILED, ErrorCode.REVOKED);

    private final Cluster cluster;

    Causes(Cluster cluster) {
        this.cluster = cluster;
    }

    /** Whether this is how the call could end. */
    boolean explain(Rank rank, Rank.Outcome outcome) {
        ZipException failure = outcome.failure();
        return switch (failure.code()) {
            case PEER_LOST ->
                mayBeGone(rank, outcome.endedNs())
                        || peerIsGone(outcome, failure.peer())
                        || hasGivenUp(outcome, failure.peer());
            case PEER_LEFT ->
                mayBeGone(rank, outcome.endedNs())
                        || peerIsGone(outcome, failure.peer())
                        || hasLeft(outcome, failure.peer())
                        || wasToldByOthers(outcome);
            case RELAY_LOST -> relayMayBeLost(rank, outcome);
            case DEADLINE -> mayTakeTooLong(outcome);
            case REVOKED -> any(outcome, one -> isWayOut(one.call()));
            // The relay ends what it combines for all, also for a rank whose connection broke and that waits for
            // nothing there.
            case PEER_FAILED ->
                hasRoot(outcome)
                        || any(outcome, this::hidesRoot)
                        || (cluster.combines() && wasReset(anyone(), outcome));
            case COMMUNICATOR_FAILED -> hasRoot(outcome) || mayHideRoot(outcome);
            // What was said on a connection that broke may be lost, and then nobody comes.
            case JOIN_TIMEOUT ->
                isJoining(outcome.call())
                        && (rank.isNewcomer() || somebodyMayBeGone(outcome.endedNs()) || wasResetBefore(outcome));
            case RELAY_UNREACHABLE ->
                isJoining(outcome.call()) && (isCutOff(rank, outcome) || wasReset(rank.host(), outcome));
            case EXPELLED -> mayBeGone(rank, outcome.endedNs());
            case CANCELLED -> Step.mayCancel(outcome.call(), failure.rank(), outcome.epoch());
            // Another had it before.
            case LIMIT -> isJoining(outcome.call()) && isHarmed(rank, outcome.endedNs());
            case UNAUTHORIZED, RANK_TAKEN ->
                isJoining(outcome.call()) && (isHarmed(rank, outcome.endedNs()) || wasRepeated(rank.host(), outcome));
            // What a newcomer said, said once more, is another newcomer, until it is seen that nobody is there.
            case GROUP_FULL -> isJoining(outcome.call()) && wasRepeated(anyone(), outcome);
            default -> false;
        };
    }

    static boolean isJoining(String call) {
        return call.equals(Rank.JOIN) || call.equals(Rank.SHRINK) || call.equals(Rank.GROW);
    }

    private static boolean isWayOut(String call) {
        return call.equals(Rank.REVOKE) || call.equals(Rank.SHRINK) || call.equals(Rank.GROW);
    }

    // ---- who may be taken for dead

    /** Whether there was a reason, up to an instant, to give the rank's place away. */
    boolean mayBeGone(Rank rank, long byNs) {
        return isHarmed(rank, byNs)
                || cluster.troubles().stream()
                        .anyMatch(trouble -> trouble.isReset()
                                && trouble.fromNs() <= byNs
                                && concerns(trouble, rank)
                                && (staysAway(rank, trouble) || comesOrGoes(rank, trouble)));
    }

    private boolean isHarmed(Rank rank, long byNs) {
        return cluster.troubles().stream()
                .anyMatch(trouble -> trouble.fault().effect() == Fault.Effect.HARM
                        && trouble.fromNs() <= byNs
                        && concerns(trouble, rank));
    }

    private static boolean concerns(Trouble trouble, Rank rank) {
        return trouble.host() == null || trouble.host() == rank.host();
    }

    /** Whether something kept a rank from coming back for longer than the relay waits. */
    private boolean staysAway(Rank rank, Trouble reset) {
        long backNs = reset.untilNs() + BACK_NS;
        for (Trouble trouble : cluster.troubles()) {
            boolean hinders = trouble.fault() == Fault.PAUSE_LINK
                    || trouble.fault() == Fault.FREEZE_SHORT
                    || trouble.fault() == Fault.LATE_ATTEMPTS;
            if (!concerns(trouble, rank) || !trouble.isWithin(reset.fromNs(), backNs)) {
                continue;
            }
            if (trouble.isReset() && trouble.fromNs() > reset.fromNs()) {
                if (trouble.isRestart() && trouble.fromNs() < reset.untilNs() + graceNs(reset)) {
                    // A relay that knows of nothing waits for all anew.
                    return false;
                }
                // One more try, after a longer pause.
                backNs = Math.max(backNs, trouble.untilNs() + BACK_NS);
            } else if (hinders) {
                backNs = trouble.untilNs() == Long.MAX_VALUE
                        ? Long.MAX_VALUE
                        : Math.max(backNs, trouble.untilNs() + BACK_NS);
            }
        }
        return backNs - reset.untilNs() >= graceNs(reset);
    }

    private static long graceNs(Trouble reset) {
        return reset.isRestart() ? RESTORE_NS : GRACE_NS;
    }

    /**
     * Who leaves while a connection is away cannot say so. Who has not heard yet that its group is complete does not come back, although
     * the others may have.
     */
    private static boolean comesOrGoes(Rank rank, Trouble reset) {
        for (Rank.Outcome outcome : rank.outcomes()) {
            if ((outcome.call().equals(Rank.CLOSE) || isJoining(outcome.call()))
                    && reset.isWithin(outcome.beganNs() - BACK_NS - NOTICED_NS, outcome.endedNs())) {
                return true;
            }
        }
        return false;
    }

    /** Whether there is a reason to take the rank of an epoch for dead. */
    boolean mayBeGone(int epoch, int number, long byNs) {
        Rank rank = holder(epoch, number);
        // Without one it was gone before it saw the group.
        return rank == null ? somebodyMayBeGone(byNs) : mayBeGone(rank, byNs);
    }

    private boolean peerIsGone(Rank.Outcome outcome, int peer) {
        return peer >= 0 && mayBeGone(outcome.epoch(), peer, outcome.endedNs());
    }

    private boolean somebodyMayBeGone(long byNs) {
        return cluster.ranks().stream().anyMatch(rank -> mayBeGone(rank, byNs));
    }

    /** Who has this rank in an epoch; null if nobody has seen himself there. */
    private Rank holder(int epoch, int number) {
        for (Rank rank : cluster.ranks()) {
            for (Rank.Seen seen : rank.seen()) {
                if (seen.epoch() == epoch && seen.rank() == number) {
                    return rank;
                }
            }
        }
        return null;
    }

    /** Whether a rank of an epoch has begun to leave the group, up to an instant. */
    boolean hasLeft(int epoch, int number, long byNs) {
        Rank rank = holder(epoch, number);
        return rank != null
                && rank.outcomes().stream()
                        .anyMatch(
                                one -> one.call().equals(Rank.CLOSE) && one.epoch() == epoch && one.beganNs() <= byNs);
    }

    private boolean hasLeft(Rank.Outcome outcome, int peer) {
        return peer >= 0 && hasLeft(outcome.epoch(), peer, outcome.endedNs());
    }

    /** Whether a peer has lost the relay for good before: it goes, and there is no relay that could tell others that it left. */
    private boolean hasGivenUp(Rank.Outcome outcome, int peer) {
        Rank rank = peer < 0 ? null : holder(outcome.epoch(), peer);
        return rank != null
                && rank.outcomes().stream()
                        .anyMatch(one -> one.failure() != null
                                && one.failure().code() == ErrorCode.RELAY_LOST
                                && one.epoch() == outcome.epoch()
                                && one.endedNs() <= outcome.endedNs());
    }

    // ---- the relay

    /** A group that is complete opens its connections again; what the relay combines is not taken up again, and joining is not. */
    private boolean relayMayBeLost(Rank rank, Rank.Outcome outcome) {
        boolean takenUp = !isJoining(outcome.call()) && !cluster.combines();
        return mayBeGone(rank, outcome.endedNs())
                || (!takenUp && wasReset(rank.host(), outcome))
                // Too few have come back.
                || (wasRestarted(outcome) && somebodyMayBeGone(outcome.endedNs()))
                || gaveInVain(outcome);
    }

    /** Whether what the peer gave to be combined may have gone down with its connection, or with the relay, before this rank came to it. */
    private boolean gaveInVain(Rank.Outcome outcome) {
        int peer = outcome.failure().peer();
        Rank giver = peer < 0 || !cluster.combines() ? null : holder(outcome.epoch(), peer);
        return giver != null
                && giver.outcomes().stream()
                        .filter(one ->
                                one.epoch() == outcome.epoch() && one.call().equals(outcome.call()))
                        .anyMatch(one -> cluster.troubles().stream()
                                .anyMatch(trouble -> trouble.isReset()
                                        && concerns(trouble, giver)
                                        && trouble.isWithin(unnoticedSinceNs(giver, one), outcome.endedNs())));
    }

    /** Since when a connection may have been broken on which a call sends: who has only just joined did not look before. */
    private static long unnoticedSinceNs(Rank rank, Rank.Outcome call) {
        long sinceNs = call.beganNs() - NOTICED_NS;
        for (Rank.Outcome one : rank.outcomes()) {
            boolean justBefore = one.endedNs() <= call.beganNs() && one.endedNs() > call.beganNs() - NOTICED_NS;
            if (isJoining(one.call()) && justBefore) {
                sinceNs = Math.min(sinceNs, one.beganNs());
            }
        }
        return sinceNs;
    }

    /** Whether connections of a process, or of any, were reset while a call ran, or so shortly before that it was not back. */
    private boolean wasReset(Host host, Rank.Outcome outcome) {
        long sinceNs = outcome.beganNs() - BACK_NS - NOTICED_NS;
        return cluster.troubles().stream()
                .anyMatch(trouble -> trouble.isReset()
                        && (host == null || trouble.host() == null || trouble.host() == host)
                        && trouble.isWithin(sinceNs, outcome.endedNs()));
    }

    /** Whether what a process, or any, said to the relay was repeated there, on a connection that was open while a call ran. */
    private boolean wasRepeated(Host host, Rank.Outcome outcome) {
        return troubleAt(
                outcome,
                trouble -> trouble.fault() == Fault.REPEAT_OPENING && (host == null || trouble.host() == host));
    }

    private boolean wasRestarted(Rank.Outcome outcome) {
        return cluster.troubles().stream()
                .anyMatch(trouble -> trouble.isRestart() && trouble.fromNs() <= outcome.endedNs());
    }

    private static Host anyone() {
        return null;
    }

    private boolean wasResetBefore(Rank.Outcome outcome) {
        return cluster.troubles().stream()
                .anyMatch(trouble -> trouble.isReset() && trouble.fromNs() <= outcome.endedNs());
    }

    private boolean isCutOff(Rank rank, Rank.Outcome outcome) {
        return troubleAt(
                outcome,
                trouble -> concerns(trouble, rank)
                        && (trouble.fault() == Fault.CUT_RELAY
                                || trouble.fault() == Fault.FREEZE_LONG
                                || trouble.fault() == Fault.FREEZE_HOST
                                || trouble.fault() == Fault.PARTITION
                                || trouble.fault() == Fault.RESTART_RELAY));
    }

    private boolean troubleAt(Rank.Outcome outcome, Predicate<Trouble> which) {
        return cluster.troubles().stream()
                .anyMatch(trouble -> which.test(trouble) && trouble.isWithin(outcome.beganNs(), outcome.endedNs()));
    }

    // ---- time

    /**
     * The others may wait for somebody who is dead and do not know it yet, and who was told of that on a connection that broke. Else
     * something must have been in the way for most of the time.
     */
    private boolean mayTakeTooLong(Rank.Outcome outcome) {
        if (somebodyMayBeGone(outcome.endedNs())) {
            return true;
        }
        long hinderedNs = 0;
        for (Trouble trouble : cluster.troubles()) {
            long fromNs = Math.max(trouble.fromNs(), outcome.beganNs());
            // A direct path that is lost costs up to three seconds until that is seen, and then is taken up again.
            hinderedNs += Math.max(0, Math.min(trouble.untilNs(), outcome.endedNs()) - fromNs) + SLOW_NS;
        }
        return outcome.tookNs() < hinderedNs + SLOW_NS;
    }

    // ---- what others did

    /** Who hears of an operation that failed elsewhere fails with the same code. */
    private boolean wasToldByOthers(Rank.Outcome outcome) {
        return any(
                outcome,
                one -> one.failure() != null
                        && one.failure().code() == outcome.failure().code()
                        && one.endedNs() < outcome.endedNs());
    }

    /**
     * Whether something failed, or never ended, that does not only say that something else did; or somebody left the epoch before whom nothing
     * had failed, to grow.
     */
    private boolean hasRoot(Rank.Outcome outcome) {
        return any(
                outcome,
                one -> one.failure() == null
                        ? !one.hasEnded() || (cluster.grows() && isWayOut(one.call()))
                        : !CONSEQUENCES.contains(one.failure().code()));
    }

    private boolean hidesRoot(Rank.Outcome outcome) {
        return outcome.failure() != null
                && outcome.failure().code() == ErrorCode.COMMUNICATOR_FAILED
                && mayHideRoot(outcome);
    }

    /** One step can be several operations, and the first of them that is waited for, which tells how it ended, has not failed first. */
    private boolean mayHideRoot(Rank.Outcome outcome) {
        return somebodyMayBeGone(outcome.endedNs()) || wasReset(anyone(), outcome);
    }

    /** Whether somebody did something in the same epoch before the call ended. */
    private boolean any(Rank.Outcome outcome, Predicate<Rank.Outcome> what) {
        for (Rank rank : cluster.ranks()) {
            List<Rank.Outcome> all = rank.outcomes();
            for (Rank.Outcome one : all) {
                if (!one.equals(outcome)
                        && one.epoch() == outcome.epoch()
                        && one.beganNs() <= outcome.endedNs()
                        && what.test(one)) {
                    return true;
                }
            }
        }
        return false;
    }
}
