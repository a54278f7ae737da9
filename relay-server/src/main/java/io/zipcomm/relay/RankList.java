package io.zipcomm.relay;

import java.util.BitSet;

/** Ranks as text: {@code ranks 1, 3, 5-9 and 40 more}. */
final class RankList {

    private static final int PARTS_MAX = 16;

    private RankList() {}

    static String text(BitSet ranks) {
        StringBuilder text = new StringBuilder(ranks.cardinality() == 1 ? "rank " : "ranks ");
        int parts = 0;
        int named = 0;
        for (int from = ranks.nextSetBit(0); from >= 0; ) {
            if (parts == PARTS_MAX) {
                return text.append(" and ")
                        .append(ranks.cardinality() - named)
                        .append(" more")
                        .toString();
            }
            int to = ranks.nextClearBit(from) - 1;
            text.append(parts == 0 ? "" : ", ").append(from);
            if (to > from) {
                text.append(to == from + 1 ? ", " : "-").append(to);
            }
            parts++;
            named += to - from + 1;
            from = ranks.nextSetBit(to + 1);
        }
        return text.toString();
    }
}
