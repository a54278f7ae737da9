package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import org.jose4j.keys.HmacKey;

/** What the relay and those who mint tokens share. Immutable; never printed. */
public final class RelaySecret {

    /** HMAC-SHA256 wants a key as long as its output. */
    public static final int BYTES_MIN = 32;

    private final byte[] bytes;

    private RelaySecret(byte[] bytes, String where) {
        if (bytes.length < BYTES_MIN) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    where + " has " + bytes.length + " bytes: expected " + BYTES_MIN + " or more, hard to guess");
        }
        refuse(where, SecretContent.disclosed(bytes));
        this.bytes = bytes;
    }

    private static void refuse(String where, String problem) {
        if (problem != null) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    where + " " + problem + ": a secret is random bytes or one line that nobody else has, such as"
                            + " 'zip token --new-key FILE' makes; a public key is PEM or JWK with nothing around it");
        }
    }

    /**
     * A secret from memory.
     *
     * @param bytes 32 or more; copied
     * @throws ZipException with code BAD_SETTING if it is shorter, or may be a public key
     */
    public static RelaySecret of(byte[] bytes) {
        return of(bytes, "secret");
    }

    static RelaySecret of(byte[] bytes, String where) {
        return new RelaySecret(bytes.clone(), where);
    }

    /** A new random secret, for a relay whose tokens are minted by the same process. */
    public static RelaySecret random() {
        byte[] random = new byte[BYTES_MIN];
        new SecureRandom().nextBytes(random);
        return new RelaySecret(Base64.getUrlEncoder().withoutPadding().encode(random), "secret");
    }

    /**
     * Reads a secret file: random bytes, one line, or base64 in lines. ASCII white space at its ends is not part of the
     * secret.
     *
     * @param file read once
     * @throws ZipException with code BAD_SETTING if it cannot be read, is too short, or may be a public key or a note
     */
    public static RelaySecret read(Path file) {
        String where = "secret file " + file;
        try {
            byte[] content = Files.readAllBytes(file);
            byte[] bytes = strip(content);
            // Before it is stripped too: the last byte of a public key may look like white space.
            refuse(where, SecretContent.disclosed(content));
            refuse(where, SecretContent.wrongForm(bytes));
            return new RelaySecret(bytes, where);
        } catch (IOException e) {
            throw new ZipException(ErrorCode.BAD_SETTING, "secret file " + file + " cannot be read: " + e, e);
        }
    }

    private static byte[] strip(byte[] bytes) {
        int from = 0;
        int to = bytes.length;
        while (from < to && isSpace(bytes[from])) {
            from++;
        }
        while (to > from && isSpace(bytes[to - 1])) {
            to--;
        }
        return Arrays.copyOfRange(bytes, from, to);
    }

    static boolean isSpace(byte b) {
        return b == ' ' || (b >= '\t' && b <= '\r');
    }

    Key key() {
        return new HmacKey(bytes);
    }

    @Override
    public String toString() {
        return "secret of " + bytes.length + " bytes";
    }
}
