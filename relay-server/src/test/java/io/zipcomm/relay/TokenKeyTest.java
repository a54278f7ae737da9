package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.TokenRequest.Quota;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys of tokens: files, kinds, ids, rotation. */
final class TokenKeyTest {

    @TempDir
    private Path folder;

    private Path privateFile;
    private Path publicFile;
    private Path secretFile;

    @BeforeEach
    void makeKeys() throws IOException {
        secretFile = folder.resolve("old.key");
        privateFile = folder.resolve("private").resolve("new.pem");
        Files.createDirectory(privateFile.getParent());
        assertEquals(List.of(secretFile), TokenKeyFiles.generate(TokenKey.Algorithm.HS256, secretFile));
        List<Path> pair = TokenKeyFiles.generate(TokenKey.Algorithm.EDDSA, privateFile);
        publicFile = Files.move(pair.get(1), folder.resolve("new.pem.pub"));
    }

    private static TokenRequest request() {
        return TokenRequest.forSession("s").expires(Instant.now().plusSeconds(60));
    }

    private static Refusal refusal(RelayKeys keys, String token) {
        return new RelayTokens(keys, false).check(token, "s", 0).refusal();
    }

    private static void expectNotValid(RelayKeys keys, String token) {
        assertEquals(new Refusal(ErrorCode.UNAUTHORIZED, "the token is not valid here"), refusal(keys, token), token);
    }

    private static String problem(Runnable wrong) {
        ZipException problem = assertThrows(ZipException.class, wrong::run);
        assertEquals(ErrorCode.BAD_SETTING, problem.code());
        return problem.getMessage();
    }

    // Files

    @Test
    void shouldMakeKeyFilesThatOnlyTheirOwnerReads() throws IOException {
        for (Path file : List.of(secretFile, privateFile)) {
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        }
        assertTrue(problem(() -> TokenKeyFiles.generate(TokenKey.Algorithm.HS256, secretFile))
                .contains("is there already"));
        byte[] before = Files.readAllBytes(privateFile);
        Files.copy(publicFile, privateFile.resolveSibling("new.pem.pub"));
        assertTrue(problem(() -> TokenKeyFiles.generate(TokenKey.Algorithm.EDDSA, privateFile))
                .contains("is there already"));
        assertEquals(new String(before, StandardCharsets.US_ASCII), Files.readString(privateFile));
    }

    @Test
    void shouldCheckTokensOfBothKindsByTheKeysOfFolder() {
        RelayKeys keys = RelayKeys.read(List.of(folder));
        assertEquals(2, keys.size());
        TokenKey secret = TokenKey.read(secretFile);
        TokenKey pair = TokenKey.read(privateFile);
        assertEquals("old", secret.id().orElseThrow());
        assertEquals("new", pair.id().orElseThrow());
        for (TokenKey key : List.of(secret, pair)) {
            assertNull(refusal(keys, RelayTokens.mint(key, request())));
            assertNull(refusal(keys, RelayTokens.mint(key.withId(null), request())));
            expectNotValid(keys, RelayTokens.mint(key.withId("another"), request()));
        }
        assertFalse(keys.toString().contains("BEGIN"));
    }

    @Test
    void shouldTryAllKeysOfTheAlgorithmForTokenWithoutId() throws IOException {
        Files.writeString(folder.resolve("a.key"), "a".repeat(32));
        Files.writeString(folder.resolve("b.key"), "b".repeat(32));
        RelayKeys keys = RelayKeys.read(List.of(folder));
        for (String file : List.of("a.key", "b.key", "old.key")) {
            TokenKey key = TokenKey.read(folder.resolve(file)).withId(null);
            assertNull(refusal(keys, RelayTokens.mint(key, request())), file);
        }
        expectNotValid(keys, RelayTokens.mint(TokenKey.of(RelaySecret.random()), request()));
    }

