package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.proto.Join;

/** What can be said about a Join before its session is looked at. Who has no right to join learns nothing more. */
final class Admission {

    private static final int SESSION_CHARACTERS_MAX = 200;

    private final RelaySettings settings;

    /** Null if everybody is admitted. */
    private final RelayTokens tokens;

    Admission(RelaySettings settings) {
        this.settings = settings;
        tokens = settings.secret()
                .map(secret -> new RelayTokens(secret, settings.tokenExpiryRequired()))
                .orElse(null);
    }

    Refusal check(Join join) {
        if (join.getVersionMin() > Frame.VERSION || join.getVersionMax() < Frame.VERSION) {
            return new Refusal(
                    ErrorCode.VERSION_MISMATCH,
                    "this relay speaks version " + Frame.VERSION + ", the rank versions " + join.getVersionMin()
                            + " to " + join.getVersionMax());
        }
        String session = join.getSession();
        if (session.isBlank() || session.length() > SESSION_CHARACTERS_MAX || hasControlCharacter(session)) {
            return bad("session name: expected 1 to " + SESSION_CHARACTERS_MAX + " printable characters");
        }
        Refusal unauthorized = tokens == null ? null : tokens.check(join.getToken(), session, join.getRank());
        return unauthorized != null ? unauthorized : checkGroup(join);
    }

    private Refusal checkGroup(Join join) {
        int size = join.getSize();
        if (size < 1 || size > RelaySettings.SIZE_MAX) {
            return bad("size " + size + ": expected 1 to " + RelaySettings.SIZE_MAX);
        }
        if (size > settings.ranksMax()) {
            return new Refusal(
                    ErrorCode.LIMIT, "session of " + size + " ranks, this relay allows " + settings.ranksMax());
        }
        if (join.getRank() < Member.NO_RANK || join.getRank() >= size) {
            return bad("rank " + join.getRank() + ": expected -1 or 0 to " + (size - 1));
        }
        return join.getJoinTimeoutMs() > 0
                ? null
                : bad("join timeout " + join.getJoinTimeoutMs() + " ms: expected a positive time");
    }

    private static boolean hasControlCharacter(String text) {
        return text.chars().anyMatch(Character::isISOControl);
    }

    private static Refusal bad(String reason) {
        return new Refusal(ErrorCode.BAD_SETTING, reason);
    }
}
