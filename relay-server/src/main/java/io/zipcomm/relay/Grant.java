package io.zipcomm.relay;

/**
 * What a token allows its bearer beyond the place that it names. Limits of the relay hold beside it; 0 is no limit.
 *
 * @param pattern               session, or the beginning of names, for which the token is; empty without a token
 * @param sessionsMax           sessions at a time under that pattern
 * @param ranksMax              ranks in a session
 * @param bytesPerSecond        from one rank
 * @param sessionBytesPerSecond from all ranks of a session
 */
record Grant(String pattern, int sessionsMax, int ranksMax, long bytesPerSecond, long sessionBytesPerSecond) {

    /** Of a relay that admits everybody. */
    static final Grant UNLIMITED = new Grant("", 0, 0, 0, 0);
}
