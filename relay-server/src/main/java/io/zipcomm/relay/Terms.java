package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.Join;
import java.util.Map;

/**
 * What all ranks of a session must say alike; the first to join sets it.
 *
 * @param size     ranks of the first group, unless some do not come in time
 * @param sizeMin  ranks without which no epoch begins; 0 for all of {@code size} in the first, and for any number later
 * @param sizeMax  members and newcomers that there may be at once
 * @param settings others, by name
 */
record Terms(int size, int sizeMin, int sizeMax, Map<String, Long> settings) {

    static Terms of(Join join) {
        return new Terms(join.getSize(), join.getSizeMin(), sizeMax(join), join.getGroupSettingsMap());
    }

    /** Ranks without which the first epoch does not begin. */
    int firstSizeMin() {
        return sizeMin == 0 ? size : sizeMin;
    }

    /** Ranks without which no later epoch begins. */
    int laterSizeMin() {
        return Math.max(1, sizeMin);
    }

    /**
     * Whether members that are late for a later epoch may be left out: most of the living must have come, unless the session has said
     * itself how few are enough.
     */
    boolean maySecede(int asked, int living) {
        return sizeMin > 0 || asked > living / 2;
    }

    static int sizeMax(Join join) {
        return join.getSizeMax() == 0 ? join.getSize() : join.getSizeMax();
    }

    /** The first difference; null if there is none. */
    Refusal disagreement(String session, Join join) {
        if (join.getSize() != size) {
            return new Refusal(
                    ErrorCode.SIZE_MISMATCH,
                    "session " + session + " has " + size + " ranks, this rank expects " + join.getSize());
        }
        if (join.getSizeMin() != sizeMin || sizeMax(join) != sizeMax) {
            return new Refusal(
                    ErrorCode.SIZE_MISMATCH,
                    "session " + session + " has " + sizeMin + " to " + sizeMax + " ranks, this rank expects "
                            + join.getSizeMin() + " to " + sizeMax(join));
        }
        return GroupSettings.disagreement(settings, join.getGroupSettingsMap());
    }
}
