package io.zipcomm.settings;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.Protection.Encryption;
import io.zipcomm.transport.ProxyAddress;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * Everything that a process may set when it joins a group; see {@link Setting} for the meanings. Immutable and checked.
 *
 * @param relays           where relays listen; one of them serves the session
 * @param access           what it takes to get through to them
 * @param session          name of the session
 * @param size             number of ranks
 * @param sizeMin          ranks with which the group may begin late, and the fewest with which it goes on; 0 for all, and for any number
 * @param sizeMax          ranks to which it may grow
 * @param rank             wanted rank, or -1
 * @param token            token that admits to the session
 * @param transport        which paths to use
 * @param joinTimeout      how long to wait for the group
 * @param operationTimeout default deadline of operations
 * @param closeTimeout     how long closing may take
 * @param relayTimeout     how long a lost connection to the relay is opened again and again
 * @param eagerBytes       longest message that travels at once
 * @param windowBytes      memory for unexpected messages of one peer
 * @param replayBytes      memory for frames that one peer has not acknowledged
 * @param waiting          how to wait for I/O
 * @param spinTime         how long to spin before blocking
 * @param io               socket implementation
 * @param bind             address to accept on, or * for all
 * @param hostId           identity of this host, or empty to find out
 * @param sharedMemory     directory where ranks of this host meet to share memory, or empty to share none
 * @param aeronDriver      directory of a media driver that runs already, or empty
 * @param aeronUdp         whether AUTO uses Aeron over UDP, and how
 * @param rdmaProvider     provider of libfabric for RDMA, or auto
 * @param tuning           file of tuning rules, or empty for the built-in ones
 * @param relayCollectives what the relay may do of a collective
 * @param protection       how payloads are protected on their way
 */
