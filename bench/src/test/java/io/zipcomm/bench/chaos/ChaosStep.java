package io.zipcomm.bench.chaos;

import java.util.List;

/**
 * One fault.
 *
 * @param fault    what is done
 * @param victims  processes that it is done to, by their numbers; none for the relay, or of one that is lost who is killed behind it
 * @param delayMs  from the moment that all are at work
 * @param spreadMs from one victim to the next
 * @param holdMs   how long those that are not dead stand still or are cut off; of deadly faults, how long after the others have gone on, and for no
 *                 less than the fault lasts at least
 * @param newcomers processes that are started for those that were lost, for which the others grow; with 0 they shrink
 */
record ChaosStep(Fault fault, List<Integer> victims, long delayMs, long spreadMs, long holdMs, int newcomers) {

    ChaosStep {
        victims = List.copyOf(victims);
    }

    @Override
    public String toString() {
        return fault + " of " + (fault.isOfRelay() ? "the relay" : victims) + " after " + delayMs + " ms"
                + (victims.size() > 1 ? ", " + spreadMs + " ms apart" : "")
                + (fault.outcome() != Fault.Outcome.NONE || fault.isOfRelay() ? "" : ", for " + holdMs + " ms")
                + (newcomers > 0 ? ", " + newcomers + " newcomers" : "");
    }
}
