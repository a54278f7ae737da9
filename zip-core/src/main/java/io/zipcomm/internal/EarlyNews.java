package io.zipcomm.internal;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What members said of communicators that this rank has not opened yet, and perhaps never will: the latest few. Engine holder
 * only.
 */
final class EarlyNews<T> {

    private static final int NEWS_MAX = 1024;

    /** A member in a communicator: those of all colours of a split have one number. */
    private record Source(int context, int worldRank) {}

    private final Map<Source, T> news = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Source, T> eldest) {
            return size() > NEWS_MAX;
        }
    };

    void add(int context, int worldRank, T what) {
        news.put(new Source(context, worldRank), what);
    }

    /** Takes what a member has said; null if it has said nothing. */
    T take(int context, int worldRank) {
        return news.remove(new Source(context, worldRank));
    }
}