    @Test
    void shouldReadJwkAndJwkSet() throws Exception {
        PublicKey key = KeyFactory.getInstance("Ed25519")
                .generatePublic(new X509EncodedKeySpec(Base64.getMimeDecoder()
                        .decode(Files.readString(publicFile).replaceAll("-----.*-----", ""))));
        JsonWebKey jwk = JsonWebKey.Factory.newJwk(key);
        Path one = Files.writeString(folder.resolve("one.jwk"), jwk.toJson());
        assertEquals("one", TokenKey.read(one).id().orElseThrow());
        jwk.setKeyId("named");
        JsonWebKey secret = JsonWebKey.Factory.newJwk(
                "{\"kty\":\"oct\",\"kid\":\"other\",\"k\":\"" + "A".repeat(43) + "\",\"alg\":\"HS256\"}");
        Path set = Files.writeString(
                folder.resolve("set.json"),
                new JsonWebKeySet(jwk, secret).toJson(JsonWebKey.OutputControlLevel.INCLUDE_SYMMETRIC));
        RelayKeys keys = RelayKeys.read(List.of(set));
        assertEquals(2, keys.size());
        assertNull(refusal(keys, RelayTokens.mint(TokenKey.read(privateFile).withId("named"), request())));
        assertNull(refusal(
                keys, RelayTokens.mint(TokenKey.of(RelaySecret.of(new byte[32])).withId("other"), request())));
    }

