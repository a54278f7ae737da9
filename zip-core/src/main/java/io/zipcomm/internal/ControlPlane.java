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
     * This rank leaves cleanly; nothing else may be said afterwards. Blocks until that has been heard, for one second at most,
     * or until the thread is interrupted, whose flag stays set.
     */
    void leave();

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

        /** The control connection is gone: no further verdicts. */
        void controlLost(String reason);
    }
}
