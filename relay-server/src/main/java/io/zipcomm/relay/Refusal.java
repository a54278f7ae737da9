package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;

/**
 * Why the relay says no. Methods that may refuse return null where they do not.
 *
 * @param option whose limit is reached; null if the reason is another
 */
record Refusal(ErrorCode code, String reason, RelayOption option) {

    /** For a reason that is no limit of the relay's own. */
    Refusal(ErrorCode code, String reason) {
        this(code, reason, null);
    }

    /**
     * A limit is reached.
     *
     * @param option sets the limit; its name is put behind the reason
     * @param reason the facts, as a phrase
     */
    static Refusal limit(RelayOption option, String reason) {
        return new Refusal(ErrorCode.LIMIT, reason + " (" + option.key() + ")", option);
    }

    @Override
    public String toString() {
        return code + ": " + reason;
    }
}
