package io.zipcomm.relay;

import io.zipcomm.wire.proto.ToRank;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The latest that members said of communicators, once for each communicator and rank: those of different colours share a context, but
 * no rank. Where there is no room, the context of which most was said loses what was said first of it, so what one rank alone said of
 * another is not lost for it. Event loop only.
 */
final class Notices {

    /** Of the world, which all ranks are in: one says it for all. */
    private static final int WORLD = 0;

    private final int max;
    private final Map<Integer, Map<Integer, ToRank>> byContext = new LinkedHashMap<>();
    private int count;

    /**
     * None yet.
     *
     * @param max how many are kept, at least 2
     */
    Notices(int max) {
        this.max = max;
    }

    void add(int context, int rank, ToRank message) {
        Map<Integer, ToRank> said = byContext.computeIfAbsent(context, any -> new LinkedHashMap<>());
        boolean known = context == WORLD ? !said.isEmpty() : said.containsKey(rank);
        if (known) {
            return;
        }
        said.put(rank, message);
        count++;
        if (count > max) {
            displace(context);
        }
    }

    /** Not what was just added, which is the last of its context. */
    private void displace(int added) {
        int fullest = added;
        int most = byContext.get(added).size() - 1;
        for (Map.Entry<Integer, Map<Integer, ToRank>> one : byContext.entrySet()) {
            int context = one.getKey();
            if (context != WORLD && context != added && one.getValue().size() > most) {
                fullest = context;
                most = one.getValue().size();
            }
        }
        Map<Integer, ToRank> said = byContext.get(fullest);
        said.remove(said.keySet().iterator().next());
        count--;
        if (said.isEmpty()) {
            byContext.remove(fullest);
        }
    }

    List<ToRank> all() {
        List<ToRank> all = new ArrayList<>();
        byContext.values().forEach(said -> all.addAll(said.values()));
        return all;
    }
}
