package io.zipcomm.collectives.select;

import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.settings.ZipSettings.RelayCollectives;

/**
 * A line of a {@link TuningTable}: for which calls, which algorithm, and segments of which length.
 *
 * @param origin      where it stands, for people
 * @param operation   what is done
 * @param hosts       how the group is spread over hosts
 * @param ranks       how many ranks
 * @param bytesMax    longest message, or sum of blocks
 * @param isPerRank   whether {@code bytesMax} is for each rank
 * @param algorithm   how
 * @param segmentsMin shortest segment; 0 where the line gives none
 * @param segmentsMax longest segment
 */
public record Rule(
        String origin,
        CollectiveOperation operation,
        Spread hosts,
        Ranks ranks,
        long bytesMax,
        boolean isPerRank,
        AlgorithmName algorithm,
        int segmentsMin,
        int segmentsMax) {

    /** Which groups, by hosts. */
    enum Spread {
        ANY,
        ONE,
        /** On one host, with memory that all of them share. */
        MEMORY,
        SEVERAL,
        SHARED,
        /** Wherever they are, if each sends what all others get alike by one stream. */
        CAST,
        /** On one host, if each reads what others send it straight from their memory. */
        FABRIC,
        /** Groups of which the relay does a part: all messages go through it. */
        RELAYED;

        boolean covers(Hosts.Spread spread, boolean casts, boolean fabric, RelayCollectives relay) {
            return switch (this) {
                case ANY -> true;
                case ONE -> spread == Hosts.Spread.ONE || spread == Hosts.Spread.MEMORY;
                case MEMORY -> spread == Hosts.Spread.MEMORY;
                case SEVERAL -> spread == Hosts.Spread.APART || spread == Hosts.Spread.SHARED;
                case SHARED -> spread == Hosts.Spread.SHARED;
                case CAST -> casts;
                case FABRIC -> fabric && spread == Hosts.Spread.ONE;
                case RELAYED -> relay != RelayCollectives.OFF;
            };
        }
    }

    /**
     * Which groups, by size.
     *
     * @param min       fewest ranks
     * @param max       most ranks
     * @param onlyPower only powers of two
     */
    record Ranks(int min, int max, boolean onlyPower) {

        boolean covers(int size) {
            return size >= min && size <= max && (!onlyPower || Integer.bitCount(size) == 1);
        }
    }

    /** Whether groups of a size and spread, whose ranks cast, or are on a fabric, or not, and of which the relay may do a part, can meet this. */
    boolean covers(int size, Hosts.Spread spread, boolean casts, boolean fabric, RelayCollectives relay) {
        return hosts.covers(spread, casts, fabric, relay)
                && ranks.covers(size)
                && algorithm.needs().compareTo(relay) <= 0;
    }

    boolean covers(int size, long bytes) {
        return (isPerRank ? bytes / size : bytes) <= bytesMax;
    }

    /** What the table says of segments, as it is written there; empty if nothing. */
    public String segments() {
        return !hasSegments() ? "" : segmentsMin == segmentsMax ? "" + segmentsMin : segmentsMin + "-" + segmentsMax;
    }

    boolean hasSegments() {
        return segmentsMin > 0;
    }

    /** The longest message that this covers, of a group of some size; {@link Long#MAX_VALUE} if any. */
    public long bytesMax(int size) {
        return !isPerRank || bytesMax == Long.MAX_VALUE ? bytesMax : (bytesMax + 1) * size - 1;
    }
}
