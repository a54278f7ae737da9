package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Join;

/**
 * How long a rank, or those who join with it, wait for a group to begin.
 *
 * @param ms  the time
 * @param cut the relay's limit is less than what the rank wanted
 */
record JoinTimeout(long ms, boolean cut) {

    static JoinTimeout of(Join join, RelaySettings settings) {
        long ms = Math.min(join.getJoinTimeoutMs(), settings.joinTimeoutMax().toMillis());
        return new JoinTimeout(ms, ms < join.getJoinTimeoutMs());
    }

    /**
     * It is over.
     *
     * @param reason the facts, as a phrase
     */
    Refusal refusal(String reason) {
        return cut
                ? new Refusal(
                        ErrorCode.JOIN_TIMEOUT,
                        reason + " (" + RelayOption.JOIN_TIMEOUT_MAX.key() + ")",
                        RelayOption.JOIN_TIMEOUT_MAX)
                : new Refusal(ErrorCode.JOIN_TIMEOUT, reason);
    }
}
