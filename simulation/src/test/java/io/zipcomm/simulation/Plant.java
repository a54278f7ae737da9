package io.zipcomm.simulation;

import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.wire.proto.ToRank;

/** A defect that is planted between the real parts, to see that the checks find it. By itself it plants nothing. */
interface Plant {

    /** Nothing is planted. */
    Plant NONE = new Plant() {};

    /** What a process hears of what the relay says to it. */
    default ToRank heard(Host host, ToRank message) {
        return message;
    }

    /** A process's path to a peer through the relay; asked once for each. */
    default Path relayed(Host host, int epoch, Path path) {
        return path;
    }

    /** Who is told of the paths of a process. */
    default PathEvents events(Host host, PathEvents events) {
        return events;
    }
}
