package io.zipcomm.relay;

import io.zipcomm.wire.proto.Ping;
import io.zipcomm.wire.proto.PunchAt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Has pairs of ranks open connections to each other at the same instant, so that the first packets of both cross on their
 * way and find the NAT of the other side open. Measures how far away each of them is, since what it tells them arrives by
 * half a round trip later. Event loop only.
 */
final class Punches {

    /** Pairs of one session that are told or about to be; what goes beyond is told to ask again by no answer. */
    static final int PAIRS_MAX = 16_384;

    /** A pair that was told is busy for so long; that the other side asks too is no reason to begin anew. */
    private static final long BUSY_NS = TimeUnit.SECONDS.toNanos(2);

    /** A round trip that was measured longer ago is measured again. */
    private static final long FRESH_NS = TimeUnit.SECONDS.toNanos(2);

    /** Without an answer to the measurement there is nothing to agree on. */
    private static final long ANSWER_NS = TimeUnit.SECONDS.toNanos(3);

    /** Given to both to prepare, beyond the time that the message takes to the one that is farther away. */
    private static final long LEAD_NS = TimeUnit.MILLISECONDS.toNanos(5);

    /** Pairs that are over are looked for no more often, however many want to be added. */
    private static final long CLEAR_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Map<Long, Pair> pairs = new HashMap<>();
    private long pings;
    private long clearedNs;

    /** Those of one session that opens now. */
    Punches(long nowNs) {
        clearedNs = nowNs;
    }

    /** Two ranks. */
    private static final class Pair {
        final Member low;
        final Member high;
        final long askedNs;
        long toldNs;
        boolean told;

        /** When both begin, and how far they are from each other. */
        long atNs;

        long roundTripNs;

        Pair(Member low, Member high, long askedNs) {
            this.low = low;
            this.high = high;
            this.askedNs = askedNs;
        }

        boolean isOver(long nowNs) {
            return low.gone || high.gone || (told ? nowNs - toldNs > BUSY_NS : nowNs - askedNs > ANSWER_NS);
        }
    }

    /** A rank's distance. */
    static final class Distance {
        private long pingNumber;
        private long pingNs;
        private long measuredNs;
        private long roundTripNs = -1;

        private boolean isFresh(long nowNs) {
            return roundTripNs >= 0 && nowNs - measuredNs < FRESH_NS;
        }
    }

    /** A rank wants a connection to another. */
    void wanted(Member from, Member to, int epoch, long nowNs) {
        Member low = from.rank < to.rank ? from : to;
        Member high = low == from ? to : from;
        long key = (long) low.rank << Integer.SIZE | high.rank;
        Pair known = pairs.get(key);
        if (known != null && !known.isOver(nowNs)) {
            if (known.told) {
                // It asks though it was told: before it could hear, perhaps. The other one is at it.
                tellAgain(known, from, epoch, nowNs);
            }
            return;
        }
        if (pairs.size() >= PAIRS_MAX && nowNs - clearedNs > CLEAR_NS) {
            clearedNs = nowNs;
            pairs.values().removeIf(pair -> pair.isOver(nowNs));
        }
        if (pairs.size() >= PAIRS_MAX) {
            return;
        }
        Pair pair = new Pair(low, high, nowNs);
        pairs.put(key, pair);
        measure(low, nowNs);
        measure(high, nowNs);
        tell(pair, epoch, nowNs);
    }

    private void measure(Member member, long nowNs) {
        Distance distance = member.distance;
        boolean asked = distance.pingNumber != 0 && nowNs - distance.pingNs < ANSWER_NS;
        if (!distance.isFresh(nowNs) && !asked) {
            distance.pingNumber = ++pings;
            distance.pingNs = nowNs;
            member.control.send(ControlWriter.message(
                    Ping.newBuilder().setNumber(distance.pingNumber).build()));
        }
    }

    /** A rank has answered a measurement. */
    void answered(Member from, long number, int epoch, long nowNs) {
        Distance distance = from.distance;
        if (number != distance.pingNumber || number == 0) {
            return;
        }
        distance.pingNumber = 0;
        distance.measuredNs = nowNs;
        distance.roundTripNs = nowNs - distance.pingNs;
        List<Pair> waiting = new ArrayList<>();
        for (Iterator<Pair> all = pairs.values().iterator(); all.hasNext(); ) {
            Pair pair = all.next();
            if (pair.isOver(nowNs)) {
                all.remove();
            } else if (!pair.told && (pair.low == from || pair.high == from)) {
                waiting.add(pair);
            }
        }
        waiting.forEach(pair -> tell(pair, epoch, nowNs));
    }

    private static void tell(Pair pair, int epoch, long nowNs) {
        Distance low = pair.low.distance;
        Distance high = pair.high.distance;
        if (!low.isFresh(nowNs) || !high.isFresh(nowNs)) {
            return;
        }
        pair.told = true;
        pair.toldNs = nowNs;
        pair.atNs = nowNs + LEAD_NS + Math.max(low.roundTripNs, high.roundTripNs) / 2;
        pair.roundTripNs = low.roundTripNs + high.roundTripNs;
        tell(pair, pair.low, epoch, nowNs);
        tell(pair, pair.high, epoch, nowNs);
    }

    private static void tellAgain(Pair pair, Member member, int epoch, long nowNs) {
        if (member.distance.roundTripNs >= 0) {
            tell(pair, member, epoch, nowNs);
        }
    }

    private static void tell(Pair pair, Member member, int epoch, long nowNs) {
        long inNs = Math.max(0, pair.atNs - nowNs - member.distance.roundTripNs / 2);
        member.control.send(ControlWriter.message(PunchAt.newBuilder()
                .setEpoch(epoch)
                .setRank(member == pair.low ? pair.high.rank : pair.low.rank)
                .setInUs(inNs / 1000)
                .setRoundTripUs(pair.roundTripNs / 1000)
                .build()));
    }

    /** Pairs that are told or about to be. */
    int size() {
        return pairs.size();
    }
}
