package io.zipcomm.internal;

import io.zipcomm.Communicator;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.time.Duration;
import java.util.function.Supplier;

/** How long each call may take: a fixed time, or what the platform leaves if that is less. Immutable. */
public final class CallTime {

    private static final String NOTHING_LEFT = "there is no time left for it: ";

    private final Duration timeout;

    /** Null if nothing but the timeout counts. */
    private final Supplier<Duration> remaining;

    private CallTime(Duration timeout, Supplier<Duration> remaining) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new ZipException(ErrorCode.BAD_ARGUMENT, "timeout " + timeout + ": expected a positive time");
        }
        this.timeout = timeout;
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

    private static Duration lesser(Duration one, Duration other) {
        return one.compareTo(other) <= 0 ? one : other;
    }

    Duration timeout() {
        return timeout;
    }

    /**
     * How long a call may take that begins now.
     *
     * @param operation its name, for errors
     * @return nanoseconds, positive
     * @throws ZipException with code DEADLINE if nothing is left
     */
    long forCall(GroupCommunicator communicator, String operation) {
        long leftNs = leftNs();
        if (leftNs <= 0) {
            throw communicator.refusal(ErrorCode.DEADLINE, operation, NOTHING_LEFT + leftNs / 1_000_000 + " ms");
        }
        return leftNs;
    }

    /** As {@link #forCall} for a collective: if nothing is left, the other members are told. */
    public long forCollective(GroupCommunicator communicator, Object operation) {
        long leftNs = leftNs();
        if (leftNs <= 0) {
            throw communicator.refuseCollective(
                    ErrorCode.DEADLINE, operation.toString(), NOTHING_LEFT + leftNs / 1_000_000 + " ms");
        }
        return leftNs;
    }

    /** How long a call may take that has to be made in any case. */
    long forEnding() {
        return Math.max(1, leftNs());
    }

    private long leftNs() {
        return remaining == null ? nanos(timeout) : nanos(lesser(timeout, remaining.get()));
    }

    /** Longer than 292 years is that. */
    private static long nanos(Duration time) {
        return time.compareTo(LONGEST) > 0 ? Long.MAX_VALUE / 2 : time.toNanos();
    }

    private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 2);
}
