package io.zipcomm.relay.admin;

import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelayOption;
import java.util.Set;

/** What the daemon does when its operator says so. Called by the thread of the {@link AdminServer}. */
public interface AdminActions {

    /** Begins to end: no new sessions. Does not wait. Further calls change nothing. */
    void drain();

    /**
     * Reads keys and limits again.
     *
     * @return what has changed and takes a restart
     * @throws ZipException if they are wrong; then the old ones stay
     */
    Set<RelayOption> reload();
}
