package io.zipcomm.relay;

import io.netty.handler.ssl.ClientAuth;
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

    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

    private final DoorSettings door;
    private final long lookNs;
    private SslContext context;
    private List<Long> stamps;
    private long lookedNs;

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
        stamps = stamps();
        lookedNs = System.nanoTime();
        context = read();
    }

    /** For a new connection. */
    synchronized SslContext context() {
        long nowNs = System.nanoTime();
        if (nowNs - lookedNs >= lookNs) {
            lookedNs = nowNs;
            List<Long> found = stamps();
            if (!found.equals(stamps)) {
                // Remembered even if it cannot be used: the next change may mend it.
                stamps = found;
                try {
                    context = read();
                    log.info("certificate {} read again", door.tlsCert().orElseThrow());
                } catch (ZipException e) {
                    log.error("the certificate stays as it was: {}", e.getMessage());
                }
            }
        }
        return context;
    }

    /**
     * Reads the files now. If that fails everything stays as it was.
     *
     * @throws ZipException with code BAD_SETTING that names the file
     */
    synchronized void reload() {
        List<Long> found = stamps();
        context = read();
        stamps = found;
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
            return builder.build();
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
}
