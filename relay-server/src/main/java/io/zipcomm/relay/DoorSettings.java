package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What connections may be wrapped in on their way into the relay; see {@link RelayOption} for the meanings.
 *
 * @param tlsCert       chain of the relay's certificate; empty for no TLS
 * @param tlsKey        its key
 * @param tlsClientCa   authorities of the certificates that ranks must have; empty if they need none
 * @param tlsRequired   whether connections without TLS are refused; they are where ranks must have certificates
 * @param webSocketPath where WebSockets are opened
 */
public record DoorSettings(
        Optional<Path> tlsCert,
        Optional<Path> tlsKey,
        Optional<Path> tlsClientCa,
        boolean tlsRequired,
        String webSocketPath) {

    /** Checks that what belongs together is there together. */
    public DoorSettings {
        if (tlsCert.isPresent() != tlsKey.isPresent()) {
            throw bad("tls-cert and tls-key go together");
        }
        if (tlsCert.isEmpty() && (tlsClientCa.isPresent() || tlsRequired)) {
            throw bad((tlsRequired ? "tls-required" : "tls-client-ca") + " needs tls-cert and tls-key");
        }
        if (tlsClientCa.isPresent() && !tlsRequired) {
            throw bad("tls-client-ca needs tls-required: who comes without TLS shows no certificate");
        }
        if (!webSocketPath.startsWith("/")) {
            throw bad("websocket-path is '" + webSocketPath + "': expected a path that begins with /");
        }
    }

    private static ZipException bad(String problem) {
        return new ZipException(ErrorCode.BAD_SETTING, "relay option " + problem);
    }
}
