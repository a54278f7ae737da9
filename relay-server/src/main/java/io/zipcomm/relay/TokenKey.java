package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.interfaces.EdECKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.OctetKeyPairJsonWebKey;
import org.jose4j.jwk.OctetSequenceJsonWebKey;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.lang.JoseException;

/**
 * A key of tokens: a secret that signs and checks (HS256), or one half of an Ed25519 pair (EdDSA), of which the private one
 * signs and the public one checks. A key belongs to one algorithm and is never used for another. Immutable; never printed.
 */
public final class TokenKey {

    private static final String ED25519 = "Ed25519";
    private static final String PEM_BEGIN = "-----BEGIN ";

    /** Endings of file names that are not part of the key's id. */
    private static final List<String> SUFFIXES = List.of(".pub", ".pem", ".key", ".jwk", ".json");

    /** How tokens are signed. */
    public enum Algorithm {
        /** HMAC with SHA-256: whoever can check tokens can make them. */
        HS256(AlgorithmIdentifiers.HMAC_SHA256),
        /** Ed25519: relays hold public keys only. */
        EDDSA(AlgorithmIdentifiers.EDDSA);

        private final String header;

        Algorithm(String header) {
            this.header = header;
        }

        /** Name in the header of a token. */
        public String header() {
            return header;
        }
    }

    private final String id;

    /** Whether the id is its file's name, for want of a better one. */
    private final boolean namedByFile;

    private final Algorithm algorithm;

    /** Null if this key cannot check. */
    private final Key checks;

    /** Null if this key cannot sign. */
    private final Key signs;

    private TokenKey(String id, boolean namedByFile, Algorithm algorithm, Key checks, Key signs) {
        this.id = id;
        this.namedByFile = namedByFile;
        this.algorithm = algorithm;
        this.checks = checks;
        this.signs = signs;
    }

    /** A secret without id, which a relay tries for tokens with any id. */
    public static TokenKey of(RelaySecret secret) {
        return new TokenKey(null, false, Algorithm.HS256, secret.key(), secret.key());
    }

    /**
     * The same key with another id.
     *
     * @param newId as it stands in the header of tokens, {@code kid}; null for none
     */
    public TokenKey withId(String newId) {
        return new TokenKey(newId, false, algorithm, checks, signs);
    }

    private TokenKey namedBy(Path file) {
        return new TokenKey(idOf(file), true, algorithm, checks, signs);
    }

    /**
     * Reads a file with one key. What the file is, its content says: a PEM block, a JWK, or else a secret.
     *
     * @throws ZipException with code BAD_SETTING if there is not exactly one key, or one of a kind that is not used here
     */
    public static TokenKey read(Path file) {
        List<TokenKey> keys = readAll(file);
        if (keys.size() != 1) {
            throw bad(file, "has " + keys.size() + " keys: expected one");
        }
        return keys.get(0);
    }

    /**
     * Reads a file with one secret, which a relay tries for tokens with any id.
     *
     * @throws ZipException with code BAD_SETTING if it has anything else
     */
    static TokenKey readSecret(Path file) {
        TokenKey key = read(file);
        if (key.algorithm != Algorithm.HS256) {
            throw bad(
                    file,
                    "is one half of a pair and no secret: the public one goes to keys, the private one stays with those"
                            + " who mint tokens");
        }
        return key.withId(null);
    }

    /**
     * Reads a file with one key or a JWK set. Keys without an id of their own are named as the file is, without endings.
     *
     * @throws ZipException with code BAD_SETTING that names the file
     */
    static List<TokenKey> readAll(Path file) {
        try {
            byte[] content = Files.readAllBytes(file);
            String text = new String(content, StandardCharsets.ISO_8859_1).strip();
            if (text.startsWith(PEM_BEGIN)) {
                return List.of(pem(file, text));
            }
            if (text.startsWith("{") && SecretContent.text(content) != null) {
                return json(file, text);
            }
            if (text.startsWith("ssh-") || text.startsWith("ecdsa-")) {
                throw bad(file, "is a key in the form of OpenSSH: expected PEM, JWK or the bytes of a secret");
            }
            return List.of(of(RelaySecret.read(file)).namedBy(file));
        } catch (IOException e) {
            throw new ZipException(ErrorCode.BAD_SETTING, "key file " + file + " cannot be read: " + e, e);
        }
    }

