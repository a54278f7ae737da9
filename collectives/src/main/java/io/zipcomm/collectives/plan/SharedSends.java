package io.zipcomm.collectives.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which steps of a plan send the same bytes to several peers: the same extent, that no step between them writes. Where peers
 * share memory, such bytes are placed there once.
 */
final class SharedSends {

    /** Extents that a send is compared with: what goes to several peers is sent to one after the other. */
    private static final int REGIONS_MAX = 16;

    private static final int NONE = -1;

    private final int[] shares;
    private final int[] sharers;

    private SharedSends(int[] shares, int[] sharers) {
        this.shares = shares;
        this.sharers = sharers;
    }

    /** For each step the number of what it shares with others, from 0; -1 if nothing. To be left unchanged. */
    int[] shares() {
        return shares;
    }

    /** For each of those numbers how many steps share it. To be left unchanged. */
    int[] sharers() {
        return sharers;
    }

    /** An extent that was sent, and not written since. */
    private record Sent(int first, Extent extent) {}

    /** Looks for them in the order of the steps. */
    static SharedSends of(List<Plan.Step> steps) {
        int[] leaders = new int[steps.size()];
        int[] counts = new int[steps.size()];
        List<Sent> recent = new ArrayList<>();
        for (int i = 0; i < leaders.length; i++) {
            Plan.Step step = steps.get(i);
            leaders[i] = NONE;
            if (step.to() != null) {
                forget(recent, step.to());
            } else if (step.kind() == Plan.Kind.SEND && step.from().bytes() > 0) {
                leaders[i] = leader(recent, i, step.from());
                counts[leaders[i]]++;
            }
        }
        return number(leaders, counts);
    }

    private static int leader(List<Sent> recent, int step, Extent extent) {
        for (int i = recent.size() - 1; i >= 0; i--) {
            if (recent.get(i).extent.equals(extent)) {
                return recent.get(i).first;
            }
        }
        if (recent.size() == REGIONS_MAX) {
            recent.remove(0);
        }
        recent.add(new Sent(step, extent));
        return step;
    }

    private static void forget(List<Sent> recent, Extent written) {
        for (int i = recent.size() - 1; i >= 0; i--) {
            Extent extent = recent.get(i).extent;
            boolean overlaps = extent.memory() == written.memory()
                    && extent.offset() < written.end()
                    && written.offset() < extent.end();
            if (overlaps) {
                recent.remove(i);
            }
        }
    }

    private static SharedSends number(int[] leaders, int[] counts) {
        int[] shares = new int[leaders.length];
        int[] sharers = new int[leaders.length];
        int count = 0;
        for (int i = 0; i < leaders.length; i++) {
            boolean isShared = leaders[i] != NONE && counts[leaders[i]] > 1;
            if (isShared && leaders[i] == i) {
                sharers[count] = counts[i];
                shares[i] = count++;
            } else {
                shares[i] = isShared ? shares[leaders[i]] : NONE;
            }
        }
        return new SharedSends(shares, Arrays.copyOf(sharers, count));
    }
}
