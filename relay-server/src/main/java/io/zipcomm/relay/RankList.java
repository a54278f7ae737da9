package io.zipcomm.relay;

import java.util.BitSet;
import java.util.List;

/** Ranks as they are said, and as text: {@code ranks 1, 3, 5-9 and 40 more}. */
final class RankList {

    private static final int PARTS_MAX = 16;

    private RankList() {}

    /** Ranks of a list in ascending order, of so many; all of them if it is empty, and null if it is no such list. */
    static BitSet of(List<Integer> list, int size) {
        BitSet ranks = new BitSet(size);
        if (list.isEmpty()) {
            ranks.set(0, size);
        }
        int last = -1;
        for (int rank : list) {
            if (rank <= last || rank >= size) {
                return null;
            }
            ranks.set(rank);
            last = rank;
        }
        return ranks;
    }

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
