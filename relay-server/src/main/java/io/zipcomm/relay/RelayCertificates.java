package io.zipcomm.relay;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The relay's certificate, and whom it takes certificates from. The files are read again when they have changed; connections
 * that are there keep what they have. Any thread.
 */
final class RelayCertificates {

    private static final Logger log = LoggerFactory.getLogger(RelayCertificates.class);

    /** Time between looks whether a file has changed. */
    private static final long LOOK_NS = TimeUnit.SECONDS.toNanos(10);

    /** No older one: in TLS 1.2 a client may begin handshake after handshake on one connection, past all limits of those. */
    private static final String[] PROTOCOLS = {"TLSv1.3"};

    private final DoorSettings door;
    private final long lookNs;
    private Loaded loaded;
    private long lookedNs;

    /**
     * What was in the files.
     *
     * @param stamps when they were changed
     */
    record Loaded(SslContext context, List<Long> stamps) {}

    RelayCertificates(DoorSettings door) {
        this(door, LOOK_NS);
    }

    /**
     * Reads the files.
     *
     * @param lookNs time between looks whether a file has changed
     */
    RelayCertificates(DoorSettings door, long lookNs) {
        this.door = door;
        this.lookNs = lookNs;
        lookedNs = System.nanoTime();
        loaded = load();
    }

    /** For a new connection. */
    synchronized SslContext context() {
        long nowNs = System.nanoTime();
        if (nowNs - lookedNs >= lookNs) {
            lookedNs = nowNs;
            List<Long> found = stamps();
            if (!found.equals(loaded.stamps)) {
                try {
                    take(load());
                } catch (ZipException e) {
                    // Remembered though it cannot be used: the next change may mend it.
                    loaded = new Loaded(loaded.context, found);
                    log.error("the certificate stays as it was: {}", e.getMessage());
                }
            }
        }
        return loaded.context;
    }

    /**
     * Reads the files now; {@link #take} puts what they have to use.
     *
     * @throws ZipException with code BAD_SETTING that names the file, or those that do not fit together
     */
    Loaded load() {
        List<Long> stamps = stamps();
        return new Loaded(read(), stamps);
    }

    /** Connections that come from now on get this. */
    synchronized void take(Loaded fresh) {
        loaded = fresh;
        log.info("certificate {} read again", door.tlsCert().orElseThrow());
    }

    private List<Long> stamps() {
        List<Long> found = new ArrayList<>();
        for (Optional<Path> file : List.of(door.tlsCert(), door.tlsKey(), door.tlsClientCa())) {
            try {
                found.add(
                        file.isEmpty()
                                ? 0
                                : Files.getLastModifiedTime(file.get()).toMillis());
            } catch (IOException e) {
                // Reading it will say what is wrong with it.
                found.add(-1L);
            }
        }
        return found;
    }

    private SslContext read() {
        Path certificate = door.tlsCert().orElseThrow();
        Path key = door.tlsKey().orElseThrow();
        try {
            SslContextBuilder builder = SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                    .sslProvider(SslProvider.JDK)
                    .protocols(PROTOCOLS);
            if (door.tlsClientCa().isPresent()) {
                builder.trustManager(door.tlsClientCa().get().toFile()).clientAuth(ClientAuth.REQUIRE);
            }
            JdkSslContext built = (JdkSslContext) builder.build();
            rehearse(built, certificate, key);
            return built;
        } catch (SSLException | IllegalArgumentException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    "the relay's certificate " + certificate + ", its key " + key
                            + door.tlsClientCa()
                                    .map(ca -> " or the authorities " + ca)
                                    .orElse("")
                            + " cannot be used: " + cause,
                    e);
        }
    }

    private static void rehearse(JdkSslContext built, Path certificate, Path key) {
        try {
            TlsRehearsal.run(built, PROTOCOLS);
        } catch (SSLException e) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    "the relay's certificate " + certificate + " and its key " + key
                            + " do not fit together: a handshake with them fails, " + e.getMessage(),
                    e);
        }
    }
}
