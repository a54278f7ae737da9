package io.zipcomm.transport.tcp;

import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.testkit.ConnectProxy;
import io.zipcomm.testkit.TestCertificates;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.stream.Stream;

/** A relay and how to get to it: plain or wrapped, straight or through a proxy. */
final class Way implements AutoCloseable {

    /** What there is. */
    enum Kind {
        ZIP,
        ZIPS,
        WS,
        WSS,
        PROXY_ZIP,
        PROXY_WSS;

        private String scheme() {
            String name = name().toLowerCase(Locale.ROOT);
            return name.substring(name.indexOf('_') + 1);
        }

        private boolean isTls() {
            return scheme().endsWith("s") && !scheme().equals("ws");
        }
    }

    final RelayServer relay;
    final ConnectProxy proxy;
    private final Kind kind;
    private final Path folder;
    private final TestCertificates certificates;

    /** What ranks connect to in place of the relay; null if there is nothing between. */
    private final Trickle trickle;

    private Way(Kind kind, RelaySettings.Builder settings, boolean inPieces) {
        this.kind = kind;
        try {
            folder = Files.createTempDirectory("zip-way");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        settings.listen("127.0.0.1:0").insecure(true);
        if (kind.isTls()) {
            certificates = new TestCertificates(folder);
            TestCertificates.Pair own = certificates.local("relay");
            settings.set(RelayOption.TLS_CERT, own.certificate().toString())
                    .set(RelayOption.TLS_KEY, own.key().toString());
        } else {
            certificates = null;
        }
        relay = RelayServer.start(settings.build());
        trickle = inPieces ? new Trickle(relay.address().getPort()) : null;
        proxy = kind.name().startsWith("PROXY") ? ConnectProxy.guarded("me:it's me") : null;
    }

    static Way open(Kind kind, RelaySettings.Builder settings) {
        return new Way(kind, settings, false);
    }

    static Way open(Kind kind) {
        return open(kind, RelaySettings.builder());
    }

    /** What the relay sends reaches ranks in pieces shorter than frames. */
    static Way openInPieces(Kind kind) {
        return new Way(kind, RelaySettings.builder(), true);
    }

    String address() {
        int port = trickle != null ? trickle.port() : relay.address().getPort();
        return kind.scheme() + "://localhost:" + port;
    }

    /** What a rank has to set. */
    ZipSettings.Builder apply(ZipSettings.Builder settings) {
        settings.relay(address());
        if (certificates != null) {
            settings.set(Setting.RELAY_CA, certificates.authority().toString());
        }
        if (proxy != null) {
            settings.set(Setting.PROXY, "http://me:it's%20me@127.0.0.1:" + proxy.port());
        }
        return settings;
    }

    @Override
    public void close() {
        relay.close();
        if (trickle != null) {
            trickle.close();
        }
        if (proxy != null) {
            proxy.close();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
