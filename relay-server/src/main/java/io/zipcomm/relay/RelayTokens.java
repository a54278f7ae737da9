package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.time.Duration;
import java.util.Optional;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jwa.AlgorithmConstraints.ConstraintType;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.NumericDate;
import org.jose4j.jwt.consumer.ErrorCodes;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.lang.JoseException;

/**
 * Tokens that admit to a session: JWTs signed with HS256. Claims:
 *
 * <ul>
 *   <li>{@code session}: name of the session, or the beginning of the name followed by {@code *};
 *   <li>{@code ranks}, optional: {@code lo-hi} or one rank; the bearer has to ask for one of these;
 *   <li>{@code exp}, optional unless the relay requires it; {@code nbf}, optional.
 * </ul>
 */
public final class RelayTokens {

    private static final String SESSION = "session";
    private static final String RANKS = "ranks";

    /** Clocks of the minting and the checking machine may differ by this much. */
    private static final int CLOCK_SKEW_S = 5;

    private static final Refusal NOT_VALID = unauthorized("the token is not valid here");

    private final JwtConsumer consumer;

    RelayTokens(RelaySecret secret, boolean expiryRequired) {
        JwtConsumerBuilder builder = new JwtConsumerBuilder()
                .setVerificationKey(secret.key())
                .setJwsAlgorithmConstraints(
                        new AlgorithmConstraints(ConstraintType.PERMIT, AlgorithmIdentifiers.HMAC_SHA256))
                .setSkipDefaultAudienceValidation()
                .setAllowedClockSkewInSeconds(CLOCK_SKEW_S);
        consumer = (expiryRequired ? builder.setRequireExpirationTime() : builder).build();
    }

    /**
     * Mints a token.
     *
     * @param secret   the relay's
     * @param session  name of the session, or the beginning of names followed by {@code *}
     * @param ranks    {@code lo-hi} or one rank, if the token is for these only
     * @param lifetime how long it is good; empty for ever
     * @return the token as text
     * @throws ZipException with code BAD_SETTING if the ranks are neither
     */
    public static String mint(RelaySecret secret, String session, Optional<String> ranks, Optional<Duration> lifetime) {
        JwtClaims claims = new JwtClaims();
        claims.setStringClaim(SESSION, session);
        ranks.ifPresent(text -> {
            if (RankRange.parse(text) == null) {
                throw new ZipException(ErrorCode.BAD_SETTING, "ranks '" + text + "': expected lo-hi or one rank");
            }
            claims.setStringClaim(RANKS, text);
        });
        lifetime.ifPresent(time -> {
            NumericDate expiry = NumericDate.now();
            expiry.addSeconds(time.toSeconds());
            claims.setExpirationTime(expiry);
        });
        JsonWebSignature signature = new JsonWebSignature();
        signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.HMAC_SHA256);
        signature.setKey(secret.key());
        signature.setPayload(claims.toJson());
        try {
            return signature.getCompactSerialization();
        } catch (JoseException e) {
            throw new ZipException(ErrorCode.INTERNAL, "token cannot be signed: " + e.getMessage(), e);
        }
    }

    /**
     * Whether a token admits to a place. The answer tells its bearer nothing about the secret, the claims expected or
     * the sessions that exist.
     *
     * @param token   as it came, possibly empty
     * @param session wanted session
     * @param rank    wanted rank, or -1
     * @return null if it does
     */
    Refusal check(String token, String session, int rank) {
        if (token.isEmpty()) {
            return unauthorized("this relay wants a token");
        }
        try {
            JwtClaims claims = consumer.processToClaims(token);
            String named = claims.getClaimValue(SESSION, String.class);
            if (named == null || !covers(named, session)) {
                return unauthorized("the token is for another session");
            }
            return checkRank(claims.getClaimValue(RANKS, String.class), rank);
        } catch (InvalidJwtException e) {
            return e.hasErrorCode(ErrorCodes.EXPIRED) ? unauthorized("the token has expired") : NOT_VALID;
        } catch (MalformedClaimException e) {
            return NOT_VALID;
        }
    }

    private static boolean covers(String named, String session) {
        return named.endsWith("*") ? session.startsWith(named.substring(0, named.length() - 1)) : named.equals(session);
    }

    private static Refusal checkRank(String text, int rank) {
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

    private static Refusal unauthorized(String reason) {
        return new Refusal(ErrorCode.UNAUTHORIZED, reason);
    }

    private record RankRange(int low, int high) {

        /** Reads {@code lo-hi} or one rank; null if the text is neither. */
        static RankRange parse(String text) {
            int dash = text.indexOf('-');
            try {
                int low = Integer.parseInt(dash < 0 ? text : text.substring(0, dash));
                int high = dash < 0 ? low : Integer.parseInt(text.substring(dash + 1));
                return low >= 0 && low <= high ? new RankRange(low, high) : null;
            } catch (NumberFormatException e) {
                return null;
            }
        }

        boolean contains(int rank) {
            return rank >= low && rank <= high;
        }

        @Override
        public String toString() {
            return low + "-" + high;
        }
    }
}
