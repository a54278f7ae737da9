package io.zipcomm.bench.cluster;

/** A relay at which groups on this machine meet. */
interface GroupSource {

    /** What the ranks of a new session are to be told. */
    GroupEnvironment newGroup(String name, int size, String transport);
}
