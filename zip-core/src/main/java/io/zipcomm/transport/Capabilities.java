package io.zipcomm.transport;

/**
 * What one kind of path of a transport can do, known before anything is opened. What depends on the pair, such as the
 * longest frame, the {@link Path} itself says.
 *
 * @param path         name of the kind, as {@link Path#name} and {@code ZIP_TRANSPORT} have it
 * @param relayed      whether the relay carries the data: open at once to every member, and slower
 * @param crossesHosts whether it reaches members on other hosts
 * @param readsInPlace whether a payload is read straight into the buffer that was posted for it, if that is direct memory
 */
public record Capabilities(String path, boolean relayed, boolean crossesHosts, boolean readsInPlace) {

    @Override
    public String toString() {
        return (relayed ? "relayed" : "direct")
                + (crossesHosts ? ", any host" : ", this host only")
                + (readsInPlace ? ", reads in place" : "");
    }
}
