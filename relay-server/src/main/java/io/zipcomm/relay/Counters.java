package io.zipcomm.relay;

import io.netty.buffer.PoolArenaMetric;
import io.netty.buffer.PooledByteBufAllocator;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.ForwardCounters;
import io.zipcomm.wire.proto.MemberGone;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;

/** What {@link RelayStats} is read from. Any thread. */
final class Counters {

    final AtomicInteger connections = new AtomicInteger();
    final AtomicInteger handshakes = new AtomicInteger();

    /** Connections above a limit whose refusal is on its way. */
    final AtomicInteger surplus = new AtomicInteger();

    /** Bytes of control messages that wait, going out or coming in. */
    final LongAdder controlBytesWaiting = new LongAdder();

    final AtomicInteger sessions = new AtomicInteger();
    final AtomicInteger ranks = new AtomicInteger();
    final LongAdder sessionsOpened = new LongAdder();
    final LongAdder groupsCompleted = new LongAdder();
    final ForwardCounters forwarded = new ForwardCounters();

    /** Told how long each group took to be complete, and each session lived, in ns. Calls come from event loops. */
    volatile LongConsumer gatheringNs = ignored -> {};

    volatile LongConsumer sessionNs = ignored -> {};

    private final Map<RelayOption, LongAdder> limits = adders(RelayOption.class);
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

    void refused(Refusal refusal) {
        refusals.get(refusal.code()).increment();
        if (refusal.option() != null) {
            limitReached(refusal.option());
        }
    }

    /** Somebody was refused, expelled or slowed down for a limit. */
    void limitReached(RelayOption option) {
        limits.get(option).increment();
    }

    void gone(MemberGone.Cause cause) {
        gone.get(cause).increment();
    }

    /** The relay itself did something wrong. */
    void defect() {
        forwarded.defects.increment();
    }

    private static <E extends Enum<E>> Map<E, Long> sums(Class<E> type, Map<E, LongAdder> adders) {
        Map<E, Long> sums = new EnumMap<>(type);
        adders.forEach((key, count) -> {
            if (count.sum() > 0) {
                sums.put(key, count.sum());
            }
        });
        return sums;
    }

    RelayStats stats(boolean draining) {
        List<PoolArenaMetric> arenas = PooledByteBufAllocator.DEFAULT.metric().directArenas();
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
                forwarded.waitingMemory.sum(),
                forwarded.bytesUnderWay.sum(),
                controlBytesWaiting.sum(),
                goneSum(MemberGone.Cause.LEFT),
                goneSum(MemberGone.Cause.LOST) + goneSum(MemberGone.Cause.SILENT),
                goneSum(MemberGone.Cause.EXPELLED),
                sums(ErrorCode.class, refusals),
                sums(RelayOption.class, limits),
                handshakes.get(),
                surplus.get(),
                forwarded.hubOperations.sum(),
                forwarded.defects.sum(),
                draining,
                arenas.stream().mapToLong(PoolArenaMetric::numActiveAllocations).sum(),
                arenas.stream().mapToLong(PoolArenaMetric::numActiveBytes).sum());
    }

    private long goneSum(MemberGone.Cause cause) {
        return gone.get(cause).sum();
    }
}
