package io.zipcomm.relay;

import io.netty.util.internal.PlatformDependent;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.wire.Frame;
import java.io.IOException;
import java.io.Reader;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;

/**
 * Everything that may be set on a relay; see {@link RelayOption} for the meanings. Immutable and checked.
 *
 * @param listen              where to listen
 * @param keys                by which tokens are checked; empty if insecure
 * @param tokenExpiryRequired whether tokens that never expire are refused
 * @param door                what connections may be wrapped in
 * @param threads             event loops
 * @param io                  socket implementation
 * @param spinTime            how long an idle event loop looks for work before it sleeps
 * @param connectionsMax      connections at a time
 * @param sessionsMax         sessions at a time
 * @param ranksMax            ranks in a session
 * @param fragmentBytesMax    largest payload of a forwarded frame
 * @param controlBytesMax     largest control message from a rank
 * @param sessionMemoryBytes  shared by the flows of a session
 * @param hubOperationsMax    operations of the hub that one rank may have under way
 * @param hubReduction        whether the hub combines
 * @param memoryBytes         what may wait for ranks that do not read, in all
 * @param handshakeTimeout    from connecting to the first message
 * @param joinTimeoutMax      longest time that a session may wait for its ranks
 * @param heartbeatInterval   how often a rank has to say that it lives
 * @param heartbeatTimeout    silence after which a rank is taken for dead
 * @param resumeGrace         how long a rank may take to open a connection again
 * @param sessionIdleMax      after which a session is ended; zero for never
 * @param limits              that protect the relay
 * @param drainTimeout        longest time that a relay told to stop waits for its sessions
 * @param admin               where the daemon answers over HTTP; empty for nowhere
 */
