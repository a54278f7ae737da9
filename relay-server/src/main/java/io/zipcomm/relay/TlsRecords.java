package io.zipcomm.relay;

import io.netty.handler.ssl.SslHandler;
import io.zipcomm.relay.route.Unwrapper;
import javax.net.ssl.SSLEngine;

/** TLS of one connection. What it keeps is at most a record, of 16 KiB and a little. */
final class TlsRecords extends SslHandler implements Unwrapper {

    TlsRecords(SSLEngine engine) {
        super(engine);
    }

    @Override
    public long keptBytes() {
        return internalBuffer().capacity();
    }
}
