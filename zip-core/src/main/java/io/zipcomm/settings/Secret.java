package io.zipcomm.settings;

import java.nio.charset.StandardCharsets;

/** A text that only members of a group know. Never printed. */
public final class Secret {

    /** Shorter ones could be guessed. */
    public static final int CHARACTERS_MIN = 16;

    /** No secret. */
    static final Secret NONE = new Secret("");

    private final byte[] bytes;

    Secret(String text) {
        bytes = text.getBytes(StandardCharsets.UTF_8);
    }

    /** Whether there is none. */
    public boolean isEmpty() {
        return bytes.length == 0;
    }

    /** A copy of its bytes. */
    public byte[] bytes() {
        return bytes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Secret secret && java.security.MessageDigest.isEqual(bytes, secret.bytes);
    }

    @Override
    public int hashCode() {
        return Secret.class.hashCode();
    }

    @Override
    public String toString() {
        return isEmpty() ? "none" : "***";
    }
}
