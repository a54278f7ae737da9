package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may join. */
final class TokenTest {

    private static final RelaySecret SECRET = RelaySecret.random();

    private RelayFixture fixture = new RelayFixture(secured());

    private static RelaySettings.Builder secured() {
        return RelaySettings.builder().listen("127.0.0.1:0").secret(SECRET);
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    private static String mint(String session, String ranks, Duration lifetime) {
        return RelayTokens.mint(SECRET, session, Optional.ofNullable(ranks), Optional.ofNullable(lifetime));
    }

    private TestRank asking(String session, int rank, String token) {
        return fixture.opened(TestRank.asking(fixture.at, join(session, 4, rank).setToken(token)));
    }

    private void expectRefusal(String expected, String session, int rank, String token) {
        assertEquals(expected, asking(session, rank, token).expectRefusal(ErrorCode.UNAUTHORIZED));
        assertEquals(0, fixture.relay.stats().sessionsOpened());
    }

    @Test
    void shouldAdmitWithTokenForTheSession() {
        asking("s", 0, mint("s", null, null)).awaitAdmitted();
        asking("s", 1, mint("s*", null, Duration.ofMinutes(1))).awaitAdmitted();
        asking("s", 2, mint("*", "2", null)).awaitAdmitted();
        asking("s", -1, mint("s", null, null)).awaitAdmitted();
        asking("nightly-7", 3, mint("nightly-*", "1-3", null)).awaitAdmitted();
    }

    @Test
    void shouldRefuseToJoinWithoutToken() {
        expectRefusal("this relay wants a token", "s", 0, "");
    }

    @Test
    void shouldRefuseTokenForAnotherSession() {
        expectRefusal("the token is for another session", "s", 0, mint("t", null, null));
        expectRefusal("the token is for another session", "s", 0, mint("s2", null, null));
        expectRefusal("the token is for another session", "nightly", 0, mint("nightly-*", null, null));
    }

    @Test
    void shouldRefuseTokenForOtherRanks() {
        expectRefusal("the token is not for rank 0", "s", 0, mint("s", "1-3", null));
        expectRefusal("the token is for ranks 1-3: ask for one of them", "s", -1, mint("s", "1-3", null));
    }

    @Test
    void shouldRefuseExpiredToken() {
        expectRefusal("the token has expired", "s", 0, mint("s", null, Duration.ofMinutes(-1)));
    }

    @Test
    void shouldRefuseTokenThatNeverExpiresIfToldTo() {
        fixture.close();
        fixture = new RelayFixture(secured().set(RelayOption.TOKEN_EXPIRY_REQUIRED, "true"));
        expectRefusal("the token is not valid here", "s", 0, mint("s", null, null));
        asking("s", 0, mint("s", null, Duration.ofMinutes(1))).awaitAdmitted();
    }

    @Test
    void shouldRefuseTokenOfAnotherSecret() {
        String foreign = RelayTokens.mint(RelaySecret.random(), "s", Optional.empty(), Optional.empty());
        expectRefusal("the token is not valid here", "s", 0, foreign);
        // Says nothing of what is in it, right or wrong.
        String expired =
                RelayTokens.mint(RelaySecret.random(), "t", Optional.empty(), Optional.of(Duration.ofMinutes(-1)));
        expectRefusal("the token is not valid here", "s", 0, expired);
    }

    @Test
    void shouldRefuseTokenWithoutSignature() {
        String claims = base64("{\"session\":\"s\"}");
        for (String header : new String[] {"{\"alg\":\"none\"}", "{\"alg\":\"HS512\"}", "{}", "{"}) {
            expectRefusal("the token is not valid here", "s", 0, base64(header) + "." + claims + ".");
        }
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void shouldRefuseEveryChangeOfToken() {
        RelayTokens tokens = new RelayTokens(RelayKeys.of(SECRET), false);
        String right = mint("s", "0-3", Duration.ofMinutes(1));
        long seed = 17;
        Random random = new Random(seed);
        for (int i = 0; i < 2000; i++) {
            char[] wrong = right.toCharArray();
            // The last character of a part may have bits that mean nothing.
            int at = random.nextInt(right.lastIndexOf('.') - 1);
            wrong[at] = wrong[at] == 'A' ? 'B' : 'A';
            int length = random.nextBoolean() ? wrong.length : random.nextInt(wrong.length);
            Refusal refusal = tokens.check(new String(wrong, 0, length), "s", 1).refusal();
            assertEquals(ErrorCode.UNAUTHORIZED, refusal.code(), "seed " + seed + ", round " + i);
        }
    }

    @Test
    void shouldRefuseTheTokenBeforeItSaysAnythingOfTheSession() {
        asking("s", 0, mint("s", null, null)).awaitAdmitted();
        TestRank stranger =
                fixture.opened(TestRank.asking(fixture.at, join("s", 99, 0).setToken("x")));
        assertEquals("the token is not valid here", stranger.expectRefusal(ErrorCode.UNAUTHORIZED));
    }

    // The secret

    private static String problem(RelaySettings.Builder settings) {
        ZipException problem = assertThrows(ZipException.class, settings::build);
        assertEquals(ErrorCode.BAD_SETTING, problem.code());
        return problem.getMessage();
    }

    @Test
    void shouldNotStartWithoutSecretUnlessToldTo() {
        assertTrue(problem(RelaySettings.builder())
                .contains("the relay has no secret: set secret-file or keys, or insecure"));
        assertTrue(problem(RelaySettings.builder().insecure(false)).contains("no secret"));
        assertTrue(problem(secured().insecure(true)).contains("the relay has keys and is told to be insecure"));
        assertTrue(RelayFixture.insecure().build().keys().isEmpty());
    }

    @Test
    void shouldReadTheSecretFromFile(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("relay.key");
        assertTrue(problem(RelaySettings.builder().secretFile(file)).contains("cannot be read"));
        Files.writeString(file, " ".repeat(40) + "x".repeat(31) + "\n");
        assertTrue(problem(RelaySettings.builder().secretFile(file)).contains("has 31 bytes: expected 32 or more"));
        Files.writeString(file, "x".repeat(32) + "\r\n");
        RelayKeys read = RelaySettings.builder().secretFile(file).build().keys().orElseThrow();
        String token = RelayTokens.mint(
                RelaySecret.of("x".repeat(32).getBytes(StandardCharsets.UTF_8)),
                "s",
                Optional.empty(),
                Optional.empty());
        assertNull(new RelayTokens(read, false).check(token, "s", 0).refusal());
        assertFalse(read.toString().contains("x"));
    }

    @Test
    void shouldRefuseToMintForRanksThatAreNone() {
        for (String ranks : new String[] {"", "a", "3-1", "-1", "1-2-3", "99999999999"}) {
            assertThrows(ZipException.class, () -> mint("s", ranks, null), ranks);
        }
    }
}
