package io.zipcomm.transport;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Where a relay listens, and how bytes get there.
 *
 * @param scheme      what the bytes are wrapped in
 * @param host        name or literal address to connect to
 * @param port        TCP port
 * @param path        of the WebSocket, beginning with a slash; empty without one
 * @param name        what the relay is called: asked for in its certificate and in HTTP. The host, unless that is one of the
 *     addresses of a name
 * @param eachAddress whether each address of the host is a relay of its own
 */
public record RelayAddress(Scheme scheme, String host, int port, String path, String name, boolean eachAddress) {

    /** Port of a relay whose address names none, unless it is that of a WebSocket. */
    public static final int DEFAULT_PORT = 7077;

    /** Path of a WebSocket whose address names none. */
    public static final String DEFAULT_PATH = "/zip";

    private static final String EACH = "+dns";
    private static final String EXPECTED =
            "expected host:port, or zip, zips, ws or wss (or these with +dns) with ://host:port, for WebSockets with a path";

    /** What the bytes are wrapped in. */
    public enum Scheme {
        /** Nothing. */
        ZIP(false, false, DEFAULT_PORT),
        /** TLS. */
        ZIPS(true, false, DEFAULT_PORT),
        /** WebSocket. */
        WS(false, true, 80),
        /** WebSocket in TLS. */
        WSS(true, true, 443);

        private final boolean tls;
        private final boolean webSocket;
        private final int port;

        Scheme(boolean tls, boolean webSocket, int port) {
            this.tls = tls;
            this.webSocket = webSocket;
            this.port = port;
        }

        /** Whether there is TLS around everything. */
        public boolean isTls() {
            return tls;
        }

        /** Whether the frames go in WebSocket messages. */
        public boolean isWebSocket() {
            return webSocket;
        }

        /** Port of an address that names none. */
        public int defaultPort() {
            return port;
        }

        private String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A relay that is spoken to without any wrapping.
     *
     * @param host name or literal address
     * @param port TCP port
     */
    public RelayAddress(String host, int port) {
        this(Scheme.ZIP, host, port, "", host, false);
    }

    /**
     * Reads {@code zip://host:port}, {@code host:port}, {@code host} or {@code [v6]:port}, or the same with {@code zips},
     * {@code ws} or {@code wss} for {@code zip}. With {@code +dns} behind the scheme each address of the host is a relay.
     *
     * @param text as a user writes it
     * @throws ZipException with code BAD_SETTING if it is none of these
     */
    public static RelayAddress parse(String text) {
        int mark = text.indexOf("://");
        String prefix = mark < 0 ? "" : text.substring(0, mark).toLowerCase(Locale.ROOT);
        boolean each = prefix.endsWith(EACH);
        Scheme scheme = mark < 0 ? Scheme.ZIP : scheme(each ? prefix.substring(0, prefix.length() - 4) : prefix, text);
        String rest = mark < 0 ? text : text.substring(mark + 3);
        int slash = rest.indexOf('/');
        String path = slash < 0 ? "" : rest.substring(slash);
        if (scheme.isWebSocket()) {
            rest = slash < 0 ? rest : rest.substring(0, slash);
            path = path.isEmpty() ? DEFAULT_PATH : path;
        }
        int bracket = rest.indexOf(']');
        int colon = rest.lastIndexOf(':');
        boolean port = colon > bracket && (bracket >= 0 || rest.indexOf(':') == colon);
        String host = port ? rest.substring(0, colon) : rest;
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        try {
            int number = port ? Integer.parseInt(rest.substring(colon + 1)) : scheme.defaultPort();
            if (host.isEmpty() || !isHost(host) || !isPath(path) || number < 1 || number > 0xffff) {
                throw bad(text, null);
            }
            return new RelayAddress(scheme, host, number, scheme.isWebSocket() ? path : "", host, each);
        } catch (NumberFormatException e) {
            throw bad(text, e);
        }
    }

    /** Neither may smuggle a line into a request. */
    private static boolean isHost(String host) {
        return host.chars().allMatch(c -> c > ' ' && c != '/' && c != '@' && c != '?' && c != '#' && c != 0x7f);
    }

    private static boolean isPath(String path) {
        return path.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }

    private static Scheme scheme(String prefix, String text) {
        for (Scheme scheme : Scheme.values()) {
            if (scheme.text().equals(prefix)) {
                return scheme;
            }
        }
        throw bad(text, null);
    }

    private static ZipException bad(String text, Exception cause) {
        return new ZipException(ErrorCode.BAD_SETTING, "relay address '" + text + "': " + EXPECTED, cause);
    }

    /**
     * Reads addresses with commas between them.
     *
     * @param text as a user writes it
     * @return one or more, each once, in the order of the text
     * @throws ZipException with code BAD_SETTING if one is wrong
     */
    public static List<RelayAddress> parseAll(String text) {
        List<RelayAddress> relays = new ArrayList<>();
        for (String one : text.split(",", -1)) {
            RelayAddress relay = parse(one.trim());
            if (!relays.contains(relay)) {
                relays.add(relay);
            }
        }
        return List.copyOf(relays);
    }

    /** This relay at one of the addresses of its name. */
    public RelayAddress at(String literal) {
        return new RelayAddress(scheme, literal, port, path, name, false);
    }

    /** Host and port: what tells relays apart, however they are spoken to. */
    public String hostAndPort() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    /** As it is written in a setting; a plain address is host and port. */
    @Override
    public String toString() {
        String prefix = scheme == Scheme.ZIP && !eachAddress ? "" : scheme.text() + (eachAddress ? EACH : "") + "://";
        return prefix + hostAndPort() + path;
    }
}