public record ZipSettings(
        List<RelayAddress> relays,
        RelayAccess access,
        String session,
        int size,
        int sizeMin,
        int sizeMax,
        int rank,
        String token,
        TransportChoice transport,
        Duration joinTimeout,
        Duration operationTimeout,
        Duration closeTimeout,
        Duration relayTimeout,
        int eagerBytes,
        int windowBytes,
        int replayBytes,
        WaitChoice waiting,
        Duration spinTime,
        IoChoice io,
        String bind,
        String hostId,
        String sharedMemory,
        String aeronDriver,
        AeronUdp aeronUdp,
        String rdmaProvider,
        String tuning,
        RelayCollectives relayCollectives,
        Protection protection) {

    /** Largest group. */
    public static final int SIZE_MAX = 1 << 16;

    /** Largest eager message: it has to fit into the smallest window of a relay. */
    public static final int EAGER_BYTES_MAX = 64 << 10;

    /** Smallest memory for frames that were not acknowledged: the longest eager message fits, and then half as much. */
    public static final int REPLAY_BYTES_MIN = 128 << 10;

    private static final int SESSION_CHARACTERS_MAX = 200;

    /** Which paths to use. */
    public enum TransportChoice {
        /** The relay first, then the best direct path that opens. */
        AUTO,
        /** Direct TCP only. */
        TCP,
        /** Relay only. */
        RELAY,
        /** Memory shared by the ranks of one host only. */
        AERON_IPC,
        /** Aeron over UDP only. */
        AERON_UDP,
        /** RDMA only. */
        RDMA;

        /** As it is written in the environment, and as {@link io.zipcomm.transport.Path#name} has it. */
        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /** Whether links begin on the relay. */
        public boolean isRelayed() {
            return this == AUTO || this == RELAY;
        }

        /** Whether paths of a kind may be used. */
        public boolean accepts(String path) {
            return this == AUTO || path.equals(text());
        }

        /** Whether one of some kinds of path will do. */
        public boolean accepts(Collection<String> paths) {
            return paths.stream().anyMatch(this::accepts);
        }
    }

    /** How to wait for I/O. */
    public enum WaitChoice {
        /** Spin where every rank of this host has a core to itself, yield elsewhere. */
        AUTO,
        /** Spin for a while, then block. */
        SPIN,
        /** Let others run between two looks for a while, then block. */
        YIELD,
        /** Block at once. */
        BLOCK
    }

    /** What the relay may do of a collective; each may do what those before it do. */
    public enum RelayCollectives {
        /** Nothing: it forwards messages. */
        OFF(0),
        /** Send one rank's data to the others. */
        MULTICAST(1),
        /** Combine the data of ranks. */
        REDUCE(2);

        private final int number;

        RelayCollectives(int number) {
            this.number = number;
        }

        /** The number by which ranks compare this when they join. */
        public int number() {
            return number;
        }
    }

    /** Whether paths over Aeron's UDP streams are used without being asked for, and how. */
    public enum AeronUdp {
        /** They are not. */
        OFF(0, false),
        /** They are; what all peers get alike is sent to them by one stream. */
        ON(1, true),
        /** They are, each by itself. */
        UNICAST(2, false);

        private final int number;
        private final boolean casts;

        AeronUdp(int number, boolean casts) {
            this.number = number;
            this.casts = casts;
        }

        /** The number by which ranks compare this when they join. */
        public int number() {
            return number;
        }

        /** Whether a rank may send to all others by one stream, if it uses such paths at all. */
        public boolean casts() {
            return casts;
        }
    }

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
    public ZipSettings {
        relays = List.copyOf(relays);
        if (relays.isEmpty()) {
            throw bad(Setting.RELAY, null, "one address or more");
        }
        Objects.requireNonNull(access, "access");
        if (access.certificateFile().isEmpty() != access.keyFile().isEmpty()) {
            throw bad(
                    access.keyFile().isEmpty() ? Setting.TLS_KEY : Setting.TLS_CERT,
                    null,
                    "certificate and key go together");
        }
        if (session == null || session.isBlank() || session.length() > SESSION_CHARACTERS_MAX) {
            throw bad(Setting.SESSION, session, "a name of 1 to " + SESSION_CHARACTERS_MAX + " characters");
        }
        if (size < 1 || size > SIZE_MAX) {
            throw bad(Setting.SIZE, size, "1 to " + SIZE_MAX);
        }
        if (sizeMin < 0 || sizeMin > size) {
            throw bad(Setting.SIZE_MIN, sizeMin, "0 to " + size);
        }
        boolean severalRelays = relays.size() > 1 || relays.get(0).eachAddress();
        if (severalRelays && sizeMin > 0 && sizeMin <= size / 2) {
            throw bad(
                    Setting.SIZE_MIN,
                    sizeMin,
                    "0, or " + (size / 2 + 1) + " to " + size + " with several relays, since half of " + size
                            + " ranks could begin at each of two");
        }
        if (sizeMax < size || sizeMax > SIZE_MAX) {
            throw bad(Setting.SIZE_MAX, sizeMax, size + " to " + SIZE_MAX + ", or 0 for " + size);
        }
        if (rank < -1 || rank >= size) {
            throw bad(Setting.RANK, rank, "-1 or 0 to " + (size - 1));
        }
        positive(Setting.JOIN_TIMEOUT, joinTimeout);
        positive(Setting.OPERATION_TIMEOUT, operationTimeout);
        positive(Setting.CLOSE_TIMEOUT, closeTimeout);
        positive(Setting.RELAY_TIMEOUT, relayTimeout);
        if (eagerBytes < 0 || eagerBytes > EAGER_BYTES_MAX) {
            throw bad(Setting.EAGER_BYTES, eagerBytes, "0 to " + EAGER_BYTES_MAX);
        }
        if (windowBytes < Math.max(4 * eagerBytes, 1 << 14)) {
            throw bad(
                    Setting.WINDOW_BYTES,
                    windowBytes,
                    "at least 16384 and four times " + Setting.EAGER_BYTES.variable());
        }
        if (replayBytes < REPLAY_BYTES_MIN) {
            throw bad(Setting.REPLAY_BYTES, replayBytes, "at least " + REPLAY_BYTES_MIN);
        }
        if (spinTime.isNegative()) {
            throw bad(Setting.SPIN_TIME, spinTime, "not negative");
        }
        if (relayCollectives == RelayCollectives.REDUCE && protection.encryption() != Encryption.OFF) {
            throw bad(
                    Setting.RELAY_COLLECTIVES,
                    "reduce",
                    "off or multicast with " + Setting.ENCRYPTION.variable()
                            + "=relayed, since the relay cannot combine what it cannot read");
        }
        if (protection.encryption() != Encryption.OFF && protection.secret().isEmpty()) {
            throw bad(
                    Setting.SECRET,
                    null,
                    "a text, here or in the file of " + Setting.SECRET_FILE.variable() + ", for "
                            + Setting.ENCRYPTION.variable() + "=relayed");
        }
    }

    /** Where the relay listens; of several, the one that is written first. */
    public RelayAddress relay() {
        return relays.get(0);
    }

    /**
     * These with another join timeout.
     *
     * @param timeout positive
     * @throws ZipException with code BAD_SETTING if it is not
     */
    public ZipSettings withJoinTimeout(Duration timeout) {
        return new ZipSettings(
                relays,
                access,
                session,
                size,
                sizeMin,
                sizeMax,
                rank,
                token,
                transport,
                timeout,
                operationTimeout,
                closeTimeout,
                relayTimeout,
                eagerBytes,
                windowBytes,
                replayBytes,
                waiting,
                spinTime,
                io,
                bind,
                hostId,
                sharedMemory,
                aeronDriver,
                aeronUdp,
                rdmaProvider,
                tuning,
                relayCollectives,
                protection);
    }

    private static void positive(Setting setting, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw bad(setting, value, "a positive time");
        }
    }

    private static ZipException bad(Setting setting, Object value, String expected) {
        return new ZipException(
                ErrorCode.BAD_SETTING,
                setting.variable() + (value == null ? " is not set" : " is '" + value + "'") + ": expected "
                        + expected);
    }

    /** Settings from the {@code ZIP_*} environment variables and {@code zip.*} system properties, and defaults. */
    public static ZipSettings fromEnvironment() {
        return builderFromEnvironment().build();
    }

    /** A builder filled from the environment, to change some of it. */
    public static Builder builderFromEnvironment() {
        Builder builder = new Builder(setting -> {
            String property = System.getProperty(setting.property());
            return property != null ? property : System.getenv(setting.variable());
        });
        builder.commonProxy = environment("HTTPS_PROXY");
        if (builder.get(Setting.NO_PROXY).isEmpty()) {
            builder.set(Setting.NO_PROXY, environment("NO_PROXY"));
        }
        return builder;
    }

    /** A variable that other programs read too, in capitals or not; empty if it is not set. */
    private static String environment(String variable) {
        String value = System.getenv(variable);
        String small = value == null ? System.getenv(variable.toLowerCase(Locale.ROOT)) : value;
        return small == null ? "" : small.trim();
    }

    /** A builder with defaults that reads no environment. */
    public static Builder builder() {
        return new Builder(setting -> null);
    }

    /** Collects settings as text or values. */
    public static final class Builder {
        private final Map<Setting, String> values = new EnumMap<>(Setting.class);

        /** The proxy of all programs of this machine; empty for none. */
        private String commonProxy = "";

        private Builder(Function<Setting, String> source) {
            for (Setting setting : Setting.values()) {
                String value = source.apply(setting);
                value = value == null || value.isBlank() ? setting.defaultText() : value.trim();
                if (value != null) {
                    values.put(setting, value);
                }
            }
        }

        /** Sets one value as it would be written in the environment. */
        public Builder set(Setting setting, String value) {
            values.put(setting, value);
            return this;
        }

        /** One value as it would be written in the environment; null if it is required and was not set. */
        public String get(Setting setting) {
            return values.get(setting);
        }

        /** One address or, with commas between them, several; as {@link RelayAddress#parseAll} reads them. */
        public Builder relay(String addresses) {
            return set(Setting.RELAY, addresses);
        }

        public Builder session(String name) {
            return set(Setting.SESSION, name);
        }

        public Builder size(int ranks) {
            return set(Setting.SIZE, Integer.toString(ranks));
        }

        /** Ranks with which the group may begin late, and the fewest with which it goes on; 0 for all of {@link #size}, and for any number. */
        public Builder sizeMin(int ranks) {
            return set(Setting.SIZE_MIN, Integer.toString(ranks));
        }

        /** Ranks to which the group may grow; 0 for {@link #size}. */
        public Builder sizeMax(int ranks) {
            return set(Setting.SIZE_MAX, Integer.toString(ranks));
        }

        public Builder rank(int rank) {
            return set(Setting.RANK, Integer.toString(rank));
        }

        public Builder token(String token) {
            return set(Setting.TOKEN, token);
        }

        public Builder transport(TransportChoice choice) {
            return set(Setting.TRANSPORT, choice.name());
        }

        public Builder joinTimeout(Duration timeout) {
            return set(Setting.JOIN_TIMEOUT, Long.toString(timeout.toMillis()));
        }

        public Builder operationTimeout(Duration timeout) {
            return set(Setting.OPERATION_TIMEOUT, Long.toString(timeout.toMillis()));
        }

        public Builder relayTimeout(Duration timeout) {
            return set(Setting.RELAY_TIMEOUT, Long.toString(timeout.toMillis()));
        }

        public Builder eagerBytes(int bytes) {
            return set(Setting.EAGER_BYTES, Integer.toString(bytes));
        }

        public Builder windowBytes(int bytes) {
            return set(Setting.WINDOW_BYTES, Integer.toString(bytes));
        }

        public Builder replayBytes(int bytes) {
            return set(Setting.REPLAY_BYTES, Integer.toString(bytes));
        }

        public Builder waiting(WaitChoice choice) {
            return set(Setting.WAIT, choice.name());
        }

        /**
         * The settings.
         *
         * @throws ZipException with code BAD_SETTING that names the setting and what was expected
         */
        public ZipSettings build() {
            List<RelayAddress> relays = RelayAddress.parseAll(values.get(Setting.RELAY));
            return new ZipSettings(
                    relays,
                    new RelayAccess(
                            values.get(Setting.RELAY_CA),
                            values.get(Setting.TLS_CERT),
                            values.get(Setting.TLS_KEY),
                            proxy(relays)),
                    values.get(Setting.SESSION),
                    number(Setting.SIZE),
                    number(Setting.SIZE_MIN),
                    orSize(Setting.SIZE_MAX),
                    number(Setting.RANK),
                    values.get(Setting.TOKEN),
                    choice(Setting.TRANSPORT, TransportChoice.class),
                    Duration.ofMillis(number(Setting.JOIN_TIMEOUT)),
                    Duration.ofMillis(number(Setting.OPERATION_TIMEOUT)),
                    Duration.ofMillis(number(Setting.CLOSE_TIMEOUT)),
                    Duration.ofMillis(number(Setting.RELAY_TIMEOUT)),
                    number(Setting.EAGER_BYTES),
                    number(Setting.WINDOW_BYTES),
                    number(Setting.REPLAY_BYTES),
                    choice(Setting.WAIT, WaitChoice.class),
                    Duration.ofNanos(1000L * number(Setting.SPIN_TIME)),
                    choice(Setting.IO, IoChoice.class),
                    values.get(Setting.BIND),
                    values.get(Setting.HOST_ID),
                    orNone(values.get(Setting.SHARED_MEMORY)),
                    values.get(Setting.AERON_DRIVER),
                    choice(Setting.AERON_UDP, AeronUdp.class),
                    values.get(Setting.RDMA_PROVIDER),
                    values.get(Setting.TUNING),
                    choice(Setting.RELAY_COLLECTIVES, RelayCollectives.class),
                    new Protection(
                            choice(Setting.CHECKSUM, Protection.Checksum.class),
                            choice(Setting.ENCRYPTION, Encryption.class),
                            secret()));
        }

        private Secret secret() {
            String file = values.get(Setting.SECRET_FILE);
            String text = values.get(Setting.SECRET);
            if (!file.isEmpty() && !text.isEmpty()) {
                throw new ZipException(
                        ErrorCode.BAD_SETTING,
                        Setting.SECRET.variable() + " and " + Setting.SECRET_FILE.variable()
                                + " are both set: expected one of them");
            }
            Setting given = file.isEmpty() ? Setting.SECRET : Setting.SECRET_FILE;
            if (!file.isEmpty()) {
                try {
                    text = Files.readString(Path.of(file)).trim();
                } catch (IOException | InvalidPathException e) {
                    throw new ZipException(
                            ErrorCode.BAD_SETTING, given.variable() + " '" + file + "' cannot be read: " + e, e);
                }
            } else if (text.isEmpty()) {
                return Secret.NONE;
            }
            if (text.length() < Secret.CHARACTERS_MIN) {
                throw new ZipException(
                        ErrorCode.BAD_SETTING,
                        given.variable() + " has " + text.length() + " characters: expected " + Secret.CHARACTERS_MIN
                                + " or more");
            }
            return new Secret(text);
        }

        private int orSize(Setting setting) {
            int ranks = number(setting);
            return ranks == 0 ? number(Setting.SIZE) : ranks;
        }

        private static String orNone(String path) {
            return path.equalsIgnoreCase("none") ? "" : path;
        }

        private Optional<ProxyAddress> proxy(List<RelayAddress> relays) {
            String own = values.get(Setting.PROXY);
            String except = values.get(Setting.NO_PROXY);
            if (!own.isEmpty()) {
                return own.equalsIgnoreCase("none")
                        ? Optional.empty()
                        : Optional.of(ProxyAddress.parse(own, false, except));
            }
            // One that would not be used may be of a kind that is not understood here.
            boolean used = relays.stream().anyMatch(relay -> relay.scheme().isTls());
            return commonProxy.isEmpty() || !used
                    ? Optional.empty()
                    : Optional.of(ProxyAddress.parse(commonProxy, true, except));
        }

        private int number(Setting setting) {
            String value = values.get(setting);
            try {
                return Integer.parseInt(value);
            } catch (NumberFormatException e) {
                throw bad(setting, value, "a number of " + setting.unit());
            }
        }

        private <E extends Enum<E>> E choice(Setting setting, Class<E> type) {
            String value = values.get(setting);
            try {
                return Enum.valueOf(type, value.toUpperCase(Locale.ROOT).replace('-', '_'));
            } catch (IllegalArgumentException e) {
                String names = String.join(
                        ", ",
                        java.util.stream.Stream.of(type.getEnumConstants())
                                .map(one -> one.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                                .toList());
                throw bad(setting, value, "one of " + names);
            }
        }
    }
}
