package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.TokenRequest.Quota;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jwa.AlgorithmConstraints.ConstraintType;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.ErrorCodes;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.lang.JoseException;

/**
 * Tokens that admit to a session: JWTs signed with HS256 or EdDSA (Ed25519). Claims:
 *
 * <ul>
 *   <li>{@code session}: name of the session, or the beginning of the name followed by {@code *};
 *   <li>{@code ranks}, optional: {@code lo-hi} or one rank; the bearer has to ask for one of these;
 *   <li>{@code exp}, optional unless the relay requires it; {@code nbf}, optional;
 *   <li>those of {@link Quota}, optional.
 * </ul>
 *
 * <p>The header may name the key, {@code kid}; without it all keys of the token's algorithm are tried.
 */
public final class RelayTokens {

    static final String SESSION = "session";
    static final String RANKS = "ranks";

    /** Clocks of the minting and the checking machine may differ by this much. */
    private static final int CLOCK_SKEW_S = 5;

    private static final Verdict NOT_VALID = unauthorized("the token is not valid here");

    /**
     * What came of a check.
     *
     * @param refusal why not; null if the token admits
     * @param grant   what it allows; null if it does not admit
     */
    record Verdict(Refusal refusal, Grant grant) {}

    private final JwtConsumer consumer;

    RelayTokens(RelayKeys keys, boolean expiryRequired) {
        JwtConsumerBuilder builder = new JwtConsumerBuilder()
                .setVerificationKeyResolver(keys.resolver())
                .setJwsAlgorithmConstraints(new AlgorithmConstraints(
                        ConstraintType.PERMIT, TokenKey.Algorithm.HS256.header(), TokenKey.Algorithm.EDDSA.header()))
                .setSkipDefaultAudienceValidation()
                .setAllowedClockSkewInSeconds(CLOCK_SKEW_S);
        consumer = (expiryRequired ? builder.setRequireExpirationTime() : builder).build();
    }

    /**
     * Mints a token with HS256 and without quotas.
     *
     * @param secret   the relay's
     * @param session  name of the session, or the beginning of names followed by {@code *}
     * @param ranks    {@code lo-hi} or one rank, if the token is for these only
     * @param lifetime how long it is good; empty for ever
     * @return the token as text
     * @throws ZipException with code BAD_SETTING if the ranks are neither
     */
    public static String mint(RelaySecret secret, String session, Optional<String> ranks, Optional<Duration> lifetime) {
        TokenRequest request = TokenRequest.forSession(session);
        ranks.ifPresent(request::ranks);
        lifetime.ifPresent(time -> request.expires(Instant.now().plus(time)));
        return mint(TokenKey.of(secret), request);
    }

    /**
     * Mints a token. Its header names the key if that has an id.
     *
     * @param key     signs
     * @param request what the token is to say
     * @return the token as text
     * @throws ZipException with code BAD_SETTING if the key cannot sign
     */
    public static String mint(TokenKey key, TokenRequest request) {
        if (!key.canSign()) {
            throw new ZipException(ErrorCode.BAD_SETTING, key + " is a public key, which checks tokens and signs none");
        }
        JsonWebSignature signature = new JsonWebSignature();
        signature.setAlgorithmHeaderValue(key.algorithm().header());
        key.id().ifPresent(signature::setKeyIdHeaderValue);
        signature.setKey(key.signs());
        signature.setPayload(request.claims().toJson());
        try {
            return signature.getCompactSerialization();
        } catch (JoseException e) {
            throw new ZipException(ErrorCode.INTERNAL, "token cannot be signed: " + e.getMessage(), e);
        }
    }

    /**
     * Whether a token admits to a place. The answer tells its bearer nothing about the keys, the claims expected or the
     * sessions that exist.
     *
     * @param token   as it came, possibly empty
     * @param session wanted session
     * @param rank    wanted rank, or -1
     */
    Verdict check(String token, String session, int rank) {
        if (token.isEmpty()) {
            return unauthorized("this relay wants a token");
        }
        try {
            JwtClaims claims = consumer.processToClaims(token);
            String named = claims.getClaimValue(SESSION, String.class);
            if (named == null || !covers(named, session)) {
                return unauthorized("the token is for another session");
            }
            Verdict wrongRank = checkRank(claims.getClaimValue(RANKS, String.class), rank);
            return wrongRank != null ? wrongRank : granted(named, claims);
        } catch (InvalidJwtException e) {
            return rejected(e);
        } catch (MalformedClaimException e) {
            return NOT_VALID;
        }
    }

    private static Verdict rejected(InvalidJwtException cause) {
        if (cause.hasErrorCode(ErrorCodes.EXPIRED)) {
            return unauthorized("the token has expired");
        }
        return cause.hasErrorCode(ErrorCodes.NOT_YET_VALID) ? unauthorized("the token is not valid yet") : NOT_VALID;
    }

    private static boolean covers(String named, String session) {
        return named.endsWith("*") ? session.startsWith(named.substring(0, named.length() - 1)) : named.equals(session);
    }

    /** Null if the rank is right. */
    private static Verdict checkRank(String text, int rank) {
        if (text == null) {
            return null;
        }
        RankRange range = RankRange.parse(text);
        if (range == null) {
            return NOT_VALID;
        }
        if (rank < 0) {
            return unauthorized("the token is for ranks " + range + ": ask for one of them");
        }
        return range.contains(rank) ? null : unauthorized("the token is not for rank " + rank);
    }

    /** A quota that is no positive whole number spoils the token: to ignore it would be to lift it. */
    private static Verdict granted(String named, JwtClaims claims) throws MalformedClaimException {
        for (Quota quota : Quota.values()) {
            if (claims.hasClaim(quota.claim()) && quota(claims, quota) <= 0) {
                return NOT_VALID;
            }
        }
        return new Verdict(
                null,
                new Grant(
                        named,
                        (int) Math.min(Integer.MAX_VALUE, quota(claims, Quota.SESSIONS_MAX)),
                        (int) Math.min(Integer.MAX_VALUE, quota(claims, Quota.RANKS_MAX)),
                        quota(claims, Quota.BYTES_PER_SECOND),
                        quota(claims, Quota.SESSION_BYTES_PER_SECOND)));
    }

    private static long quota(JwtClaims claims, Quota quota) throws MalformedClaimException {
        Long value = claims.getClaimValue(quota.claim(), Long.class);
        return value == null ? 0 : value;
    }

    private static Verdict unauthorized(String reason) {
        return new Verdict(new Refusal(ErrorCode.UNAUTHORIZED, reason), null);
    }
}
