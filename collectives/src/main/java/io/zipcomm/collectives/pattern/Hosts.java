package io.zipcomm.collectives.pattern;

import java.util.ArrayList;
import java.util.List;

/** Which ranks share a host, whether each may cast, and whether they are on a fabric. Equal on all ranks. Immutable. */
public final class Hosts {

    /** How a group is spread. */
    public enum Spread {
        /** All ranks on one host. */
        ONE,
        /** All ranks on one host, with memory that all of them share. */
        MEMORY,
        /** Each rank on a host of its own. */
        APART,
        /** Several hosts, at least one of which has several ranks. */
        SHARED
    }

    private final int[] hostOf;
    private final int[][] ranks;
    private final boolean shareMemory;
    private final boolean casts;
    private final boolean fabric;

    private Hosts(int[] hostOf, int count) {
        this(hostOf, count, false, false, false);
    }

    private Hosts(int[] hostOf, int count, boolean shareMemory, boolean casts, boolean fabric) {
        this.hostOf = hostOf;
        this.shareMemory = shareMemory;
        this.casts = casts;
        this.fabric = fabric;
        int[] counts = new int[count];
        for (int host : hostOf) {
            counts[host]++;
        }
        ranks = new int[count][];
        for (int host = 0; host < count; host++) {
            ranks[host] = new int[counts[host]];
        }
        for (int rank = hostOf.length - 1; rank >= 0; rank--) {
            int host = hostOf[rank];
            ranks[host][--counts[host]] = rank;
        }
    }

    /**
     * Hosts from what identifies them; numbered in the order of their first ranks.
     *
     * @param ids of each rank's host
     */
    public static Hosts of(List<String> ids) {
        List<String> known = new ArrayList<>();
        int[] hostOf = new int[ids.size()];
        for (int rank = 0; rank < hostOf.length; rank++) {
            int host = known.indexOf(ids.get(rank));
            if (host < 0) {
                host = known.size();
                known.add(ids.get(rank));
            }
            hostOf[rank] = host;
        }
        return new Hosts(hostOf, known.size());
    }

    /** Each rank on a host of its own. */
    public static Hosts apart(int size) {
        return blocks(size, 1);
    }

    /**
     * The first ranks on the first host, the next ones on the next.
     *
     * @param perHost ranks on each host; the last one may have fewer
     */
    public static Hosts blocks(int size, int perHost) {
        int[] hostOf = new int[size];
        for (int rank = 0; rank < size; rank++) {
            hostOf[rank] = rank / perHost;
        }
        return new Hosts(hostOf, (size + perHost - 1) / perHost);
    }

    /** All ranks on one host. */
    public static Hosts one(int size) {
        return new Hosts(new int[size], 1);
    }

    /** All ranks on one host, with memory that all of them share. */
    public static Hosts inMemory(int size) {
        return new Hosts(new int[size], 1, true, false, false);
    }

    /** The same, where each rank sends what all others get alike by one stream. */
    public Hosts casting() {
        return new Hosts(hostOf, ranks.length, shareMemory, true, fabric);
    }

    /** The same, where each rank reads what others send it straight from their memory. */
    public Hosts onFabric() {
        return new Hosts(hostOf, ranks.length, shareMemory, casts, true);
    }

    /** Number of ranks. */
    public int size() {
        return hostOf.length;
    }

    /** Number of hosts. */
    public int count() {
        return ranks.length;
    }

    /** The number of a rank's host. */
    public int hostOf(int rank) {
        return hostOf[rank];
    }

    /** The ranks of a host, in ascending order. */
    public int[] ranks(int host) {
        return ranks[host].clone();
    }

    /** How the group is spread. */
    public Spread spread() {
        if (ranks.length == 1) {
            return shareMemory ? Spread.MEMORY : Spread.ONE;
        }
        return ranks.length == hostOf.length ? Spread.APART : Spread.SHARED;
    }

    /** Whether each rank sends what all others get alike by one stream. */
    public boolean casts() {
        return casts;
    }

    /** Whether each rank reads what others send it straight from their memory. */
    public boolean isOnFabric() {
        return fabric;
    }

    /** Whether all hosts have equally many ranks. */
    public boolean isEven() {
        for (int[] one : ranks) {
            if (one.length != ranks[0].length) {
                return false;
            }
        }
        return true;
    }

    /**
     * The rank that speaks for each host: the root on its own, elsewhere the first.
     *
     * @param root a rank
     */
    public int[] leaders(int root) {
        int[] leaders = new int[ranks.length];
        for (int host = 0; host < leaders.length; host++) {
            leaders[host] = hostOf[root] == host ? root : ranks[host][0];
        }
        return leaders;
    }

    /** Of each host, the rank with an index among its ranks; only where {@link #isEven}. */
    public int[] across(int index) {
        int[] across = new int[ranks.length];
        for (int host = 0; host < across.length; host++) {
            across[host] = ranks[host][index];
        }
        return across;
    }

    /** A rank's index among those of its host. */
    public int indexOf(int rank) {
        int index = 0;
        while (ranks[hostOf[rank]][index] != rank) {
            index++;
        }
        return index;
    }

    /** All ranks, host by host. */
    public int[] byHost() {
        int[] order = new int[hostOf.length];
        int at = 0;
        for (int[] one : ranks) {
            System.arraycopy(one, 0, order, at, one.length);
            at += one.length;
        }
        return order;
    }
}
