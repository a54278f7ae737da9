package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;

/**
 * Why a communicator is of no use though it was not closed.
 *
 * @param kind    what has happened
 * @param culprit world rank of who did it
 * @param reason  as a phrase
 */
record Ending(Kind kind, int culprit, String reason) {

    /** What has happened; a later one takes the place of those before it. */
    enum Kind {
        /** A member revoked it: agreements go on, and the group may go on to its next epoch. */
        REVOKED(ErrorCode.REVOKED),
        /** This rank goes on to the next epoch, or is there. */
        LEFT_BEHIND(ErrorCode.REVOKED),
        /** This rank is no member any more. */
        EXPELLED(ErrorCode.EXPELLED);

        private final ErrorCode code;

        Kind(ErrorCode code) {
            this.code = code;
        }
    }

    /**
     * The relay has given this rank's place away.
     *
     * @param self   its rank
     * @param reason the relay's, as a phrase
     */
    static Ending expelled(int self, String reason) {
        return new Ending(Kind.EXPELLED, self, "the group has given this rank's place away: " + reason);
    }

    ErrorCode code() {
        return kind.code;
    }

    /** Whether this says more than one before it; null for none. */
    boolean replaces(Ending other) {
        boolean later = other == null || kind.compareTo(other.kind) > 0;
        return later || (kind == Kind.LEFT_BEHIND && other.kind == kind);
    }

    /** Whether an operation ends by this. */
    boolean concerns(Operation operation) {
        return kind != Kind.REVOKED || !operation.outlivesRevocation();
    }
}
