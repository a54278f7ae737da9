package io.zipcomm.settings;

/** The catalogue of settings: name, unit, default and meaning. {@code docs/tuning.md} is made from it. */
public enum Setting {
    RELAY(
            "ZIP_RELAY",
            "url",
            "127.0.0.1:7077",
            "Where the relay listens: host:port, or zip, zips (TLS), ws (WebSocket) or wss (both) with ://host:port, the last"
                    + " two with a path; with +dns behind the scheme each address of the name is a relay. Several with commas"
                    + " between them, the same on all ranks: the session picks one."),
    RELAY_CA(
            "ZIP_RELAY_CA",
            "path",
            "",
            "File with the certificates (PEM) of the authorities that vouch for the relay; without it those of the system."),
    TLS_CERT(
            "ZIP_TLS_CERT",
            "path",
            "",
            "File with this process's certificate (PEM), for relays that ask for one. Goes with ZIP_TLS_KEY."),
    TLS_KEY("ZIP_TLS_KEY", "path", "", "File with the key of that certificate (PEM, PKCS#8, not encrypted)."),
    PROXY(
            "ZIP_PROXY",
            "url",
            "",
            "HTTP proxy that is asked to connect to the relay: http://host:port or http://user:password@host:port; none for"
                    + " no proxy. If it is not set, HTTPS_PROXY counts for relays that are spoken to in TLS."),
    NO_PROXY(
            "ZIP_NO_PROXY",
            "names",
            "",
            "Relays that are reached without the proxy: names, the ends of names or literal addresses, with commas between"
                    + " them. If it is not set, NO_PROXY counts."),
    SESSION("ZIP_SESSION", "text", null, "Name of the session: equal on all ranks of a group. Required."),
    SIZE("ZIP_SIZE", "ranks", null, "Number of ranks in the group. Required."),
    SIZE_MIN(
            "ZIP_SIZE_MIN",
            "ranks",
            "0",
            "Ranks with which the group may begin once the join timeout is over, and the fewest with which it goes on to another"
                    + " epoch. 0: all of ZIP_SIZE begin, and any number goes on, but less than half of the living members cannot leave"
                    + " the others out. With several relays, 0 or more than half of ZIP_SIZE. Equal on all ranks."),
    SIZE_MAX("ZIP_SIZE_MAX", "ranks", "0", "Ranks to which the group may grow; 0 for ZIP_SIZE. Equal on all ranks."),
    RANK("ZIP_RANK", "rank", "-1", "This process's rank, from 0; -1 to have one assigned."),
    TOKEN("ZIP_TOKEN", "text", "", "Token that admits to the session; not needed if the relay runs without a secret."),
    TRANSPORT(
            "ZIP_TRANSPORT",
            "name",
            "auto",
            "auto: begin through the relay, move to the best direct path that opens; tcp: direct TCP only; relay: only"
                    + " through the relay; aeron-ipc: only memory shared by the ranks of one host; aeron-udp: only Aeron's"
                    + " streams over UDP, which are not encrypted; rdma: only RDMA, not encrypted either."),
    JOIN_TIMEOUT("ZIP_JOIN_TIMEOUT", "ms", "30000", "How long to wait for the group to be complete."),
    OPERATION_TIMEOUT("ZIP_OPERATION_TIMEOUT", "ms", "60000", "Deadline of an operation that is given none."),
    CLOSE_TIMEOUT("ZIP_CLOSE_TIMEOUT", "ms", "5000", "How long closing waits for peers to take what they were sent."),
    RELAY_TIMEOUT(
            "ZIP_RELAY_TIMEOUT",
            "ms",
            "10000",
            "How long a lost connection to the relay is opened again and again. Then what needs the relay fails."),
    EAGER_BYTES(
            "ZIP_EAGER_BYTES",
            "bytes",
            "65536",
            "Messages up to this length travel at once; longer ones when their receiver is ready. Equal on all ranks."),
    WINDOW_BYTES(
            "ZIP_WINDOW_BYTES",
            "bytes",
            "1048576",
            "Memory that one peer may fill with messages nobody has asked for yet. Equal on all ranks."),
    REPLAY_BYTES(
            "ZIP_REPLAY_BYTES",
            "bytes",
            "4194304",
            "Memory for what one peer was sent, through the relay or directly on another host, and has not acknowledged. Equal"
                    + " on all ranks."),
    WAIT(
            "ZIP_WAIT",
            "name",
            "auto",
            "How a thread waits for I/O: spin, yield, block, or auto: spin where every rank of this host has a core to itself,"
                    + " yield where they share cores or a quota leaves less than one for each."),
    SPIN_TIME("ZIP_SPIN_TIME", "us", "1000", "How long a spinning thread spins before it blocks."),
    IO("ZIP_IO", "name", "auto", "Socket implementation: epoll, nio, or auto, which takes epoll where it loads."),
    BIND(
            "ZIP_BIND",
            "address",
            "*",
            "Address on which to accept direct connections; * for all of this machine, of IPv4 and IPv6, 0.0.0.0 for those of"
                    + " IPv4."),
    HOST_ID("ZIP_HOST_ID", "text", "", "Overrides the identity by which ranks find out that they share a host."),
    SHARED_MEMORY(
            "ZIP_SHARED_MEMORY",
            "path",
            "/dev/shm",
            "Directory, in memory, where ranks of one host meet to share it: for containers a volume that they have in common;"
                    + " none to share none."),
    AERON_DRIVER(
            "ZIP_AERON_DRIVER",
            "path",
            "",
            "Directory of an Aeron media driver that runs on this host already, for ranks that share memory; without it the"
                    + " first rank of each host runs one."),
    AERON_UDP(
            "ZIP_AERON_UDP",
            "name",
            "off",
            "Whether auto reaches peers by Aeron's streams over UDP, before TCP: off; unicast; on: what goes to all others alike is"
                    + " written once, also with ZIP_TRANSPORT=aeron-udp. They are not encrypted. Equal on all ranks."),
    RDMA_PROVIDER(
            "ZIP_RDMA_PROVIDER",
            "name",
            "auto",
            "Provider of libfabric by which ranks reach each other with RDMA, as fi_info lists it, such as verbs;ofi_rxm or efa;"
                    + " or several with commas between them, best first: ranks use what they have in common."
                    + " auto: whatever hardware there is, and with ZIP_TRANSPORT=rdma tcp;ofi_rxm if there is none. With a"
                    + " provider, ZIP_TRANSPORT=auto takes it before TCP."),
    TUNING(
            "ZIP_TUNING",
            "path",
            "",
            "File of rules by which collectives choose their algorithm, before the built-in ones; see zip tune. Equal on all"
                    + " ranks."),
    RELAY_COLLECTIVES(
            "ZIP_RELAY_COLLECTIVES",
            "name",
            "multicast",
            "What the relay may do of a collective: off: nothing; multicast: send one rank's data to the others; reduce:"
                    + " also combine the data of ranks, which it sees. Equal on all ranks."),
    CHECKSUM(
            "ZIP_CHECKSUM",
            "name",
            "off",
            "Whether payloads carry a checksum (CRC32C) that their receiver compares: off or on; with it the relay does nothing"
                    + " of a collective. Equal on all ranks."),
    ENCRYPTION(
            "ZIP_ENCRYPTION",
            "name",
            "off",
            "Which frames between ranks are encrypted (AES-256-GCM): off: none; relayed: those that go through the relay, which"
                    + " then does nothing of a collective. Needs ZIP_SECRET. Equal on all ranks."),
    SECRET(
            "ZIP_SECRET",
            "text",
            "",
            "Text of 16 characters or more from which keys are made for ZIP_ENCRYPTION, and which the relay must not know. Equal"
                    + " on all ranks."),
    SECRET_FILE("ZIP_SECRET_FILE", "path", "", "File with that text, instead of ZIP_SECRET.");

    private final String variable;
    private final String unit;
    private final String defaultText;
    private final String meaning;

    Setting(String variable, String unit, String defaultText, String meaning) {
        this.variable = variable;
        this.unit = unit;
        this.defaultText = defaultText;
        this.meaning = meaning;
    }

    /** Name of the environment variable. */
    public String variable() {
        return variable;
    }

    /** Name of the system property, which goes before the environment variable: {@code zip.join-timeout}. */
    public String property() {
        return variable.toLowerCase(java.util.Locale.ROOT)
                .replaceFirst("_", ".")
                .replace('_', '-');
    }

    /** What the value is, or counts. */
    public String unit() {
        return unit;
    }

    /** The default as it would be written; null if the setting is required. */
    public String defaultText() {
        return defaultText;
    }

    /** What it does. */
    public String meaning() {
        return meaning;
    }
}
