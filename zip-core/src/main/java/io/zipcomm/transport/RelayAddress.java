package io.zipcomm.transport;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;

/**
 * Where a relay listens.
 *
 * @param host name or literal address
 * @param port TCP port
 */
public record RelayAddress(String host, int port) {

    /** Port of a relay whose address names none. */
    public static final int DEFAULT_PORT = 7077;

    private static final String SCHEME = "zip://";

    /**
     * Reads {@code zip://host:port}, {@code host:port}, {@code host} or {@code [v6]:port}.
     *
     * @param text as a user writes it
     * @throws ZipException with code BAD_SETTING if it is none of these
     */
    public static RelayAddress parse(String text) {
        String rest = text.startsWith(SCHEME) ? text.substring(SCHEME.length()) : text;
        int bracket = rest.indexOf(']');
        int colon = rest.lastIndexOf(':');
        boolean port = colon > bracket && (bracket >= 0 || rest.indexOf(':') == colon);
        String host = port ? rest.substring(0, colon) : rest;
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        try {
            int number = port ? Integer.parseInt(rest.substring(colon + 1)) : DEFAULT_PORT;
            if (host.isEmpty() || host.contains("/") || number < 1 || number > 0xffff) {
                throw new NumberFormatException();
            }
            return new RelayAddress(host, number);
        } catch (NumberFormatException e) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING, "relay address '" + text + "': expected host:port or zip://host:port", e);
        }
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
