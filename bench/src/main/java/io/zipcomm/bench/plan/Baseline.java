package io.zipcomm.bench.plan;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;

/**
 * Another system that the user wants to compare with.
 *
 * @param kind    which
 * @param address host and port of a server that runs already; null for one of the harness's own, or if it needs none
 */
public record Baseline(Kind kind, String address) {

    /** What can be compared with. */
    public enum Kind {
        /** Redis as a store between functions, used plainly and by a tuned program. */
        REDIS(2),
        /** Open MPI, over TCP and over shared memory. */
        MPI(2);

        private final int contestants;

        Kind(int contestants) {
            this.contestants = contestants;
        }

        /** How many of the run's contestants it is, where it can be had. */
        public int contestants() {
            return contestants;
        }

        /** As users write it. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** For help texts and errors. */
    public static final String KNOWN = "redis, redis://HOST:PORT, mpi";

    private static final String REDIS_SCHEME = "redis";

    /**
     * Reads what a user wrote.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    public static Baseline parse(String text) {
        if (text.equals("redis")) {
            return new Baseline(Kind.REDIS, null);
        }
        if (text.equals("mpi")) {
            return new Baseline(Kind.MPI, null);
        }
        if (text.startsWith(REDIS_SCHEME + "://")) {
            return new Baseline(Kind.REDIS, address(text));
        }
        throw new IllegalArgumentException("unknown baseline '" + text + "'; known: " + KNOWN);
    }

    private static String address(String text) {
        try {
            URI uri = new URI(text);
            boolean bare = uri.getPath().isEmpty() && uri.getUserInfo() == null && uri.getQuery() == null;
            if (uri.getHost() != null && uri.getPort() > 0 && bare) {
                return uri.getHost() + ":" + uri.getPort();
            }
        } catch (URISyntaxException e) {
            // Said below.
        }
        throw new IllegalArgumentException("baseline '" + text + "': expected redis://HOST:PORT");
    }

    /** Whether it runs elsewhere, so that contestants need the system's own network. */
    public boolean isElsewhere() {
        return address != null;
    }
}
