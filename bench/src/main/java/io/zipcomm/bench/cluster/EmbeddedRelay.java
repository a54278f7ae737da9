package io.zipcomm.bench.cluster;

import io.zipcomm.relay.RelaySecret;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.relay.RelayStats;
import io.zipcomm.relay.RelayTokens;
import io.zipcomm.transport.RelayAddress;
import java.net.InetSocketAddress;
import java.util.Optional;

/** A relay in this process, for groups on this machine: on a free loopback port, with a secret that never leaves it. */
public final class EmbeddedRelay implements GroupSource, AutoCloseable {

    private final RelaySecret secret;
    private final RelayServer server;

    private EmbeddedRelay(RelaySecret secret, RelayServer server) {
        this.secret = secret;
        this.server = server;
    }

    /** Starts a relay. */
    public static EmbeddedRelay start() {
        return start(RelaySettings.builder());
    }

    /**
     * Starts a relay.
     *
     * @param settings what it is to do differently; where it listens and its secret are set here
     */
    public static EmbeddedRelay start(RelaySettings.Builder settings) {
        RelaySecret secret = RelaySecret.random();
        return new EmbeddedRelay(
                secret,
                RelayServer.start(settings.listen("127.0.0.1:0").secret(secret).build()));
    }

    @Override
    public GroupEnvironment newGroup(String name, int size, String transport) {
        String session = GroupEnvironment.randomSession(name);
        String token = RelayTokens.mint(secret, session, Optional.of("0-" + (size - 1)), Optional.empty());
        InetSocketAddress address = server.address();
        return new GroupEnvironment(
                new RelayAddress(address.getHostString(), address.getPort()).toString(),
                session,
                size,
                transport,
                token);
    }

    /** What the relay has done. */
    public RelayStats stats() {
        return server.stats();
    }

    @Override
    public void close() {
        server.close();
    }
}
