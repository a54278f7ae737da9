package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Settings on which all ranks of a session must agree. */
final class GroupSettings {
    private GroupSettings() {}

    /** The first difference by name; null if there is none. */
    static Refusal disagreement(Map<String, Long> session, Map<String, Long> rank) {
        if (session.equals(rank)) {
            return null;
        }
        Set<String> names = new TreeSet<>(session.keySet());
        names.addAll(rank.keySet());
        for (String name : names) {
            Long expected = session.get(name);
            Long actual = rank.get(name);
            if (expected == null || !expected.equals(actual)) {
                return new Refusal(
                        ErrorCode.BAD_SETTING,
                        "setting " + name + " is " + text(expected) + " in this session and " + text(actual)
                                + " in this rank");
            }
        }
        return null;
    }

    private static String text(Long value) {
        return value == null ? "not set" : value.toString();
    }
}
