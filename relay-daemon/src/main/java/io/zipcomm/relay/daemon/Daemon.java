package io.zipcomm.relay.daemon;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.relay.admin.AdminActions;
import io.zipcomm.relay.admin.AdminServer;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A relay, its admin address, and how they end. Any thread. */
final class Daemon implements AdminActions, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Daemon.class);

    private final Supplier<RelaySettings> source;
    private final RelayServer relay;
    private final Optional<AdminServer> admin;

    /** Completed with the reason, once. */
    private final CompletableFuture<String> end = new CompletableFuture<>();

    /** Held by who reloads; nobody who drains waits for it. */
    private final Object reloading = new Object();

    private boolean draining;

    private Daemon(Supplier<RelaySettings> source, RelayServer relay, Optional<AdminServer> admin) {
        this.source = source;
        this.relay = relay;
        this.admin = admin;
    }

    /**
     * Starts a relay, and beside it what answers its operator.
     *
     * @param source reads all settings; asked again for each reload
     * @throws ZipException with code BAD_SETTING if a setting is wrong or an address cannot be listened on. Only the admin
     *     address that is the default may be taken, by another relay of this machine, say
     */
    static Daemon start(Supplier<RelaySettings> source) {
        RelaySettings settings = source.get();
        RelayServer relay = RelayServer.start(settings);
        try {
            Proxy actions = new Proxy();
            Daemon daemon = new Daemon(source, relay, settings.admin().flatMap(at -> admin(relay, at, actions)));
            actions.daemon = daemon;
            return daemon;
        } catch (RuntimeException e) {
            relay.close();
            throw e;
        }
    }

    /** The admin server needs somebody to tell before the daemon is made, and is told nothing so early. */
    private static final class Proxy implements AdminActions {
        private volatile Daemon daemon;

        private Daemon daemon() {
            Daemon made = daemon;
            if (made == null) {
                throw new ZipException(ErrorCode.BAD_SETTING, "the relay is starting");
            }
            return made;
        }

        @Override
        public void drain() {
            daemon().drain();
        }

        @Override
        public Set<RelayOption> reload() {
            return daemon().reload();
        }
    }

    private static Optional<AdminServer> admin(RelayServer relay, InetSocketAddress at, AdminActions actions) {
        try {
            return Optional.of(AdminServer.start(relay, at, actions));
        } catch (ZipException e) {
            if (!RelayOption.ADMIN.defaultText().equals(at.getHostString() + ":" + at.getPort())) {
                throw e;
            }
            log.warn("no admin address: {}", e.getMessage());
            return Optional.empty();
        }
    }

    RelayServer relay() {
        return relay;
    }

    Optional<InetSocketAddress> adminAddress() {
        return admin.map(AdminServer::address);
    }

    /** Told to stop: the first time it drains, the second time it ends at once. */
    void stop() {
        if (isDraining()) {
            end.complete("told to stop again");
        } else {
            drain();
        }
    }

    synchronized boolean isDraining() {
        return draining;
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // completing does not fail
    public void drain() {
        synchronized (this) {
            if (draining) {
                return;
            }
            draining = true;
        }
        relay.drain().thenRun(() -> end.complete("no session is left"));
        long timeoutMs = relay.settings().drainTimeout().toMillis();
        CompletableFuture.delayedExecutor(timeoutMs, TimeUnit.MILLISECONDS)
                .execute(() -> end.complete("sessions did not end within " + timeoutMs + " ms (drain-timeout)"));
    }

    /** Keeps the old settings if the new ones are wrong, and says so. */
    void reloadIfRight() {
        try {
            reload();
        } catch (ZipException e) {
            // Said by reload.
        }
    }

    @Override
    public Set<RelayOption> reload() {
        // Read and taken over by one at a time: what was read last is what holds.
        synchronized (reloading) {
            try {
                return relay.reload(source.get());
            } catch (ZipException e) {
                log.error("reload failed, and the old keys and limits stay: {}", e.getMessage());
                throw e;
            }
        }
    }

    /** Blocks until the daemon is to end. */
    void awaitEnd() {
        String reason = end.join();
        int sessions = relay.stats().sessions();
        if (sessions > 0) {
            log.atWarn().addKeyValue("sessions", sessions).log("relay ends with sessions: {}", reason);
        } else {
            log.info("relay ends: {}", reason);
        }
    }

    @Override
    public void close() {
        admin.ifPresent(AdminServer::close);
        relay.close();
    }
}
