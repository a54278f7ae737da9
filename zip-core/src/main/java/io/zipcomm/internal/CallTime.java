package io.zipcomm.internal;

import io.zipcomm.Communicator;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How long each call may take: a fixed time, or what the platform leaves if that is less. Immutable. */
public final class CallTime {

    private static final Logger LOG = LoggerFactory.getLogger(CallTime.class);

    /** So long that nothing ends by it: 146 years. */
    static final long LONGEST_NS = Long.MAX_VALUE / 2;

    private static final Duration LONGEST = Duration.ofNanos(LONGEST_NS);

    private final Duration timeout;
    private final long timeoutNs;

    /** Null if nothing but the timeout counts. */
    private final Supplier<Duration> remaining;

    private CallTime(Duration timeout, Supplier<Duration> remaining) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new ZipException(ErrorCode.BAD_ARGUMENT, "timeout " + timeout + ": expected a positive time");
        }
        this.timeout = timeout;
        timeoutNs = nanos(timeout);
        this.remaining = remaining;
    }

    /** The same for every call. */
    static CallTime of(Duration timeout) {
        return new CallTime(timeout, null);
    }

    /** That of a communicator's calls. */
    public static CallTime of(Communicator communicator) {
        return communicator instanceof TimedCommunicator timed ? timed.time() : of(communicator.timeout());
    }

    /** What the platform leaves still counts, if it did. */
    public CallTime withTimeout(Duration other) {
        return new CallTime(other, remaining);
    }

    /** No longer than what a further supplier says. */
    CallTime within(Supplier<Duration> further) {
        if (further == null) {
            throw new ZipException(ErrorCode.BAD_ARGUMENT, "nobody says how much time remains");
        }
        Supplier<Duration> before = remaining;
        return new CallTime(timeout, before == null ? further : () -> lesser(before.get(), further.get()));
    }

    /**
     * A communicator that was made by a call with this time, or that it is about. What the platform leaves counts for it too; the timeout
     * was that of the call.
     *
     * @param communicator null for none
     */
    public Communicator carriedTo(GroupCommunicator communicator) {
        return remaining == null || communicator == null ? communicator : communicator.withinRemaining(remaining);
    }

    private static Duration lesser(Duration one, Duration other) {
        return one.compareTo(other) <= 0 ? one : other;
    }

    Duration timeout() {
        return timeout;
    }

    /**
     * Times of a call that the relay decides.
     *
     * @param timeoutNs what the relay is given
     * @param answerNs  how long its answer may take beyond that
     */
    record Decided(long timeoutNs, long answerNs) {

        /** As much of these as fits into what is left; of that, half at most is for the answer. */
        static Decided within(long leftNs, long timeoutNs, long answerNs) {
            long decidedNs = Math.min(timeoutNs, Math.max(leftNs / 2, leftNs - answerNs));
            return new Decided(decidedNs, Math.min(answerNs, leftNs - decidedNs));
        }
    }

    /**
     * How long a call may take that begins now.
     *
     * @param operation its name, for errors
     * @return nanoseconds, positive
     * @throws ZipException with code DEADLINE if nothing is left, or nobody can say what is
     */
    long forCall(GroupCommunicator communicator, Object operation) {
        if (remaining == null) {
            return timeoutNs;
        }
        long leftNs = left(
                (reason, failure) -> communicator.refusal(ErrorCode.DEADLINE, operation.toString(), reason, failure));
        return Math.min(timeoutNs, leftNs);
    }

    /** Makes the exception for a call for which nothing is left. */
    private interface Refusal {
        ZipException of(String reason, Throwable failure);
    }

    private long left(Refusal refusal) {
        long leftNs = 0;
        Throwable failure = null;
        try {
            leftNs = nanos(remaining.get());
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        if (leftNs <= 0) {
            throw refusal.of(nothingLeft(leftNs, failure), failure);
        }
        return leftNs;
    }

    /**
     * How long joining may take from now on, and the relay's answer at the most.
     *
     * @param answerNs  what is to be left for that, if it can be
     * @param elapsedNs since joining began
     * @throws ZipException with code DEADLINE if nothing is left, or nobody can say what is
     */
    Decided forJoin(ZipSettings settings, long answerNs, long elapsedNs) {
        if (remaining == null) {
            return new Decided(timeoutNs, LONGEST_NS);
        }
        long leftNs = left((reason, failure) -> {
            ZipException.Builder facts = ZipException.of(ErrorCode.DEADLINE, reason);
            if (settings.rank() >= 0) {
                facts.at(settings.rank(), settings.size(), ZipException.NONE);
            }
            return facts.operation("join of session " + settings.session())
                    .elapsedMs(elapsedNs / 1_000_000)
                    .build(failure);
        });
        long decidedNs = Math.max(1, Decided.within(leftNs, timeoutNs, answerNs).timeoutNs());
        return new Decided(decidedNs, leftNs - decidedNs);
    }

    /** As {@link #forCall} for a collective: if nothing is left, the other members are told. */
    public long forCollective(GroupCommunicator communicator, Object operation) {
        if (remaining == null) {
            return timeoutNs;
        }
        try {
            return forCall(communicator, operation);
        } catch (ZipException e) {
            throw communicator.refuseCollective(e);
        }
    }

    /**
     * As {@link #forCall} for what the relay decides. Its answer has a time of its own, but for what the platform does not leave.
     *
     * @param answerNs how long the answer may take
     */
    Decided forDecided(GroupCommunicator communicator, String operation, long answerNs) {
        if (remaining == null) {
            return new Decided(timeoutNs, answerNs);
        }
        long leftNs = new CallTime(LONGEST, remaining).forCall(communicator, operation);
        return Decided.within(leftNs, timeoutNs, answerNs);
    }

    /** How long a call may take that has to be made in any case. */
    long forEnding() {
        return Math.min(timeoutNs, leftForEnding());
    }

    /** What the platform leaves for that, positive: of no account if nothing but timeouts count. */
    long leftForEnding() {
        if (remaining == null) {
            return LONGEST_NS;
        }
        try {
            return Math.max(1, nanos(remaining.get()));
        } catch (RuntimeException | Error e) {
            LOG.warn("nobody can say how much time remains: what ends is given none", e);
            return 1;
        }
    }

    private static String nothingLeft(long leftNs, Throwable failure) {
        return failure == null
                ? "there is no time left for it: " + leftNs / 1_000_000 + " ms"
                : "nobody can say how much time remains for it: " + failure;
    }

    /** Longer than 146 years is that. */
    private static long nanos(Duration time) {
        if (time.compareTo(LONGEST) > 0) {
            return LONGEST_NS;
        }
        return time.compareTo(LONGEST.negated()) < 0 ? -LONGEST_NS : time.toNanos();
    }
}
