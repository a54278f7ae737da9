package io.zipcomm.transport;

import io.zipcomm.settings.ZipSettings;
import java.util.List;
import java.util.Optional;

/** Entry point of a module with a {@link DirectTransport}, found by {@link java.util.ServiceLoader}. */
public interface DirectTransportProvider extends PathProvider {

    /**
     * Whether the settings ask for what this module opens. Never throws.
     *
     * @param settings of the process
     * @return false if it is not to be opened; by default true if {@code ZIP_TRANSPORT} accepts one of its kinds of path
     */
    default boolean isWanted(ZipSettings settings) {
        return capabilities().stream().anyMatch(one -> settings.transport().accepts(one.path()));
    }

    /**
     * As {@link #failureWhenTried()}, of what some settings ask for.
     *
     * @param settings that want it
     */
    default Optional<String> failureWhenTried(ZipSettings settings) {
        return failureWhenTried();
    }

    /**
     * What it would open, if there is more than one thing of that kind, in a few words. As {@link #failureWhenTried()} it may load
     * native code and take its time. Never throws.
     *
     * @param settings that want it
     * @return empty if there is nothing to choose
     */
    default Optional<String> choice(ZipSettings settings) {
        return Optional.empty();
    }

    /**
     * Opens the transport for one process of one group, or several, of which the ranks use what they have in common. Connects
     * to nobody. Takes milliseconds; where native libraries have to be loaded and devices opened, some hundred of them.
     *
     * @param settings of the process
     * @param base     what it stands beside: counts for it, and sleeps for it
     * @return open transports, best first; the caller closes them, before the base
     * @throws io.zipcomm.error.ZipException with code BAD_SETTING if what the settings name cannot be used, such as a
     *     directory for shared memory; CANCELLED if the thread is interrupted, whose flag stays set
     */
    List<DirectTransport> open(ZipSettings settings, Transport base);
}
