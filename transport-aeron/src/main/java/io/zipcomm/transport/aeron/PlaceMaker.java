package io.zipcomm.transport.aeron;

import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Transport;

/** Makes a rank's {@link HostPlace} in the background. */
final class PlaceMaker extends Maker<HostPlace> {

    private PlaceMaker(Source<HostPlace> source, Transport base) {
        super(source, base);
    }

    /**
     * Begins to make a place.
     *
     * @param base woken up when there is an outcome
     */
    static PlaceMaker start(
            SharedDirectory shared, GroupView view, Neighbours neighbours, ZipSettings settings, Transport base) {
        PlaceMaker maker =
                new PlaceMaker(cancelled -> HostPlace.make(shared, view, neighbours, settings, cancelled), base);
        maker.start("zip-aeron-start-" + view.rank());
        return maker;
    }

    /** The place; null if there is none, and then {@link #problem} says why. */
    HostPlace place() {
        return made();
    }
}
