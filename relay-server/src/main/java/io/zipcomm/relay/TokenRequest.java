package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.NumericDate;

/** What a token is to say. Not safe for threads; used once. */
public final class TokenRequest {

    /** What a token may limit; the names are those of its claims. */
    public enum Quota {
        /** Ranks in a session. */
        RANKS_MAX("ranks_max"),
        /** Sessions at a time whose names the token admits to. */
        SESSIONS_MAX("sessions_max"),
        /** Bytes each second that a rank may send through the relay. */
        BYTES_PER_SECOND("bytes_per_second"),
        /** Bytes each second that all ranks of a session together may send through the relay. */
        SESSION_BYTES_PER_SECOND("session_bytes_per_second");

        private final String claim;

        Quota(String claim) {
            this.claim = claim;
        }

        /** Name of the claim. */
        public String claim() {
            return claim;
        }
    }

    private final String session;
    private final Map<Quota, Long> quotas = new EnumMap<>(Quota.class);
    private Optional<String> ranks = Optional.empty();
    private Optional<Instant> expires = Optional.empty();
    private Optional<Instant> notBefore = Optional.empty();

    private TokenRequest(String session) {
        this.session = session;
    }

    /**
     * A token that never expires and limits nothing.
     *
     * @param session name of the session, or the beginning of names followed by {@code *}
     */
    public static TokenRequest forSession(String session) {
        return new TokenRequest(session);
    }

    /**
     * For these ranks only.
     *
     * @param text {@code lo-hi} or one rank
     * @throws ZipException with code BAD_SETTING if it is neither
     */
    public TokenRequest ranks(String text) {
        if (RankRange.parse(text) == null) {
            throw new ZipException(ErrorCode.BAD_SETTING, "ranks '" + text + "': expected lo-hi or one rank");
        }
        ranks = Optional.of(text);
        return this;
    }

    /** Good until then. */
    public TokenRequest expires(Instant end) {
        expires = Optional.of(end);
        return this;
    }

    /** Not good before. */
    public TokenRequest notBefore(Instant begin) {
        notBefore = Optional.of(begin);
        return this;
    }

    /**
     * Limits the bearer.
     *
     * @throws ZipException with code BAD_SETTING unless the limit is above 0
     */
    public TokenRequest quota(Quota quota, long limit) {
        if (limit <= 0) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING, "quota " + quota.claim() + " is " + limit + ": expected a positive number");
        }
        quotas.put(quota, limit);
        return this;
    }

    JwtClaims claims() {
        JwtClaims claims = new JwtClaims();
        claims.setStringClaim(RelayTokens.SESSION, session);
        ranks.ifPresent(text -> claims.setStringClaim(RelayTokens.RANKS, text));
        expires.ifPresent(time -> claims.setExpirationTime(NumericDate.fromSeconds(time.getEpochSecond())));
        notBefore.ifPresent(time -> claims.setNotBefore(NumericDate.fromSeconds(time.getEpochSecond())));
        quotas.forEach((quota, limit) -> claims.setClaim(quota.claim(), limit));
        return claims;
    }
}
