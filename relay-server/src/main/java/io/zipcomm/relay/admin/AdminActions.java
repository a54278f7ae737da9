package io.zipcomm.relay.admin;

import io.zipcomm.error.ZipException;

/** What the daemon does when its operator says so. Called by the thread of the {@link AdminServer}. */
public interface AdminActions {

    /** Begins to end: no new sessions. Does not wait. Further calls change nothing. */
    void drain();

    /**
     * Reads keys and limits again.
     *
     * @throws ZipException if they are wrong; then the old ones stay
     */
    void reload();
}
