package io.zipcomm.transport.tcp;

import java.io.IOException;

/** The way to the relay is closed for a reason that will not go away while a rank waits. */
final class RelayRefusal extends IOException {

    private static final long serialVersionUID = 1;

    RelayRefusal(String reason) {
        super(reason);
    }

    RelayRefusal(String reason, Exception cause) {
        super(reason, cause);
    }
}