    @Test
    void shouldRefuseFilesThatAreNoKeysOfTheirs() throws Exception {
        Path file = folder.resolve("x");
        var rsa = KeyPairGenerator.getInstance("RSA").generateKeyPair().getPublic();
        String rsaPem = "-----BEGIN PUBLIC KEY-----\n" + Base64.getMimeEncoder().encodeToString(rsa.getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
        for (String wrong : List.of(
                rsaPem,
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "-----BEGIN " + "x".repeat(100),
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO5Y8mcJ6e8T1q0Z9ZlT8rE0 someone@example.net",
                "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
                "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
                "{\"kty\":\"oct\",\"alg\":\"HS512\",\"k\":\"" + "A".repeat(86) + "\"}",
                "{\"keys\":[]}",
                "{",
                "too short")) {
            Files.writeString(file, wrong);
            String told = problem(() -> TokenKey.read(file));
            assertTrue(told.contains(file.toString()) || told.contains("32 or more"), told);
        }
    }

    @Test
    void shouldWantNoPrivateKeyOnTheRelay() {
        assertTrue(problem(() -> RelayKeys.read(List.of(privateFile))).contains("wants the public half only"));
        assertTrue(problem(() -> RelayTokens.mint(TokenKey.read(publicFile), request()))
                .contains("signs none"));
    }

    @Test
    void shouldRefuseTwoKeysWithOneId() throws IOException {
        Files.copy(secretFile, folder.resolve("old"));
        assertTrue(problem(() -> RelayKeys.read(List.of(folder))).contains("two keys with the id old"));
        assertTrue(
                problem(() -> RelayKeys.read(List.of(folder.resolve("none")))).contains("cannot be read"));
        Path empty = folder.resolve("private").resolve("empty");
        assertTrue(empty.toFile().mkdir());
        assertTrue(problem(() -> RelayKeys.read(List.of(empty))).contains("no keys in the folder"));
    }

    // One algorithm for each key

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String forged(String header, byte[] hmacKey) throws Exception {
        String signed = base64(header.getBytes(StandardCharsets.UTF_8)) + "."
                + base64("{\"session\":\"s\"}".getBytes(StandardCharsets.UTF_8));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(hmacKey, "HmacSHA256"));
        return signed + "." + base64(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII)));
    }

    /** Who knows the public key must not get in by using it as a secret, in whatever form. */
    @Test
    void shouldNeverTakePublicKeyForSecret() throws Exception {
        RelayKeys publicOnly = RelayKeys.read(List.of(publicFile));
        RelayKeys both = RelayKeys.read(List.of(folder));
        String pem = Files.readString(publicFile);
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----.*-----", ""));
        byte[] raw = Arrays.copyOfRange(der, der.length - 32, der.length);
        for (byte[] known : List.of(
                pem.getBytes(StandardCharsets.US_ASCII), pem.strip().getBytes(StandardCharsets.US_ASCII), der, raw)) {
            for (String header : List.of(
                    "{\"alg\":\"HS256\"}",
                    "{\"alg\":\"HS256\",\"kid\":\"new\"}",
                    "{\"alg\":\"EdDSA\",\"kid\":\"new\"}",
                    "{\"alg\":\"EdDSA\"}")) {
                expectNotValid(publicOnly, forged(header, known));
                expectNotValid(both, forged(header, known));
            }
        }
        // The helper forges rightly: with the secret it gets in.
        byte[] secret = Files.readString(secretFile).strip().getBytes(StandardCharsets.US_ASCII);
        assertNull(refusal(both, forged("{\"alg\":\"HS256\",\"kid\":\"old\"}", secret)));
        expectNotValid(both, forged("{\"alg\":\"HS256\",\"kid\":\"new\"}", secret));
        expectNotValid(both, forged("{\"alg\":\"none\"}", secret));
        expectNotValid(both, forged("{\"alg\":\"HS256\",\"crit\":[\"x\"],\"x\":1}", secret));
    }

    /** A key that the token brings along is not asked. */
    @Test
    void shouldNotTakeKeyFromTheToken() throws Exception {
        String jwk = "{\"kty\":\"oct\",\"k\":\"" + base64(new byte[32]) + "\"}";
        expectNotValid(
                RelayKeys.read(List.of(folder)), forged("{\"alg\":\"HS256\",\"jwk\":" + jwk + "}", new byte[32]));
    }

    // Claims

    @Test
    void shouldRefuseTokenThatIsNotValidYet() {
        TokenKey key = TokenKey.read(privateFile);
        RelayKeys keys = RelayKeys.read(List.of(folder));
        String early = RelayTokens.mint(key, request().notBefore(Instant.now().plus(Duration.ofMinutes(1))));
        assertEquals("the token is not valid yet", refusal(keys, early).reason());
        assertNull(refusal(keys, RelayTokens.mint(key, request().notBefore(Instant.now()))));
    }

    @Test
    void shouldGrantQuotas() {
        TokenKey key = TokenKey.read(privateFile);
        RelayTokens tokens = new RelayTokens(RelayKeys.read(List.of(folder)), true);
        TokenRequest request = request()
                .quota(Quota.RANKS_MAX, 4)
                .quota(Quota.SESSIONS_MAX, 2)
                .quota(Quota.BYTES_PER_SECOND, 10_000_000_000L)
                .quota(Quota.SESSION_BYTES_PER_SECOND, 5);
        assertEquals(
                new Grant("s", 2, 4, 10_000_000_000L, 5),
                tokens.check(RelayTokens.mint(key, request), "s", 0).grant());
        assertEquals(
                new Grant("s", 0, 0, 0, 0),
                tokens.check(RelayTokens.mint(key, request()), "s", 0).grant());
        assertTrue(problem(() -> request().quota(Quota.RANKS_MAX, 0)).contains("ranks_max is 0"));
    }

    @Test
    void shouldRefuseTokenWithQuotaThatIsNone() throws Exception {
        RelayKeys keys = RelayKeys.read(List.of(folder));
        byte[] secret = Files.readString(secretFile).strip().getBytes(StandardCharsets.US_ASCII);
        for (String value : List.of("0", "-1", "\"many\"", "1.5", "true", "[1]", "1e400")) {
            String signed = base64("{\"alg\":\"HS256\"}".getBytes(StandardCharsets.UTF_8)) + "."
                    + base64(("{\"session\":\"s\",\"ranks_max\":" + value + "}").getBytes(StandardCharsets.UTF_8));
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            expectNotValid(keys, signed + "." + base64(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII))));
        }
    }

    // Rotation

    @Test
    void shouldFollowKeysOfReloadWithoutDroppingSessions() throws IOException {
        RelaySettings.Builder settings =
                RelaySettings.builder().listen("127.0.0.1:0").set(RelayOption.KEYS, folder.toString());
        try (RelayFixture fixture = new RelayFixture(settings)) {
            String old = RelayTokens.mint(TokenKey.read(secretFile), TokenRequest.forSession("*"));
            String fresh = RelayTokens.mint(TokenKey.read(privateFile), TokenRequest.forSession("*"));
            TestRank first =
                    fixture.opened(TestRank.attached(fixture.at, join("s", 2, 0).setToken(old)));
            TestRank second =
                    fixture.opened(TestRank.attached(fixture.at, join("s", 2, 1).setToken(fresh)));
            first.awaitReady();
            second.awaitReady();
            Files.delete(secretFile);
            fixture.relay.reload(settings.build());
            TestRank late =
                    fixture.opened(TestRank.asking(fixture.at, join("t", 2, 0).setToken(old)));
            assertEquals("the token is not valid here", late.expectRefusal(ErrorCode.UNAUTHORIZED));
            fixture.opened(TestRank.admitted(fixture.at, join("t", 2, 0).setToken(fresh)));
            // Its key is gone, and it works on.
            first.send(1, new byte[] {3});
            assertEquals(3, second.receive().payload()[0]);
            first.roundTrip();
            RelaySettings open = RelayFixture.insecure().build();
            assertTrue(problem(() -> fixture.relay.reload(open)).contains("insecure"));
        }
    }
}
