package io.zipcomm.testkit;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The agreements of the simulated relay: one answer for all, once every living member has said its part, or the time of one of those who
 * have is over.
 */
final class SimulatedAgreements {

    private record Key(int context, int leader, int number) {}

    private static final class Agreement {
        final int[] members;
        final BitSet said = new BitSet();
        boolean value = true;

        /** What it came to; null while it is open. */
        int[][] outcome;

        Agreement(int[] members) {
            this.members = members;
        }
    }

    private final SimulatedNetwork network;
    private final Map<Key, Agreement> agreements = new HashMap<>();
    private final BitSet gone = new BitSet();

    SimulatedAgreements(SimulatedNetwork network) {
        this.network = network;
    }

    /** A member says its part. */
    void said(int rank, int context, int[] members, int number, boolean value, long timeoutNs) {
        int[] all = members.length == 0 ? IntStream.range(0, network.size()).toArray() : members;
        Key key = new Key(context, all[0], number);
        Agreement agreement = agreements.get(key);
        if (agreement == null) {
            agreement = new Agreement(all);
            agreements.put(key, agreement);
        }
        if (agreement.outcome != null) {
            tell(rank, key, agreement);
            return;
        }
        Agreement open = agreement;
        network.at(network.nowNs() + timeoutNs, () -> decide(key, open));
        agreement.said.set(rank);
        agreement.value &= value;
        decideIfAllSaid(key, agreement);
    }

    /** The relay has noticed that a member is gone. */
    void gone(int rank) {
        gone.set(rank);
        List.copyOf(agreements.keySet()).forEach(key -> decideIfAllSaid(key, agreements.get(key)));
    }

    private void decideIfAllSaid(Key key, Agreement agreement) {
        if (IntStream.of(agreement.members).allMatch(one -> agreement.said.get(one) || gone.get(one))) {
            decide(key, agreement);
        }
    }

    private void decide(Key key, Agreement agreement) {
        if (agreement.outcome != null) {
            return;
        }
        int[] failed = IntStream.of(agreement.members).filter(gone::get).toArray();
        int[] missing = IntStream.of(agreement.members)
                .filter(one -> !gone.get(one) && !agreement.said.get(one))
                .toArray();
        agreement.outcome = new int[][] {failed, missing};
        for (int member : agreement.members) {
            if (agreement.said.get(member)) {
                tell(member, key, agreement);
            }
        }
    }

    private void tell(int rank, Key key, Agreement agreement) {
        network.tell(
                rank,
                listener -> listener.agreed(
                        key.context,
                        key.leader,
                        key.number,
                        agreement.value,
                        agreement.outcome[0],
                        agreement.outcome[1]));
    }
}
