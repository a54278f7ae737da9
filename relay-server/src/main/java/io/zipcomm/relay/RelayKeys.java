package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwx.JsonWebStructure;
import org.jose4j.keys.resolvers.VerificationKeyResolver;
import org.jose4j.lang.JoseException;
import org.jose4j.lang.UnresolvableKeyException;

/** The keys by which a relay checks tokens: several, so that one can follow another without a gap. Immutable; never printed. */
public final class RelayKeys {

    private final List<TokenKey> keys;

    private RelayKeys(List<TokenKey> keys) {
        Set<String> ids = new HashSet<>();
        for (TokenKey key : keys) {
            if (key.checks() == null || key.isPrivate()) {
                throw new ZipException(
                        ErrorCode.BAD_SETTING,
                        key + " is a private key: a relay checks tokens and wants the public half only");
            }
            if (key.id().isPresent() && !ids.add(key.id().get())) {
                throw new ZipException(
                        ErrorCode.BAD_SETTING,
                        "there are two keys with the id " + key.id().get());
            }
        }
        this.keys = List.copyOf(keys);
    }

    /**
     * A set of keys.
     *
     * @throws ZipException with code BAD_SETTING if two have one id, or one is the private half of a pair
     */
    public static RelayKeys of(TokenKey... keys) {
        return new RelayKeys(List.of(keys));
    }

    /** The one secret, whatever id tokens name. */
    public static RelayKeys of(RelaySecret secret) {
        return of(TokenKey.of(secret));
    }

    /**
     * Reads keys from files and from folders, whose hidden files and folders do not count.
     *
     * @param places read once, in this order
     * @throws ZipException with code BAD_SETTING that names the file, or the folder without keys
     */
    public static RelayKeys read(List<Path> places) {
        List<TokenKey> keys = new ArrayList<>();
        for (Path place : places) {
            for (Path file : filesOf(place)) {
                keys.addAll(TokenKey.readAll(file));
            }
        }
        return new RelayKeys(keys);
    }

    private static List<Path> filesOf(Path place) {
        if (!Files.isDirectory(place)) {
            return List.of(place);
        }
        try (Stream<Path> entries = Files.list(place)) {
            List<Path> files = entries.filter(Files::isRegularFile)
                    .filter(file -> !file.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
            if (files.isEmpty()) {
                throw new ZipException(ErrorCode.BAD_SETTING, "there are no keys in the folder " + place);
            }
            return files;
        } catch (IOException e) {
            throw new ZipException(ErrorCode.BAD_SETTING, "folder " + place + " cannot be read: " + e, e);
        }
    }

    RelayKeys and(RelayKeys others) {
        List<TokenKey> all = new ArrayList<>(keys);
        all.addAll(others.keys);
        return new RelayKeys(all);
    }

    /** Their number. */
    public int size() {
        return keys.size();
    }

    /** The key by which a token is to be checked: only ever one of the algorithm that the token names. */
    VerificationKeyResolver resolver() {
        return this::resolve;
    }

    private Key resolve(JsonWebSignature token, List<JsonWebStructure> outer) throws UnresolvableKeyException {
        String algorithm = token.getAlgorithmHeaderValue();
        String id = token.getKeyIdHeaderValue();
        List<TokenKey> fitting = keys.stream()
                .filter(key -> key.algorithm().header().equals(algorithm))
                .filter(key ->
                        id == null || key.id().isEmpty() || key.id().get().equals(id))
                .toList();
        try {
            for (TokenKey key : fitting) {
                if (fitting.size() == 1) {
                    return key.checks();
                }
                token.setKey(key.checks());
                if (token.verifySignature()) {
                    return key.checks();
                }
            }
        } catch (JoseException e) {
            throw new UnresolvableKeyException("no key checks this token", e);
        }
        throw new UnresolvableKeyException("there is no such key");
    }

    @Override
    public String toString() {
        return keys.toString();
    }
}