    /** Anything in PEM is an Ed25519 key or refused: it is public more often than not, and must never pass for a secret. */
    private static TokenKey pem(Path file, String text) {
        String kind = text.substring(PEM_BEGIN.length(), Math.max(PEM_BEGIN.length(), text.indexOf("-----", 5)));
        String end = "-----END " + kind + "-----";
        int from = text.indexOf('\n');
        int to = text.indexOf(end);
        if (from < 0 || to < from || to + end.length() != text.length()) {
            throw bad(file, "is not one whole PEM block");
        }
        try {
            byte[] bytes = Base64.getMimeDecoder().decode(text.substring(from, to));
            KeyFactory factory = KeyFactory.getInstance(ED25519);
            return switch (kind) {
                case "PUBLIC KEY" ->
                    new TokenKey(
                            idOf(file),
                            true,
                            Algorithm.EDDSA,
                            factory.generatePublic(new X509EncodedKeySpec(bytes)),
                            null);
                case "PRIVATE KEY" ->
                    new TokenKey(
                            idOf(file),
                            true,
                            Algorithm.EDDSA,
                            null,
                            factory.generatePrivate(new PKCS8EncodedKeySpec(bytes)));
                default -> throw bad(file, "holds '" + kind + "': expected PUBLIC KEY or PRIVATE KEY of Ed25519");
            };
        } catch (InvalidKeySpecException | IllegalArgumentException e) {
            throw bad(file, "is no Ed25519 key in PEM: " + e.getMessage());
        } catch (GeneralSecurityException e) {
            throw new ZipException(ErrorCode.INTERNAL, "this JVM has no Ed25519: " + e.getMessage(), e);
        }
    }

    private static List<TokenKey> json(Path file, String text) {
        try {
            List<JsonWebKey> entries = text.contains("\"keys\"")
                    ? new JsonWebKeySet(text).getJsonWebKeys()
                    : List.of(JsonWebKey.Factory.newJwk(text));
            List<TokenKey> keys = new ArrayList<>();
            for (JsonWebKey entry : entries) {
                keys.add(jwk(file, entry));
            }
            return keys;
        } catch (JoseException e) {
            throw bad(file, "is no JWK: " + e.getMessage());
        }
    }

    private static TokenKey jwk(Path file, JsonWebKey jwk) {
        String named = jwk.getAlgorithm();
        TokenKey key;
        if (jwk instanceof OctetSequenceJsonWebKey secret) {
            key = of(RelaySecret.of(secret.getOctetSequence(), "secret in key file " + file));
        } else if (jwk instanceof OctetKeyPairJsonWebKey pair
                && pair.getPublicKey() instanceof EdECKey edwards
                && edwards.getParams().getName().equals(ED25519)) {
            key = new TokenKey(null, false, Algorithm.EDDSA, pair.getPublicKey(), pair.getPrivateKey());
        } else {
            throw bad(file, "holds a JWK of another kind: expected oct, or OKP with crv Ed25519");
        }
        if (named != null && !named.equals(key.algorithm.header())) {
            throw bad(file, "holds a JWK for " + named + ": expected " + key.algorithm.header());
        }
        return jwk.getKeyId() == null ? key.namedBy(file) : key.withId(jwk.getKeyId());
    }

    /** Name of the file without its endings. */
    static String idOf(Path file) {
        String name = file.getFileName().toString();
        for (String suffix : SUFFIXES) {
            if (name.endsWith(suffix) && name.length() > suffix.length()) {
                name = name.substring(0, name.length() - suffix.length());
            }
        }
        return name;
    }

    private static ZipException bad(Path file, String what) {
        return new ZipException(ErrorCode.BAD_SETTING, "key file " + file + " " + what);
    }

    /** Its id in the header of tokens. */
    public Optional<String> id() {
        return Optional.ofNullable(id);
    }

    /** Its id, unless that is only the name of its file. */
    public Optional<String> ownId() {
        return namedByFile ? Optional.empty() : id();
    }

    /** The only algorithm that it is used for. */
    public Algorithm algorithm() {
        return algorithm;
    }

    /** Whether tokens can be signed with it. */
    public boolean canSign() {
        return signs != null;
    }

    /** Whether it holds the private half of a pair, which no relay needs. */
    boolean isPrivate() {
        return signs instanceof PrivateKey;
    }

    Key signs() {
        return signs;
    }

    Key checks() {
        return checks;
    }

    @Override
    public String toString() {
        return algorithm.header() + " key" + (id == null ? "" : " " + id);
    }
}
