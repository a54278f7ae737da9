package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.ForwardCounters;
import io.zipcomm.wire.proto.MemberGone;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** What {@link RelayStats} is read from. Any thread. */
final class Counters {

    final AtomicInteger connections = new AtomicInteger();
    final AtomicInteger sessions = new AtomicInteger();
    final AtomicInteger ranks = new AtomicInteger();
    final LongAdder sessionsOpened = new LongAdder();
    final LongAdder groupsCompleted = new LongAdder();
    final ForwardCounters forwarded = new ForwardCounters();

    private final Map<MemberGone.Cause, LongAdder> gone = adders(MemberGone.Cause.class);
    private final Map<ErrorCode, LongAdder> refusals = adders(ErrorCode.class);

    private static <E extends Enum<E>> Map<E, LongAdder> adders(Class<E> type) {
        Map<E, LongAdder> adders = new EnumMap<>(type);
        for (E key : type.getEnumConstants()) {
            adders.put(key, new LongAdder());
        }
        return adders;
    }

    /** Takes one more of something of which there may be only so many; false if there are as many already. */
    static boolean takeOne(AtomicInteger counter, int max) {
        if (counter.incrementAndGet() <= max) {
            return true;
        }
        counter.decrementAndGet();
        return false;
    }

    void refused(ErrorCode code) {
        refusals.get(code).increment();
    }

    void gone(MemberGone.Cause cause) {
        gone.get(cause).increment();
    }

    RelayStats stats() {
        Map<ErrorCode, Long> refused = new EnumMap<>(ErrorCode.class);
        refusals.forEach((code, count) -> {
            if (count.sum() > 0) {
                refused.put(code, count.sum());
            }
        });
        return new RelayStats(
                connections.get(),
                sessions.get(),
                ranks.get(),
                sessionsOpened.sum(),
                groupsCompleted.sum(),
                forwarded.frames.sum(),
                forwarded.bytes.sum(),
                forwarded.framesDropped.sum(),
                forwarded.hubOperationsBegun.sum(),
                forwarded.hubBytesIn.sum(),
                forwarded.wireBytesIn.sum(),
                forwarded.wireBytesOut.sum(),
                forwarded.bytesWaiting.sum(),
                goneSum(MemberGone.Cause.LEFT),
                goneSum(MemberGone.Cause.LOST) + goneSum(MemberGone.Cause.SILENT),
                goneSum(MemberGone.Cause.EXPELLED),
                refused);
    }

    private long goneSum(MemberGone.Cause cause) {
        return gone.get(cause).sum();
    }
}
