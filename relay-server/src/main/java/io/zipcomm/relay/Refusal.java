package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;

/** Why the relay says no. Methods that may refuse return null where they do not. */
record Refusal(ErrorCode code, String reason) {

    @Override
    public String toString() {
        return code + ": " + reason;
    }
}
