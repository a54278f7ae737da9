package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.concurrent.CompletableFuture;

/** What all event loops of a relay share: settings as they are now, counts, and whether it drains. Any thread. */
final class RelayState {

    private final Counters counters = new Counters();
    private final Tenants tenants = new Tenants();
    private final Gate gate = new Gate(this);
    private final Tickets tickets = new Tickets();
    private final CompletableFuture<Void> drained = new CompletableFuture<>();
    private volatile RelaySettings settings;
    private volatile Admission admission;
    private volatile boolean draining;

    RelayState(RelaySettings settings) {
        this.settings = settings;
        admission = new Admission(settings);
    }

    RelaySettings settings() {
        return settings;
    }

    Admission admission() {
        return admission;
    }

    Counters counters() {
        return counters;
    }

    Tenants tenants() {
        return tenants;
    }

    Gate gate() {
        return gate;
    }

    Tickets tickets() {
        return tickets;
    }

    /**
     * Whether {@link #reload} may be called with these settings.
     *
     * @throws ZipException with code BAD_SETTING if it may not
     */
    void checkReload(RelaySettings fresh) {
        if (fresh.keys().isPresent() != settings.keys().isPresent()) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    "relay option " + RelayOption.INSECURE.key() + " does not change while the relay runs");
        }
    }

    /** Takes over what may change while the relay runs. */
    synchronized void reload(RelaySettings fresh) {
        checkReload(fresh);
        RelaySettings merged = settings.reloaded(fresh);
        admission = new Admission(merged);
        settings = merged;
    }

    boolean draining() {
        return draining;
    }

    void drain() {
        draining = true;
    }

    /** Done when the relay drains and has no session any more. */
    CompletableFuture<Void> drained() {
        return drained;
    }

    /** To be called when a session has ended, and once when every event loop knows that the relay drains. */
    void checkDrained() {
        if (draining && counters.sessions.get() == 0) {
            drained.complete(null);
        }
    }
}
