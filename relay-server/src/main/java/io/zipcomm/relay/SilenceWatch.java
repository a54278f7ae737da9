package io.zipcomm.relay;

import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Ping;
import java.util.concurrent.TimeUnit;

/** Looks whether a rank takes what it is told, and says anything itself. Event loop only. */
final class SilenceWatch {
    private SilenceWatch() {}

    /**
     * Looks at a rank, and gives it up if it is not there.
     *
     * @param relayWasPaused what the rank said in the meantime may still have to be read
     * @param speaks         whether it has anything to say at all
     * @return whether anything came on its data connection
     */
    static boolean look(Member member, Shard shard, long nowNs, boolean relayWasPaused, boolean speaks) {
        long slowNs = shard.settings().limits().slowConsumerTimeout().toNanos();
        if (member.control.standsStill(nowNs, slowNs, relayWasPaused)) {
            member.exceeded(RelayOption.SLOW_CONSUMER_TIMEOUT, "does not read its control connection");
            return false;
        }
        if (member.hasOpenData()) {
            member.data.look(nowNs, relayWasPaused);
        }
        boolean heard = member.data != null && member.data.takeHeard();
        if (heard || relayWasPaused) {
            member.heardNs = nowNs;
        }
        if (speaks) {
            lookForSilence(member, shard, nowNs);
        }
        return heard;
    }

    private static void lookForSilence(Member member, Shard shard, long nowNs) {
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
}
