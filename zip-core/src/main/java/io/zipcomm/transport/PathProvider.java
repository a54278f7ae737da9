package io.zipcomm.transport;

import java.util.List;
import java.util.Optional;

/**
 * What a transport module says of itself before anything is opened. Asking loads no native code, opens nothing and never
 * throws.
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

    /** One line on what it would use here, such as the socket implementation. Never throws. */
    String details();
}
