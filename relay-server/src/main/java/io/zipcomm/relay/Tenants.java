package io.zipcomm.relay;

import java.util.HashMap;
import java.util.Map;

/** Sessions at a time by the pattern of the tokens that opened them, with a quota or without. Any thread. */
final class Tenants {

    private final Map<String, Integer> sessions = new HashMap<>();

    /** Counts a session that is opened under a grant; false if there are as many already as that allows. */
    synchronized boolean open(Grant grant) {
        int open = sessions.getOrDefault(grant.pattern(), 0);
        if (grant.sessionsMax() > 0 && open >= grant.sessionsMax()) {
            return false;
        }
        sessions.put(grant.pattern(), open + 1);
        return true;
    }

    /** The session has ended. */
    synchronized void ended(Grant grant) {
        sessions.computeIfPresent(grant.pattern(), (pattern, open) -> open == 1 ? null : open - 1);
    }
}
