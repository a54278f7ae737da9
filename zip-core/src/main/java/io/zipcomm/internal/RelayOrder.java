package io.zipcomm.internal;

import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.NameLookup;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Which of several relays a session prefers: each has a weight, a hash of session and relay (rendezvous hashing). All ranks
 * find the same order, in whatever order they know the relays; sessions spread evenly, and if a relay goes, only its own
 * sessions go elsewhere.
 */
public final class RelayOrder {

    private RelayOrder() {}

    /** Whether there is a choice of relays. */
    public static boolean isChoice(ZipSettings settings) {
        return settings.relays().size() > 1 || settings.relay().eachAddress();
    }

    /** The relays in the order in which a session tries them. */
    static List<RelayAddress> of(String session, List<RelayAddress> relays) {
        Map<RelayAddress, Long> weights = new HashMap<>();
        relays.forEach(relay -> weights.put(relay, weight(session, relay)));
        return weights.keySet().stream()
                .sorted(Comparator.<RelayAddress, Long>comparing(weights::get, Long::compareUnsigned)
                        .reversed()
                        .thenComparing(RelayAddress::toString))
                .toList();
    }

    /** Host and port only: a relay is the same however it is spoken to. */
    private static long weight(String session, RelayAddress relay) {
        String text = session + "\n" + relay.hostAndPort().toLowerCase(Locale.ROOT);
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(hash).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /**
     * Puts the addresses of a name in its place where each is a relay. If it has addresses of IPv4 they alone count, since
     * a relay with two addresses would be two.
     *
     * @param leftNs how long to wait for the system's resolver
     */
    static List<RelayAddress> resolved(List<RelayAddress> relays, long leftNs)
            throws IOException, InterruptedException {
        long deadlineNs = System.nanoTime() + leftNs;
        List<RelayAddress> resolved = new ArrayList<>();
        for (RelayAddress relay : relays) {
            if (!relay.eachAddress()) {
                resolved.add(relay);
                continue;
            }
            InetAddress[] addresses = NameLookup.of(relay.host(), deadlineNs - System.nanoTime());
            boolean four = Arrays.stream(addresses).anyMatch(Inet4Address.class::isInstance);
            for (InetAddress address : addresses) {
                if (four == address instanceof Inet4Address) {
                    resolved.add(relay.at(address.getHostAddress()));
                }
            }
        }
        return resolved.stream().distinct().toList();
    }
}