public record RelaySettings(
        InetSocketAddress listen,
        Optional<RelayKeys> keys,
        boolean tokenExpiryRequired,
        DoorSettings door,
        int threads,
        IoChoice io,
        Duration spinTime,
        int connectionsMax,
        int sessionsMax,
        int ranksMax,
        int fragmentBytesMax,
        int controlBytesMax,
        long sessionMemoryBytes,
        int hubOperationsMax,
        boolean hubReduction,
        long memoryBytes,
        Duration handshakeTimeout,
        Duration joinTimeoutMax,
        Duration heartbeatInterval,
        Duration heartbeatTimeout,
        Duration resumeGrace,
        Duration sessionIdleMax,
        RelayLimits limits,
        Duration drainTimeout,
        Optional<InetSocketAddress> admin) {

    private static final int THREADS_MAX = 1024;
    /** Largest group that the protocol has. */
    static final int SIZE_MAX = 1 << 16;

    private static final int FRAGMENT_BYTES_MIN = 1 << 10;
    private static final int CONTROL_BYTES_MIN = 1 << 10;
    private static final int CONTROL_BYTES_MAX = 1 << 20;
    private static final int HUB_OPERATIONS_LIMIT = 1 << 16;
    private static final int PORT_MAX = 0xffff;

    /**
     * Of direct memory: what waits may have one, what is under way another, control messages the third. The rest is for what
     * comes above a limit before somebody is given up, for strangers, and for what a pool of buffers cannot use.
     */
    private static final int MEMORY_PARTS = 6;

    /** Socket implementation. */
    public enum IoChoice {
        /** Native where it loads. */
        AUTO,
        /** Native. */
        EPOLL,
        /** The Java platform's own. */
        NIO
    }

    /** Checks every value. */
    public RelaySettings {
        between(RelayOption.THREADS, threads, 1, THREADS_MAX);
        between(RelayOption.CONNECTIONS_MAX, connectionsMax, 1, Integer.MAX_VALUE);
        between(RelayOption.SESSIONS_MAX, sessionsMax, 1, Integer.MAX_VALUE);
        between(RelayOption.RANKS_MAX, ranksMax, 1, SIZE_MAX);
        between(RelayOption.FRAGMENT_BYTES_MAX, fragmentBytesMax, FRAGMENT_BYTES_MIN, Frame.PAYLOAD_BYTES_MAX);
        between(RelayOption.CONTROL_BYTES_MAX, controlBytesMax, CONTROL_BYTES_MIN, CONTROL_BYTES_MAX);
        between(RelayOption.SESSION_MEMORY, sessionMemoryBytes, 1, Long.MAX_VALUE);
        between(RelayOption.HUB_OPERATIONS_MAX, hubOperationsMax, 0, HUB_OPERATIONS_LIMIT);
        between(RelayOption.MEMORY, memoryBytes, 1, Long.MAX_VALUE);
        between(RelayOption.SPIN_TIME, spinTime.toNanos() / 1000, 0, Integer.MAX_VALUE);
        between(RelayOption.HANDSHAKE_TIMEOUT, handshakeTimeout.toMillis(), 1, Integer.MAX_VALUE);
        between(RelayOption.JOIN_TIMEOUT_MAX, joinTimeoutMax.toMillis(), 1, Integer.MAX_VALUE);
        between(RelayOption.HEARTBEAT_INTERVAL, heartbeatInterval.toMillis(), 1, Integer.MAX_VALUE);
        between(
                RelayOption.HEARTBEAT_TIMEOUT,
                heartbeatTimeout.toMillis(),
                2 * heartbeatInterval.toMillis(),
                Integer.MAX_VALUE);
        between(RelayOption.RESUME_GRACE, resumeGrace.toMillis(), 0, Integer.MAX_VALUE);
        between(RelayOption.SESSION_IDLE_MAX, sessionIdleMax.toMillis(), 0, Integer.MAX_VALUE);
        between(RelayOption.DRAIN_TIMEOUT, drainTimeout.toMillis(), 0, Integer.MAX_VALUE);
        limits.check();
    }

    static void between(RelayOption option, long value, long min, long max) {
        if (value < min || value > max) {
            throw bad(option, Long.toString(value), "a number of " + option.unit() + " from " + min + " to " + max);
        }
    }

    private static ZipException bad(RelayOption option, String value, String expected) {
        return new ZipException(
                ErrorCode.BAD_SETTING, "relay option " + option.key() + " is '" + value + "': expected " + expected);
    }

    /**
     * These settings where a restart is needed to change them, and others where it is not.
     *
     * @param fresh whose keys, limits and times are taken over
     * @see RelayOption#fixed
     */
    RelaySettings reloaded(RelaySettings fresh) {
        return new RelaySettings(
                listen,
                fresh.keys,
                fresh.tokenExpiryRequired,
                door,
                threads,
                io,
                spinTime,
                fresh.connectionsMax,
                fresh.sessionsMax,
                fresh.ranksMax,
                fresh.fragmentBytesMax,
                fresh.controlBytesMax,
                fresh.sessionMemoryBytes,
                fresh.hubOperationsMax,
                fresh.hubReduction,
                memoryBytes,
                fresh.handshakeTimeout,
                fresh.joinTimeoutMax,
                heartbeatInterval,
                heartbeatTimeout,
                fresh.resumeGrace,
                fresh.sessionIdleMax,
                fresh.limits,
                fresh.drainTimeout,
                admin);
    }

    /**
     * Which options are other than in these settings and take a restart, so that {@link #reloaded} does not take them over.
     *
     * @param fresh that are to be reloaded
     */
    Set<RelayOption> restartFor(RelaySettings fresh) {
        Set<RelayOption> differing = EnumSet.noneOf(RelayOption.class);
        Map<RelayOption, Object> freshValues = fresh.fixedValues();
        fixedValues().forEach((option, value) -> {
            if (!value.equals(freshValues.get(option))) {
                differing.add(option);
            }
        });
        return differing;
    }

    /** But whether it is insecure: a reload that changes that fails. */
    private Map<RelayOption, Object> fixedValues() {
        Map<RelayOption, Object> values = new EnumMap<>(RelayOption.class);
        values.put(RelayOption.LISTEN, listen);
        values.put(RelayOption.TLS_CERT, door.tlsCert());
        values.put(RelayOption.TLS_KEY, door.tlsKey());
        values.put(RelayOption.TLS_CLIENT_CA, door.tlsClientCa());
        values.put(RelayOption.TLS_REQUIRED, door.tlsRequired());
        values.put(RelayOption.WEBSOCKET_PATH, door.webSocketPath());
        values.put(RelayOption.THREADS, threads);
        values.put(RelayOption.IO, io);
        values.put(RelayOption.SPIN_TIME, spinTime);
        values.put(RelayOption.MEMORY, memoryBytes);
        values.put(RelayOption.HEARTBEAT_INTERVAL, heartbeatInterval);
        values.put(RelayOption.HEARTBEAT_TIMEOUT, heartbeatTimeout);
        values.put(RelayOption.ADMIN, admin);
        return values;
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects options as they would be written in a configuration file; {@link #build} checks them. */
    public static final class Builder {
        private final Map<RelayOption, String> values = new EnumMap<>(RelayOption.class);
        private RelaySecret secret;
        private RelayKeys keys;

        private Builder() {
            for (RelayOption option : RelayOption.values()) {
                values.put(option, option.defaultText());
            }
        }

        /** Sets one option as it would be written in a configuration file. */
        public Builder set(RelayOption option, String value) {
            values.put(option, value.strip());
            return this;
        }

        /**
         * Sets what a configuration file sets: one {@code name = value} a line, {@code #} begins a comment.
         *
         * @throws ZipException with code BAD_SETTING if the file cannot be read or has an option that does not exist
         */
        public Builder file(Path file) {
            Properties lines = new Properties();
            try (Reader reader = Files.newBufferedReader(file)) {
                lines.load(reader);
            } catch (IOException | IllegalArgumentException e) {
                throw new ZipException(
                        ErrorCode.BAD_SETTING, "relay configuration " + file + " cannot be read: " + e, e);
            }
            for (String key : lines.stringPropertyNames()) {
                RelayOption option = RelayOption.of(key);
                if (option == null) {
                    throw new ZipException(
                            ErrorCode.BAD_SETTING,
                            "relay configuration " + file + ": there is no option '" + key
                                    + "'; docs/tuning.md lists all");
                }
                set(option, lines.getProperty(key));
            }
            return this;
        }

        /** Where to listen, as {@code host:port}; port 0 takes a free one. */
        public Builder listen(String hostAndPort) {
            return set(RelayOption.LISTEN, hostAndPort);
        }

        /** Under which tokens are signed. Goes before a secret file. */
        public Builder secret(RelaySecret secret) {
            this.secret = secret;
            return this;
        }

        /** By which tokens are checked, beside what files have. */
        public Builder keys(RelayKeys keys) {
            this.keys = keys;
            return this;
        }

        /** File with the secret under which tokens are signed. */
        public Builder secretFile(Path file) {
            return set(RelayOption.SECRET_FILE, file.toString());
        }

        /** Whether to admit everybody. */
        public Builder insecure(boolean insecure) {
            return set(RelayOption.INSECURE, Boolean.toString(insecure));
        }

        public Builder threads(int threads) {
            return set(RelayOption.THREADS, Integer.toString(threads));
        }

        public Builder io(IoChoice choice) {
            return set(RelayOption.IO, choice.name());
        }

        public Builder heartbeat(Duration interval, Duration timeout) {
            set(RelayOption.HEARTBEAT_INTERVAL, Long.toString(interval.toMillis()));
            return set(RelayOption.HEARTBEAT_TIMEOUT, Long.toString(timeout.toMillis()));
        }

        /**
         * The settings. Reads the files with keys.
         *
         * @throws ZipException with code BAD_SETTING that names the option and what was expected
         */
        public RelaySettings build() {
            return new RelaySettings(
                    address(RelayOption.LISTEN),
                    keysOrInsecure(),
                    flag(RelayOption.TOKEN_EXPIRY_REQUIRED),
                    door(),
                    integer(RelayOption.THREADS),
                    ioChoice(),
                    Duration.ofNanos(1000L * integer(RelayOption.SPIN_TIME)),
                    integer(RelayOption.CONNECTIONS_MAX),
                    integer(RelayOption.SESSIONS_MAX),
                    integer(RelayOption.RANKS_MAX),
                    integer(RelayOption.FRAGMENT_BYTES_MAX),
                    integer(RelayOption.CONTROL_BYTES_MAX),
                    number(RelayOption.SESSION_MEMORY, Long.MAX_VALUE),
                    integer(RelayOption.HUB_OPERATIONS_MAX),
                    flag(RelayOption.HUB_REDUCTION),
                    memory(RelayOption.MEMORY),
                    time(RelayOption.HANDSHAKE_TIMEOUT),
                    time(RelayOption.JOIN_TIMEOUT_MAX),
                    time(RelayOption.HEARTBEAT_INTERVAL),
                    time(RelayOption.HEARTBEAT_TIMEOUT),
                    time(RelayOption.RESUME_GRACE),
                    time(RelayOption.SESSION_IDLE_MAX),
                    limits(),
                    time(RelayOption.DRAIN_TIMEOUT),
                    values.get(RelayOption.ADMIN).equals("off")
                            ? Optional.empty()
                            : Optional.of(address(RelayOption.ADMIN)));
        }

        private RelayLimits limits() {
            return new RelayLimits(
                    integer(RelayOption.ADDRESS_CONNECTIONS_MAX),
                    integer(RelayOption.HANDSHAKES_MAX),
                    integer(RelayOption.ADDRESS_HANDSHAKES_MAX),
                    integer(RelayOption.ADDRESS_HANDSHAKES_PER_SECOND),
                    integer(RelayOption.CONTROL_MESSAGES_PER_SECOND),
                    integer(RelayOption.CONTROL_WAITING_MAX),
                    memory(RelayOption.CONTROL_MEMORY),
                    number(RelayOption.RANK_BYTES_PER_SECOND, Long.MAX_VALUE),
                    number(RelayOption.SESSION_BYTES_PER_SECOND, Long.MAX_VALUE),
                    time(RelayOption.SLOW_CONSUMER_TIMEOUT));
        }

        private DoorSettings door() {
            Optional<Path> certificate = path(RelayOption.TLS_CERT);
            boolean auto = values.get(RelayOption.TLS_REQUIRED).equalsIgnoreCase("auto");
            return new DoorSettings(
                    certificate,
                    path(RelayOption.TLS_KEY),
                    path(RelayOption.TLS_CLIENT_CA),
                    auto ? certificate.isPresent() : flag(RelayOption.TLS_REQUIRED),
                    values.get(RelayOption.WEBSOCKET_PATH));
        }

        private Optional<Path> path(RelayOption option) {
            String text = values.get(option);
            return text.isEmpty() ? Optional.empty() : Optional.of(Path.of(text));
        }

        private InetSocketAddress address(RelayOption option) {
            String text = values.get(option);
            int colon = text.lastIndexOf(':');
            String expected = "host:port";
            if (colon <= 0) {
                throw bad(option, text, expected);
            }
            String host = text.substring(0, colon);
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            }
            try {
                int port = Integer.parseInt(text.substring(colon + 1));
                if (port < 0 || port > PORT_MAX) {
                    throw bad(option, text, "a port from 0 to " + PORT_MAX);
                }
                InetSocketAddress address = new InetSocketAddress(host, port);
                if (address.isUnresolved()) {
                    throw bad(option, text, "a host of this machine; there is none named " + host);
                }
                return address;
            } catch (NumberFormatException e) {
                throw bad(option, text, expected);
            }
        }

        /** Never runs without keys by accident. */
        private Optional<RelayKeys> keysOrInsecure() {
            String file = values.get(RelayOption.SECRET_FILE);
            List<Path> places = Arrays.stream(values.get(RelayOption.KEYS).split(","))
                    .map(String::strip)
                    .filter(place -> !place.isEmpty())
                    .map(Path::of)
                    .toList();
            boolean insecure = flag(RelayOption.INSECURE);
            boolean keyed = secret != null || keys != null || !file.isEmpty() || !places.isEmpty();
            if (insecure && keyed) {
                throw new ZipException(
                        ErrorCode.BAD_SETTING,
                        "the relay has keys and is told to be insecure: without 'insecure' it wants tokens, without 'keys'"
                                + " and 'secret-file' it admits everybody");
            }
            if (insecure) {
                return Optional.empty();
            }
            if (!keyed) {
                throw new ZipException(
                        ErrorCode.BAD_SETTING,
                        "the relay has no secret: set " + RelayOption.SECRET_FILE.key() + " or "
                                + RelayOption.KEYS.key() + ", or " + RelayOption.INSECURE.key()
                                + " to admit everybody");
            }
            RelayKeys all = RelayKeys.read(places);
            if (keys != null) {
                all = all.and(keys);
            }
            if (secret != null) {
                return Optional.of(all.and(RelayKeys.of(secret)));
            }
            return Optional.of(file.isEmpty() ? all : all.and(RelayKeys.of(TokenKey.readSecret(Path.of(file)))));
        }

        private long memory(RelayOption option) {
            long bytes = number(option, Long.MAX_VALUE);
            return bytes > 0 ? bytes : PlatformDependent.maxDirectMemory() / MEMORY_PARTS;
        }

        private Duration time(RelayOption option) {
            return Duration.ofMillis(integer(option));
        }

        private int integer(RelayOption option) {
            return (int) number(option, Integer.MAX_VALUE);
        }

        private long number(RelayOption option, long max) {
            String value = values.get(option);
            try {
                long number = Long.parseLong(value);
                if (number >= 0 && number <= max) {
                    return number;
                }
            } catch (NumberFormatException e) {
                throw bad(option, value, "a number of " + option.unit());
            }
            throw bad(option, value, "a number of " + option.unit() + " from 0 to " + max);
        }

        private boolean flag(RelayOption option) {
            String value = values.get(option);
            return switch (value.toLowerCase(Locale.ROOT)) {
                case "true" -> true;
                case "false" -> false;
                default -> throw bad(option, value, option.unit());
            };
        }

        private IoChoice ioChoice() {
            String value = values.get(RelayOption.IO);
            try {
                return IoChoice.valueOf(value.toUpperCase(Locale.ROOT));
            } catch (IllegalArgumentException e) {
                throw bad(RelayOption.IO, value, "auto, epoll or nio");
            }
        }
    }
}
