package io.zipcomm.internal;

/**
 * What a rank tells the rest of its group beside the data: through the relay in real groups. Any thread. Nothing blocks but
 * {@link #leave} and {@link #close}.
 */
public interface ControlPlane extends AutoCloseable {

    /**
     * A collective failed here; the others must not wait.
     *
     * @param context communicator
     * @param code    number of an {@link io.zipcomm.error.ErrorCode}
     * @param culprit world rank that caused the failure, or -1
     * @param reason  as a phrase
     */
    void abort(int context, int code, int culprit, String reason);

    /**
     * The connection to a peer broke: asks for the verdict, and tells the peer if it is there.
     *
     * @param rank   world rank of the peer
     * @param detail as a phrase
     */
    void suspect(int rank, String detail);

    /**
     * Asks the relay to have this rank and a peer open a connection to each other at the same instant. The answer, if there
     * is one, is {@link Listener#punchAt}; the peer hears it, too.
     *
     * @param rank world rank of the peer
     */
    void punch(int rank);

    /**
     * Asks for an answer of the relay: {@link Listener#relayAnswered} comes behind all that the relay has to say now, unless
     * the control connection ends.
     */
    void ask();

    /**
     * A communicator is of no use any more; all other members are told.
     *
     * @param context communicator; 0, the world's, for all of the group
     * @param reason  as a phrase
     */
    void revoke(int context, String reason);

    /**
     * Says this rank's part of an agreement. The answer is {@link Listener#agreed}, the same for all members.
     *
     * @param context   communicator
     * @param members   its members as world ranks, in ascending order; empty for the world
     * @param number    of the agreement on this communicator, from 1
     * @param value     this rank's part
     * @param timeoutMs after which the first to come wants an answer
     */
    void agree(int context, int[] members, int number, boolean value, long timeoutMs);

    /**
     * This rank leaves cleanly; nothing else may be said afterwards. Blocks until that has been heard, for one second at most,
     * or until the thread is interrupted, whose flag stays set.
     *
     * @param answerNs how long it may block, if that is less
     */
    void leave(long answerNs);

    /** Ends the connection when what was said is on its way, or after a second. Blocks for two seconds at most. */
    @Override
    void close();

    /** What a group tells a rank. Called on any thread; must not block. */
    interface Listener {

        /** Why a member is gone. */
        enum Cause {
            /** It left cleanly. */
            LEFT,
            /** Its connection broke. */
            LOST,
            /** Its heartbeats stopped. */
            SILENT,
            /** It broke the protocol or a limit. */
            EXPELLED
        }

        /**
         * A member is gone.
         *
         * @param rank   world rank
         * @param cause  why
         * @param detail as a phrase
         */
        void memberGone(int rank, Cause cause, String detail);

        /**
         * A collective failed at a member.
         *
         * @param context communicator
         * @param rank    world rank where it failed
         * @param code    number of an {@link io.zipcomm.error.ErrorCode}
         * @param culprit world rank that caused the failure, or -1
         * @param reason  as a phrase
         */
        void aborted(int context, int rank, int code, int culprit, String reason);

        /**
         * A peer says that its connection to this rank broke.
         *
         * @param rank   world rank of the peer
         * @param detail as a phrase
         */
        void suspectedBy(int rank, String detail);

        /**
         * Both ends of a pair are to open a connection to each other at one instant.
         *
         * @param rank        world rank of the peer
         * @param atNs        the instant, on the engine's clock
         * @param roundTripNs from one end through the relay to the other and back
         */
        void punchAt(int rank, long atNs, long roundTripNs);

        /**
         * A member revoked a communicator.
         *
         * @param context communicator; 0, the world's, for all of the group
         * @param rank    world rank of the member
         * @param reason  as a phrase
         */
        void revoked(int context, int rank, String reason);

        /**
         * An agreement is over. All members hear the same.
         *
         * @param context communicator
         * @param leader  lowest member of the communicator, as world rank
         * @param number  of the agreement on this communicator
         * @param value   whether all who took part said true
         * @param failed  members that were gone, as world ranks
         * @param missing living members that had not come when its time was over; if there are any, nothing was agreed
         */
        void agreed(int context, int leader, int number, boolean value, int[] failed, int[] missing);

        /**
         * The data connection has ended as the relay sees it. This end may see nothing of that.
         *
         * @param number of the data connection, as the relay counts them
         * @param reason as a phrase
         */
        void detached(int number, String reason);

        /**
         * The relay was started again, and takes the group up: it knows of no data connection.
         *
         * @param timeoutNs how long it may wait for the other members
         */
        void relayRestarted(long timeoutNs);

        /** The control connection is there: after {@link #relayRestarted} the relay lets this rank attach from now on. */
        default void relayRestored() {}

        /** The relay has answered {@link ControlPlane#ask}. */
        void relayAnswered();

        /**
         * The group has given this rank's place away. Nothing else is told afterwards.
         *
         * @param reason as a phrase
         */
        void expelled(String reason);

        /**
         * Another epoch has begun: for who is not on its way there it is as {@link #expelled}. Nothing else is told afterwards.
         *
         * @param reason as a phrase
         */
        default void epochOver(String reason) {
            expelled(reason);
        }

        /** The control connection is gone for good: no further verdicts. */
        void controlLost(String reason);
    }
}
