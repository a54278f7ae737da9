package io.zipcomm.relay;

import io.zipcomm.relay.route.RateLimit;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** How much the ranks of one session may have forwarded and say, by the relay's settings and their tokens. Event loop only. */
final class SessionRates {

    /** Bytes of so much time may be forwarded at once under a rate. */
    private static final long BURST_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Shard shard;

    /** Bytes each second from all ranks together to be forwarded. */
    private final RateLimit all;

    /** The least that the token of a rank with which the epoch began allows them; 0 for no limit. */
    private long grantedBytesPerSecond;

    SessionRates(Shard shard) {
        this.shard = shard;
        all = unlimited();
    }

    private RateLimit unlimited() {
        return new RateLimit(0, BURST_NS, shard.nanoTime());
    }

    /** Of all ranks together. */
    RateLimit all() {
        return all;
    }

    /** For a rank that is about to come, and has no limit yet. */
    RateLimit ofOneMore() {
        return unlimited();
    }

    /** An epoch begins with these. */
    void begin(List<Member> ranks) {
        grantedBytesPerSecond = 0;
        for (Member member : ranks) {
            grantedBytesPerSecond = lower(grantedBytesPerSecond, member.grant.sessionBytesPerSecond());
        }
        limitAll();
    }

    /** Limits have changed, or the rank is new. */
    void limit(Member member) {
        RelayLimits limits = shard.settings().limits();
        member.rate.perSecond(lower(limits.rankBytesPerSecond(), member.grant.bytesPerSecond()), shard.nanoTime());
        member.messages.perSecond(limits.controlMessagesPerSecond(), shard.nanoTime());
    }

    /** Limits have changed. */
    void limitAll() {
        all.perSecond(
                lower(shard.settings().limits().sessionBytesPerSecond(), grantedBytesPerSecond), shard.nanoTime());
    }

    /** The lower of two limits; 0 is none. */
    private static long lower(long one, long other) {
        return one == 0 || other == 0 ? Math.max(one, other) : Math.min(one, other);
    }
}
