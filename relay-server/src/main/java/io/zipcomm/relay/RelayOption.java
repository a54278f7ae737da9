package io.zipcomm.relay;

import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The catalogue of the relay's options: name, unit, default and meaning. A configuration file has one {@code name =
 * value} a line.
 */
public enum RelayOption {
    LISTEN("listen", "host:port", "0.0.0.0:7077", "Where to listen; port 0 takes a free one."),
    SECRET_FILE(
            "secret-file",
            "path",
            "",
            "File with the secret, 32 bytes or more, under which tokens are signed. White space around it is ignored."),
    KEYS(
            "keys",
            "paths",
            "",
            "Files and folders, separated by commas, with more keys by which tokens are checked: secrets, Ed25519 public keys"
                    + " in PEM, JWKs. A key's id, the kid of tokens, is its file's name without .pub, .pem, .key, .jwk,"
                    + " .json."),
    INSECURE("insecure", "true or false", "false", "Admit everybody: run without a secret."),
    TOKEN_EXPIRY_REQUIRED("token-expiry-required", "true or false", "false", "Refuse tokens that never expire."),
    TLS_CERT(
            "tls-cert",
            "path",
            "",
            "File with the relay's certificate and its chain (PEM): connections may use TLS. Read again when it changes."),
    TLS_KEY("tls-key", "path", "", "File with the key of that certificate (PEM, PKCS#8, not encrypted)."),
    TLS_CLIENT_CA(
            "tls-client-ca",
            "path",
            "",
            "File with the authorities (PEM) of the certificates that ranks must have; without it they need none."),
    TLS_REQUIRED(
            "tls-required",
            "true, false or auto",
            "auto",
            "Refuse connections without TLS, questions by HTTP excepted; auto: if there is a certificate."),
    WEBSOCKET_PATH("websocket-path", "path", "/zip", "Where a WebSocket is opened, in the request of HTTP."),
    THREADS(
            "threads",
            "threads",
            "1",
            "Event loops. A session is served by one of them, so more than one helps with many sessions only."),
    IO("io", "name", "auto", "Socket implementation: epoll, nio, or auto, which takes epoll where it loads."),
    SPIN_TIME(
            "spin-time",
            "us",
            "0",
            "How long an event loop looks for more work before it sleeps. Above 0 it wants a core for itself."),
    CONNECTIONS_MAX("connections-max", "connections", "8192", "Connections at a time."),
    ADDRESS_CONNECTIONS_MAX(
            "address-connections-max",
            "connections",
            "4096",
            "Connections at a time from one address, which in IPv6 is a network of 64 bits. Functions behind one NAT share"
                    + " one."),
    HANDSHAKES_MAX(
            "handshakes-max", "connections", "2048", "Connections at a time that have not said who they are yet."),
    ADDRESS_HANDSHAKES_MAX("address-handshakes-max", "connections", "1024", "The same from one address."),
    ADDRESS_HANDSHAKES_PER_SECOND(
            "address-handshakes-per-second",
            "connections/s",
            "1000",
            "New connections from one address; two seconds' worth may come at once."),
    SESSIONS_MAX("sessions-max", "sessions", "1000", "Sessions at a time."),
    RANKS_MAX("ranks-max", "ranks", "1024", "Ranks in a session."),
    RANK_BYTES_PER_SECOND(
            "rank-bytes-per-second",
            "bytes/s",
            "0",
            "What a rank may send through the relay; above it, the relay reads it more slowly. 0 for no limit. Tokens may"
                    + " set less."),
    SESSION_BYTES_PER_SECOND(
            "session-bytes-per-second", "bytes/s", "0", "The same for all ranks of a session together."),
    CONTROL_MESSAGES_PER_SECOND(
            "control-messages-per-second",
            "messages/s",
            "1000",
            "Control messages from a rank; above it, the relay reads them more slowly."),
    CONTROL_WAITING_MAX(
            "control-waiting-max",
            "bytes",
            "5242880",
            "Control messages that may wait for one rank that does not read; above it, the rank is expelled. The view of its"
                    + " group, 4 MiB at most, must have room."),
    CONTROL_MEMORY(
            "control-memory",
            "bytes",
            "0",
            "The same for all ranks together, and for messages of theirs that have begun to come in; above it, the rank with"
                    + " most is expelled. 0 takes a sixth of the memory that Java allows for direct buffers."),
    FRAGMENT_BYTES_MAX(
            "fragment-bytes-max",
            "bytes",
            "65536",
            "Largest payload of a frame. A frame is forwarded when the whole of it is in, so a longer one costs latency."),
    CONTROL_BYTES_MAX(
            "control-bytes-max",
            "bytes",
            "16384",
            "Largest control message from a rank. Once its group is complete, 8,192 are always allowed, and"
                    + " 64 and 3 for each of its ranks: the reason of a failure has room, and the members of a communicator."),
    SESSION_MEMORY(
            "session-memory",
            "bytes",
            "268435456",
            "Shared by the flows of a session: each may have this much, divided by their number, under way, but not less"
                    + " than two frames of 32 KiB and not more than 1 MiB. While more waits for the session's ranks, the"
                    + " relay reads no data from them."),
    HUB_OPERATIONS_MAX(
            "hub-operations-max",
            "operations",
            "128",
            "Collectives of which the relay does a part that one rank may have under way; 0 for none. Each keeps up to a"
                    + " window for each rank: session-memory divided by ranks and operations, but not less than two parts and"
                    + " not more than eight, of 64 KiB or less."),
    HUB_REDUCTION(
            "hub-reduction",
            "true or false",
            "true",
            "Whether the relay combines the data of sessions that ask for it: it then reads what ranks contribute."),
    MEMORY(
            "memory",
            "bytes",
            "0",
            "Memory for what waits for ranks that do not read, and as much again, counted apart, for what is under way in"
                    + " connections; above it, the one with most is expelled. 0 takes a sixth of the memory that Java allows"
                    + " for direct buffers."),
    SLOW_CONSUMER_TIMEOUT(
            "slow-consumer-timeout",
            "ms",
            "30000",
            "A rank for which bytes wait and that takes none of them for so long is expelled."),
    HANDSHAKE_TIMEOUT("handshake-timeout", "ms", "10000", "Time from connecting to the first message."),
    JOIN_TIMEOUT_MAX("join-timeout-max", "ms", "600000", "Longest time that a session may wait for its ranks."),
    HEARTBEAT_INTERVAL("heartbeat-interval", "ms", "1000", "How often a rank has to say that it lives."),
    HEARTBEAT_TIMEOUT("heartbeat-timeout", "ms", "5000", "Silence after which a rank is taken for dead."),
    RESUME_GRACE(
            "resume-grace",
            "ms",
            "1000",
            "How long a rank whose connection ended may take to open another before it is taken for dead."),
    SESSION_IDLE_MAX(
            "session-idle-max",
            "ms",
            "0",
            "A complete session that sends nothing but heartbeats through the relay for so long is ended; 0 for never."
                    + " Sessions on direct connections are silent here."),
    DRAIN_TIMEOUT(
            "drain-timeout", "ms", "3600000", "Longest time that a relay told to stop waits for its sessions to end."),
    ADMIN(
            "admin",
            "host:port",
            "127.0.0.1:7078",
            "Where the daemon answers health, metrics and the like over HTTP; port 0 takes a free one, off answers nowhere."
                    + " A relay embedded in a program does not use it.");

