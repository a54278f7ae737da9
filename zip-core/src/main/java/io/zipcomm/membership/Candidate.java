package io.zipcomm.membership;

import java.util.regex.Pattern;

/**
 * Where a rank may be reached without the relay.
 *
 * @param kind      who can use it
 * @param transport name of the path it leads to, such as {@code tcp}
 * @param host      literal IPv4 or IPv6 address; of {@link Kind#MEMORY} what names the memory; of {@link Kind#FABRIC} a
 *     provider, a slash and the address that the provider gives, in hexadecimal digits
 * @param port      port; of {@link Kind#MEMORY} and {@link Kind#FABRIC} 0
 */
public record Candidate(Kind kind, String transport, String host, int port) {

    /** Who can use an address. */
    public enum Kind {
        /** An address of one of the rank's own interfaces. */
        PRIVATE,
        /** Ranks with the same host id only. */
        LOOPBACK,
        /** Where the relay saw the rank come from, with the port that the rank listens on. */
        OBSERVED,
        /** Ranks that see the same memory only. */
        MEMORY,
        /** Ranks that use the same provider of a fabric only. */
        FABRIC
    }

    private static final String BYTE = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
    private static final Pattern IPV4 = Pattern.compile(BYTE + "(\\." + BYTE + "){3}");

    /** No scope: it means something on one machine only. */
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F.]*:[0-9a-fA-F:.]*");

    private static final int PORT_MAX = 0xffff;

    private static final Pattern MEMORY = Pattern.compile("[0-9a-zA-Z./_-]{1,200}");

    /** Addresses of fabrics have 512 bytes at most. */
    private static final Pattern FABRIC = Pattern.compile("[0-9a-zA-Z_;-]{1,64}/([0-9a-f]{2}){1,512}");

    /** Whether it can be what its kind says, whatever another rank may think of it. */
    public boolean isSound() {
        return switch (kind) {
            case MEMORY -> port == 0 && MEMORY.matcher(host).matches();
            case FABRIC -> port == 0 && FABRIC.matcher(host).matches();
            case PRIVATE, LOOPBACK, OBSERVED -> isAddress();
        };
    }

    /** Whether it is an address at all, not a name that would have to be looked up, and a port that there can be. */
    public boolean isAddress() {
        return port > 0
                && port <= PORT_MAX
                && (IPV4.matcher(host).matches() || IPV6.matcher(host).matches());
    }

    /** Of a {@link Kind#FABRIC} the name of the provider. */
    public String provider() {
        return host.substring(0, Math.max(0, host.indexOf('/')));
    }

    @Override
    public String toString() {
        return kind == Kind.MEMORY || kind == Kind.FABRIC ? host : host + ":" + port;
    }
}
