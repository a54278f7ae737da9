package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.proto.Join;

/** What can be said about a Join before its session is looked at. Who has no right to join learns nothing more. */
final class Admission {

    private static final int SESSION_CHARACTERS_MAX = 200;
    private static final int SETTING_CHARACTERS_MAX = 100;

    private final RelaySettings settings;

    /** Null if everybody is admitted. */
    private final RelayTokens tokens;

    Admission(RelaySettings settings) {
        this.settings = settings;
        tokens = settings.keys()
                .map(keys -> new RelayTokens(keys, settings.tokenExpiryRequired()))
                .orElse(null);
    }

    /**
     * Whether a Join that {@link #check} has let pass may come back to a group that this relay does not know: its ticket says nothing
     * here, so the token has to admit.
     */
    RelayTokens.Verdict checkReturn(Join join) {
        return checkToken(join);
    }

    /** Whether a Join may be heard by its session, and what its token grants. */
    RelayTokens.Verdict check(Join join) {
        Refusal beforehand = checkForm(join);
        if (beforehand != null) {
            return new RelayTokens.Verdict(beforehand, null);
        }
        if (join.hasContinues()) {
            // Its session knows its ticket, which stands in for a token: that may have expired by now.
            Refusal wrong = checkSizes(join);
            return wrong == null
                    ? new RelayTokens.Verdict(null, Grant.UNLIMITED)
                    : new RelayTokens.Verdict(wrong, null);
        }
        return checkToken(join);
    }

    private RelayTokens.Verdict checkToken(Join join) {
        RelayTokens.Verdict verdict = tokens == null
                ? new RelayTokens.Verdict(null, Grant.UNLIMITED)
                : tokens.check(join.getToken(), join.getSession(), join.getRank());
        Refusal wrong = verdict.refusal() != null ? verdict.refusal() : checkGroup(join, verdict.grant());
        return wrong == null ? verdict : new RelayTokens.Verdict(wrong, null);
    }

    private static Refusal checkForm(Join join) {
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
        return join.getGroupSettingsMap().keySet().stream().allMatch(Admission::isSettingName)
                ? null
                : bad("name of a setting: expected 1 to " + SETTING_CHARACTERS_MAX
                        + " characters of ASCII without spaces");
    }

    private static boolean isSettingName(String name) {
        return !name.isEmpty()
                && name.length() <= SETTING_CHARACTERS_MAX
                && name.chars().allMatch(one -> one > ' ' && one <= '~');
    }

    private Refusal checkGroup(Join join, Grant grant) {
        Refusal wrong = checkSizes(join);
        if (wrong != null) {
            return wrong;
        }
        int sizeMax = Terms.sizeMax(join);
        if (sizeMax > settings.ranksMax()) {
            return Refusal.limit(
                    RelayOption.RANKS_MAX,
                    "session of " + sizeMax + " ranks, this relay allows " + settings.ranksMax());
        }
        return grant.ranksMax() > 0 && sizeMax > grant.ranksMax()
                ? new Refusal(
                        ErrorCode.LIMIT,
                        "session of " + sizeMax + " ranks, the token allows " + grant.ranksMax() + " ("
                                + TokenRequest.Quota.RANKS_MAX.claim() + ")")
                : null;
    }

    private static Refusal checkSizes(Join join) {
        int size = join.getSize();
        if (size < 1 || size > RelaySettings.SIZE_MAX) {
            return bad("size " + size + ": expected 1 to " + RelaySettings.SIZE_MAX);
        }
        int sizeMin = join.getSizeMin();
        if (sizeMin < 0 || sizeMin > size) {
            return bad("smallest size " + sizeMin + ": expected 0 to " + size);
        }
        int sizeMax = Terms.sizeMax(join);
        if (sizeMax < size || sizeMax > RelaySettings.SIZE_MAX) {
            return bad("largest size " + sizeMax + ": expected " + size + " to " + RelaySettings.SIZE_MAX
                    + ", or 0 for " + size);
        }
        if (join.getRank() < Member.NO_RANK || join.getRank() >= size) {
            return bad("rank " + join.getRank() + ": expected -1 or 0 to " + (size - 1));
        }
        return join.getJoinTimeoutMs() > 0
                ? null
                : bad("join timeout " + join.getJoinTimeoutMs() + " ms: expected a positive time");
    }

    /** Or one that ends a line, which control characters are not the only ones to do. */
    private static boolean hasControlCharacter(String text) {
        return text.chars().anyMatch(one -> Character.isISOControl(one) || one == '\u2028' || one == '\u2029');
    }

    private static Refusal bad(String reason) {
        return new Refusal(ErrorCode.BAD_SETTING, reason);
    }
}