    /** The others change with a reload. */
    private static final Set<RelayOption> FIXED = EnumSet.of(
            LISTEN,
            INSECURE,
            TLS_CERT,
            TLS_KEY,
            TLS_CLIENT_CA,
            TLS_REQUIRED,
            WEBSOCKET_PATH,
            THREADS,
            IO,
            SPIN_TIME,
            MEMORY,
            HEARTBEAT_INTERVAL,
            HEARTBEAT_TIMEOUT,
            ADMIN);

    private final String key;
    private final String unit;
    private final String defaultText;
    private final String meaning;

    RelayOption(String key, String unit, String defaultText, String meaning) {
        this.key = key;
        this.unit = unit;
        this.defaultText = defaultText;
        this.meaning = meaning;
    }

    /** Name in a configuration file. */
    public String key() {
        return key;
    }

    /** What the value is, or counts. */
    public String unit() {
        return unit;
    }

    /** The default as it would be written. */
    public String defaultText() {
        return defaultText;
    }

    /** Whether it takes a restart to change it. */
    public boolean fixed() {
        return FIXED.contains(this);
    }

    /** What it does. */
    public String meaning() {
        return meaning;
    }

    /** The names of some, with commas between them. */
    public static String keys(Set<RelayOption> options) {
        return options.stream().map(RelayOption::key).collect(Collectors.joining(", "));
    }

    /**
     * The option with a name.
     *
     * @param key as in a configuration file
     * @return null if there is none
     */
    public static RelayOption of(String key) {
        for (RelayOption option : values()) {
            if (option.key.equals(key)) {
                return option;
            }
        }
        return null;
    }
}
