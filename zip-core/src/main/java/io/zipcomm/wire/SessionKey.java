package io.zipcomm.wire;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The secret that only the members of a group know. Never printed. */
public final class SessionKey {

    /** Bytes in a key. */
    public static final int BYTES = 32;

    private static final String ALGORITHM = "HmacSHA256";

    private final SecretKeySpec key;

    /**
     * Wraps a key.
     *
     * @param secret {@link #BYTES} bytes, copied
     */
    public SessionKey(byte[] secret) {
        if (secret.length != BYTES) {
            throw new IllegalArgumentException("a session key of " + secret.length + " bytes, expected " + BYTES);
        }
        key = new SecretKeySpec(secret, ALGORITHM);
    }

    /** The HMAC-SHA256 of a text under this key. */
    public byte[] code(byte[] text) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return mac.doFinal(text);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(ALGORITHM + ", which every Java platform must have", e);
        }
    }

    /**
     * By this members of one group know each other at a relay that has never seen it, and does not know the key.
     *
     * @param epoch of the group
     */
    public byte[] membership(int epoch) {
        return code(("zip member of epoch " + epoch).getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public String toString() {
        return "session key";
    }
}
