package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which files are secrets: those that people make, and none that others may have read. */
@Tag("once")
final class SecretFileTest {

    private static final String PEM_WITHOUT_END = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n";

    @TempDir
    private Path folder;

    private static String problem(Runnable wrong) {
        ZipException problem = assertThrows(ZipException.class, wrong::run);
        assertEquals(ErrorCode.BAD_SETTING, problem.code());
        return problem.getMessage();
    }

    private static PublicKey key(String algorithm) throws Exception {
        return KeyPairGenerator.getInstance(algorithm).generateKeyPair().getPublic();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        Arrays.asList(parts).forEach(all::writeBytes);
        return all.toByteArray();
    }

    private static String pem(PublicKey key) {
        return "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder(64, ascii("\n")).encodeToString(key.getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
    }

    /** What a relay is given by accident, or is told to be a secret by who has no right to say so. */
    private static Map<String, byte[]> whatOthersMayHave() throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (String algorithm : List.of("Ed25519", "RSA", "EC")) {
            PublicKey key = key(algorithm);
            byte[] der = key.getEncoded();
            String pem = pem(key);
            byte[] ssh = joined(new byte[] {0, 0, 0, 11}, ascii("ssh-ed25519"), new byte[] {0, 0, 0, 32}, new byte[32]);
            files.put(algorithm + ": byte order mark", ("\ufeff" + pem).getBytes(StandardCharsets.UTF_8));
            files.put(algorithm + ": UTF-16", ("\ufeff" + pem).getBytes(StandardCharsets.UTF_16LE));
            files.put(algorithm + ": UTF-16 without a mark", pem.getBytes(StandardCharsets.UTF_16BE));
            files.put(algorithm + ": comment", ascii("# the relay's\n" + pem));
            files.put(algorithm + ": a word before", ascii("key=" + pem));
            files.put(algorithm + ": DER", der);
            files.put(algorithm + ": DER and a line end", joined(der, ascii("\r\n")));
            files.put(algorithm + ": DER after a line end", joined(ascii("\n"), der));
            files.put(algorithm + ": base64", Base64.getEncoder().encode(der));
            files.put(algorithm + ": base64 after a word", ascii("the relay's key: " + base64(der) + " of 2026"));
            files.put(
                    algorithm + ": hexadecimal after a word",
                    ascii("key=" + HexFormat.of().formatHex(der)));
            files.put(algorithm + ": base64 in lines", Base64.getMimeEncoder().encode(der));
            files.put(
                    algorithm + ": base64 for addresses",
                    Base64.getUrlEncoder().withoutPadding().encode(der));
            files.put(
                    algorithm + ": base64 of base64",
                    Base64.getEncoder().encode(Base64.getEncoder().encode(der)));
            files.put(algorithm + ": base64 of PEM", Base64.getEncoder().encode(ascii(pem)));
            files.put(algorithm + ": hexadecimal", ascii(HexFormat.of().formatHex(der)));
            files.put(algorithm + ": OpenSSH after a comment", ascii("me ssh-ed25519 " + base64(ssh)));
            files.put(algorithm + ": OpenSSH without a name", ascii(base64(ssh)));
        }
        files.put("PEM without end", ascii("x" + PEM_WITHOUT_END));
        files.put(
                "JWK after a mark",
                ("\ufeff{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" + base64(new byte[32]) + "\"}")
                        .getBytes(StandardCharsets.UTF_8));
        files.put("JWK after a word", ascii("key={\"kty\":\"OKP\",\"x\":\"" + base64(new byte[32]) + "\"}"));
        files.put("lines", ascii("keys\n====\n\nhere-are-the-keys-of-the-relay.\n"));
        return files;
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    /** Whoever knows it would forge tokens. */
    @Test
    void shouldTakeNothingForASecretThatOthersMayHave() throws Exception {
        Path keys = Files.createDirectory(folder.resolve("keys"));
        Path file = keys.resolve("relay.pub");
        for (Map.Entry<String, byte[]> one : whatOthersMayHave().entrySet()) {
            Files.write(file, one.getValue());
            for (Runnable use : List.<Runnable>of(
                    () -> RelayKeys.read(List.of(keys)),
                    () -> RelaySettings.builder().secretFile(file).build(),
                    () -> TokenKey.read(file),
                    () -> RelaySecret.read(file))) {
                String told =
                        assertThrows(ZipException.class, use::run, one.getKey()).getMessage();
                assertTrue(told.contains(file.toString()), one.getKey() + ": " + told);
                assertTrue(told.contains("zip token --new-key"), one.getKey() + ": " + told);
            }
        }
    }

