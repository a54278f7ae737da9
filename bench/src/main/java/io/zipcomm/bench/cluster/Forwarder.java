package io.zipcomm.bench.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** A program of somebody else's that passes on the bytes of a TCP connection. */
final class Forwarder implements FloorPair.Via, AutoCloseable {

    /** Programs that do. */
    enum Kind {
        /** HAProxy in TCP mode, one thread. */
        HAPROXY,
        /** socat with buffers of 128 KiB. */
        SOCAT;

        String program() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final String HAPROXY_CONFIG = """
            global
                nbthread 1
            defaults
                mode tcp
                timeout connect 5s
                timeout client 1h
                timeout server 1h
            listen forward
                bind 127.0.0.1:OWN
                server target 127.0.0.1:TARGET
            """;

    private final Kind kind;
    private ServerProcess server;
    private Path config;

    Forwarder(Kind kind) {
        this.kind = kind;
    }

    /** Why there can be none here, as a phrase; null if there can. */
    static String unavailability(Kind kind) {
        return Program.missing(kind.program());
    }

    @Override
    public int portTo(int port) throws WorkerFailure, InterruptedException {
        server = ServerProcess.start(kind.program(), own -> command(own, port), Forwarder::listens);
        return server.address().getPort();
    }

    private List<String> command(int own, int port) {
        return switch (kind) {
            case HAPROXY ->
                List.of("haproxy", "-db", "-f", haproxyConfig(own, port).toString());
            case SOCAT ->
                List.of(
                        "socat",
                        "-b",
                        "131072",
                        "TCP-LISTEN:" + own + ",bind=127.0.0.1,reuseaddr,nodelay",
                        "TCP:127.0.0.1:" + port + ",nodelay");
        };
    }

    private Path haproxyConfig(int own, int port) {
        try {
            deleteConfig();
            config = Files.createTempFile("zip-haproxy", ".cfg");
            return Files.writeString(
                    config,
                    HAPROXY_CONFIG.replace("OWN", Integer.toString(own)).replace("TARGET", Integer.toString(port)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void deleteConfig() throws IOException {
        if (config != null) {
            Files.deleteIfExists(config);
        }
    }

    /** Not by a connection: it would be passed on, and taken for the one to be measured. */
    private static boolean listens(InetSocketAddress address) {
        // Local address, remote address, and the state of a socket that listens.
        String socket = String.format(Locale.ROOT, " 0100007F:%04X 00000000:0000 0A ", address.getPort());
        try (Stream<String> sockets = Files.lines(Path.of("/proc/net/tcp"))) {
            return sockets.anyMatch(line -> line.contains(socket));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        if (server != null) {
            server.close();
        }
        try {
            deleteConfig();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
