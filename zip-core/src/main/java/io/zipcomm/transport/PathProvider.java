package io.zipcomm.transport;

import java.util.List;
import java.util.Optional;

/**
 * What a transport module says of itself before anything is opened. Asking opens nothing and never throws, and unless it is said
 * below it loads no native code.
 */
public interface PathProvider {

    /** The kinds of path that this module opens, best first. */
    List<Capabilities> capabilities();

    /**
     * Why this module cannot be used here. Never throws.
     *
     * @return empty if it can
     */
    Optional<String> unavailabilityReason();

    /**
     * Why this module cannot be used here, found out by trying. May load native code, and take some hundred milliseconds: for
     * people who ask, not for processes that join. Never throws.
     *
     * @return empty if it can; by default what {@link #unavailabilityReason()} says
     */
    default Optional<String> failureWhenTried() {
        return unavailabilityReason();
    }

    /**
     * One line on what it would use here, such as the socket implementation. As {@link #failureWhenTried()} it may load native
     * code and take its time. Never throws.
     */
    String details();

    /**
     * Drops what this module keeps from one join to the next, as sessions of TLS. Nothing is open. Any thread. By default there is
     * nothing to drop.
     */
    default void forgetCached() {}
}