    /** Each half of the pair, whose PEM is right, where a secret is wanted. */
    @Test
    void shouldSayWhereAPairBelongsThatIsGivenAsSecret() {
        Path file = folder.resolve("relay.pem");
        TokenKeyFiles.generate(TokenKey.Algorithm.EDDSA, file);
        for (String name : List.of("relay.pem", "relay.pem.pub")) {
            Path half = folder.resolve(name);
            String told = problem(() -> RelaySettings.builder().secretFile(half).build());
            assertTrue(told.contains(half.toString()), told);
            assertTrue(told.contains("no secret"), told);
            assertTrue(told.contains("the public one goes to keys"), told);
            assertTrue(problem(() -> RelaySecret.read(half)).contains(half.toString()));
        }
    }

    @Test
    void shouldTakeNoPublicKeyFromMemoryEither() throws Exception {
        PublicKey key = key("Ed25519");
        for (byte[] known :
                List.of(ascii(pem(key)), key.getEncoded(), Base64.getEncoder().encode(key.getEncoded()))) {
            assertTrue(problem(() -> RelaySecret.of(known)).contains("public key"));
        }
        String jwk = "{\"kty\":\"oct\",\"k\":\""
                + Base64.getUrlEncoder().withoutPadding().encodeToString(key.getEncoded()) + "\"}";
        Path file = Files.writeString(folder.resolve("x.jwk"), jwk);
        assertTrue(problem(() -> TokenKey.read(file)).contains("public key"));
        RelaySecret.of(ascii("words that somebody remembers, and nobody else"));
    }

    /** As the documents, openssl, coreutils and editors make them. */
    private static Map<String, byte[]> whatPeopleMake() {
        Random random = new Random(3);
        byte[] bytes = new byte[48];
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (int i = 0; i < 500; i++) {
            random.nextBytes(bytes);
            files.put("bytes " + i, bytes.clone());
            files.put("hexadecimal " + i, ascii(HexFormat.of().formatHex(bytes) + "\n"));
            files.put("base64 " + i, Base64.getEncoder().encode(bytes));
        }
        byte[] many = new byte[200];
        random.nextBytes(many);
        files.put(
                "base64 in lines", joined(Base64.getMimeEncoder(64, ascii("\n")).encode(many), ascii("\n")));
        files.put(
                "base64 in lines of another system",
                Base64.getMimeEncoder(76, ascii("\r\n")).encode(many));
        files.put("digits", ascii("0".repeat(50)));
        files.put("a word", ascii("correct-horse:battery/staple!Tr0ub4dor&3\r\n"));
        files.put(
                "a word of another alphabet",
                "\u043f\u0430\u0440\u043e\u043b\u044c".repeat(4).getBytes(StandardCharsets.UTF_8));
        files.put("a phrase", ascii("words that somebody remembers, and nobody else\n"));
        files.put("JWK", ascii("{\"kty\":\"oct\",\"kid\":\"k1\",\"k\":\"" + "Q".repeat(43) + "\"}\n"));
        return files;
    }

    @Test
    void shouldTakeTheSecretsThatPeopleMake() throws IOException {
        Path keys = Files.createDirectory(folder.resolve("keys"));
        Path file = keys.resolve("relay.key");
        for (Map.Entry<String, byte[]> one : whatPeopleMake().entrySet()) {
            Files.write(file, one.getValue());
            TokenKey key = TokenKey.read(file);
            String token = RelayTokens.mint(key.withId(key.ownId().orElse(null)), TokenRequest.forSession("s"));
            RelayKeys given =
                    RelaySettings.builder().secretFile(file).build().keys().orElseThrow();
            for (RelayKeys those : List.of(given, RelayKeys.read(List.of(keys)))) {
                assertNull(new RelayTokens(those, false).check(token, "s", 0).refusal(), one.getKey());
            }
        }
    }

    @Test
    void shouldTakeTheSecretsThatItMakes() {
        for (int i = 0; i < 200; i++) {
            Path file = folder.resolve(i + ".key");
            TokenKeyFiles.generate(TokenKey.Algorithm.HS256, file);
            assertEquals(TokenKey.Algorithm.HS256, TokenKey.read(file).algorithm());
            RelaySecret.random();
        }
    }

    /** Not for the name of a file only: a key in a JWK has its own id, and the relay asks for none. */
    @Test
    void shouldTakeTheSecretFileForTokensWithAnyId() throws IOException {
        Path file = Files.writeString(
                folder.resolve("x.jwk"), "{\"kty\":\"oct\",\"kid\":\"k1\",\"k\":\"" + "Q".repeat(43) + "\"}");
        RelayKeys given =
                RelaySettings.builder().secretFile(file).build().keys().orElseThrow();
        String token = RelayTokens.mint(TokenKey.read(file).withId("another"), TokenRequest.forSession("s"));
        assertNull(new RelayTokens(given, false).check(token, "s", 0).refusal());
    }
}
