package io.zipcomm.relay;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes what members are known by, and tells its own from those of another relay, or of this one before it was started again: half of
 * a ticket is random, the other half a code over that and the session, by a key that lives as long as the relay. Any thread.
 */
final class Tickets {

    /** Of a ticket. */
    static final int BYTES = 32;

    private static final int RANDOM_BYTES = BYTES / 2;
    private static final String CODE = "HmacSHA256";

    private final SecretKeySpec key;

    Tickets() {
        byte[] secret = new byte[BYTES];
        new SecureRandom().nextBytes(secret);
        key = new SecretKeySpec(secret, CODE);
    }

    /**
     * Makes one for a member of a session.
     *
     * @param random drawn for this one
     */
    byte[] issue(String session, byte[] random) {
        byte[] ticket = Arrays.copyOf(random, BYTES);
        System.arraycopy(code(session, ticket), 0, ticket, RANDOM_BYTES, BYTES - RANDOM_BYTES);
        return ticket;
    }

    /** Whether it was made here, for this session. */
    boolean isOwn(String session, byte[] ticket) {
        return ticket.length == BYTES
                && MessageDigest.isEqual(
                        Arrays.copyOf(code(session, ticket), BYTES - RANDOM_BYTES),
                        Arrays.copyOfRange(ticket, RANDOM_BYTES, BYTES));
    }

    private byte[] code(String session, byte[] ticket) {
        try {
            Mac mac = Mac.getInstance(CODE);
            mac.init(key);
            mac.update(ticket, 0, RANDOM_BYTES);
            return mac.doFinal(session.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has " + CODE, e);
        }
    }
}
