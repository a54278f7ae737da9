package io.zipcomm.simulation;

import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/** What the one who opened a connection said on it before it heard anything. */
final class Opening {

    /** More than anybody says there. */
    private static final int BYTES_MAX = 8 << 10;

    private final Host from;
    private final InetSocketAddress to;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    Opening(Host from, InetSocketAddress to) {
        this.from = from;
        this.to = to;
    }

    Host from() {
        return from;
    }

    InetSocketAddress to() {
        return to;
    }

    /** So far. */
    byte[] bytes() {
        return said.toByteArray();
    }

    void says(ByteBuffer bytes) {
        byte[] some = new byte[Math.min(bytes.remaining(), BYTES_MAX - said.size())];
        bytes.duplicate().get(some);
        said.writeBytes(some);
    }
}
