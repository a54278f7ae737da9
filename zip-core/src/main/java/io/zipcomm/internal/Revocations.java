package io.zipcomm.internal;

import java.util.Collection;
import java.util.List;

/** Which communicators have ended before they were closed. Engine holder only. */
final class Revocations {

    /** In place of the reason of a program that gives none. */
    static final String NO_REASON = "";

    private final Engine engine;
    private final Collection<GroupCommunicator> open;
    private final EarlyNews<Ending> early = new EarlyNews<>();

    /** What has ended all of them; null if nothing has. */
    private Ending all;

    /**
     * @param open communicators of the engine, as they come and go
     */
    Revocations(Engine engine, Collection<GroupCommunicator> open) {
        this.engine = engine;
        this.open = open;
    }

    /** A member says that a communicator is revoked. */
    void revoked(GroupCommunicator communicator, int context, int worldRank, String reason) {
        String what = context == 0 ? "the world" : "communicator " + context;
        Ending ending = new Ending(
                Ending.Kind.REVOKED,
                worldRank,
                "rank " + worldRank + " revoked " + what + (reason.isEmpty() ? "" : ": " + reason));
        if (context == 0) {
            endAll(ending);
        } else if (communicator == null && !engine.isClosed(context)) {
            early.add(context, worldRank, ending);
        } else if (communicator != null && communicator.contains(worldRank)) {
            communicator.end(ending);
        }
    }

    /** Everything ends. */
    void endAll(Ending ending) {
        if (ending.replaces(all)) {
            all = ending;
        }
        for (GroupCommunicator one : List.copyOf(open)) {
            one.end(ending);
        }
    }

    /** A communicator was opened: it may have been revoked before. */
    void opened(GroupCommunicator communicator) {
        for (int worldRank : communicator.worldRanks()) {
            Ending ending = early.take(communicator.context(), worldRank);
            if (ending != null) {
                communicator.end(ending);
            }
        }
        if (all != null) {
            communicator.end(all);
        }
    }

    /** Whether the world was revoked, at least. */
    boolean isWorldRevoked() {
        return all != null;
    }
}
