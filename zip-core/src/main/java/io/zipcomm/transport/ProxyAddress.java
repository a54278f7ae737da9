package io.zipcomm.transport;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * An HTTP proxy that is asked to connect to the relay (CONNECT).
 *
 * @param host        name or literal address
 * @param port        TCP port
 * @param credentials {@code user:password}; empty for none. Never printed
 * @param tlsOnly     whether it serves only relays that are spoken to in TLS
 * @param exceptions  relays that are reached without it: names, the ends of names, literal addresses, or {@code *}
 */
public record ProxyAddress(String host, int port, String credentials, boolean tlsOnly, List<String> exceptions) {

    private static final int DEFAULT_PORT = 3128;
    private static final int PORT_MAX = 65_535;

    /**
     * Reads {@code http://host:port} or {@code http://user:password@host:port}.
     *
     * @param text       as a user writes it; characters of user and password may be percent-encoded
     * @param tlsOnly    whether it serves only relays that are spoken to in TLS
     * @param exceptions names with commas between them; may be empty
     * @throws ZipException with code BAD_SETTING if it is none of these. The text is not repeated: it may hold a password
     */
    public static ProxyAddress parse(String text, boolean tlsOnly, String exceptions) {
        try {
            URI uri = new URI(text.contains("://") ? text : "http://" + text);
            String host = uri.getHost();
            int port = uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort();
            if (host == null || !"http".equalsIgnoreCase(uri.getScheme()) || port == 0 || port > PORT_MAX) {
                throw bad();
            }
            if (host.startsWith("[")) {
                host = host.substring(1, host.length() - 1);
            }
            String user = uri.getRawUserInfo();
            return new ProxyAddress(
                    host,
                    port,
                    user == null ? "" : URLDecoder.decode(user.replace("+", "%2B"), StandardCharsets.UTF_8),
                    tlsOnly,
                    Stream.of(exceptions.split(","))
                            .map(one -> one.trim().toLowerCase(Locale.ROOT))
                            .filter(one -> !one.isEmpty())
                            .toList());
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw bad();
        }
    }

    private static ZipException bad() {
        return new ZipException(
                ErrorCode.BAD_SETTING,
                "the address of the HTTP proxy: expected http://host:port or http://user:password@host:port, port 1 to "
                        + PORT_MAX);
    }

    /** Whether a relay is to be reached through this proxy. */
    public boolean serves(RelayAddress relay) {
        if (tlsOnly && !relay.scheme().isTls()) {
            return false;
        }
        return Stream.of(relay.host(), relay.name())
                .map(host -> host.toLowerCase(Locale.ROOT))
                .noneMatch(this::isException);
    }

    private boolean isException(String relay) {
        return exceptions.stream()
                .map(one -> one.startsWith("*.") ? one.substring(2) : one.startsWith(".") ? one.substring(1) : one)
                .anyMatch(one -> one.equals("*") || relay.equals(one) || relay.endsWith("." + one));
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
