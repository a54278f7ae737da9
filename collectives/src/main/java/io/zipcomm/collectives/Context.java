package io.zipcomm.collectives;

import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.PlanCache;
import io.zipcomm.collectives.plan.Shape;
import io.zipcomm.collectives.plan.Workspace;
import io.zipcomm.collectives.select.AlgorithmName;
import io.zipcomm.collectives.select.Algorithms;
import io.zipcomm.collectives.select.Explanation;
import io.zipcomm.collectives.select.Selector;
import io.zipcomm.collectives.select.TuningTable;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.internal.Signature;
import io.zipcomm.membership.FabricChoice;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What all {@link Collectives} of one communicator share. Any thread. */
final class Context {

    private final GroupCommunicator communicator;
    private final Arguments arguments;
    private final Hosts hosts;
    private final TuningTable table;
    private final Selector selector;

    /** What the relay may do if the caller asks for it by name. */
    private final RelayCollectives allowed;

    /** What it does unasked: as much, where no message goes another way. */
    private final RelayCollectives relay;

    private final PlanCache cache;

    /** Made when used first; the cache tells algorithms by identity. */
    private final Map<CollectiveOperation, Map<AlgorithmName, Algorithm>> algorithms =
            new EnumMap<>(CollectiveOperation.class);

    private Context(GroupCommunicator communicator) {
        this.communicator = communicator;
        arguments = new Arguments(communicator.rank(), communicator.size(), communicator::refuseCollective);
        hosts = hosts(communicator);
        table = TuningTable.of(communicator.settings().tuning());
        allowed = allowed(communicator);
        relay = isRelayOnly(communicator) ? allowed : RelayCollectives.OFF;
        selector = new Selector(hosts, table, relay);
        cache = new PlanCache(communicator, new Workspace());
    }

    /** The communicator's one context. */
    static Context of(GroupCommunicator communicator) {
        return communicator.attachment(Context.class, unused -> new Context(communicator));
    }

    private static Hosts hosts(GroupCommunicator communicator) {
        GroupView view = communicator.view();
        if (shareMemory(communicator)) {
            return Hosts.inMemory(communicator.size());
        }
        List<String> ids = new ArrayList<>();
        for (int rank = 0; rank < communicator.size(); rank++) {
            ids.add(view.members().get(communicator.worldRank(rank)).hostId());
        }
        Hosts hosts = isOnFabric(communicator) ? Hosts.of(ids).onFabric() : Hosts.of(ids);
        return casts(communicator) ? hosts.casting() : hosts;
    }

    /** Whether all ranks, by what they published, reach each other over one fabric. */
    private static boolean isOnFabric(GroupCommunicator communicator) {
        int size = communicator.size();
        FabricChoice choice = new FabricChoice(communicator.view().members());
        String first = size < 2 ? "" : choice.between(communicator.worldRank(0), communicator.worldRank(1));
        for (int rank = 0; rank < size && !first.isEmpty(); rank++) {
            for (int peer = rank + 1; peer < size; peer++) {
                if (!choice.between(communicator.worldRank(rank), communicator.worldRank(peer))
                        .equals(first)) {
                    return false;
                }
            }
        }
        return !first.isEmpty();
    }

    /**
     * Whether each rank casts what all others get alike: all ranks of the world, by what they published, are reached over UDP
     * and none in memory. Whether they are to cast they have set alike.
     */
    private static boolean casts(GroupCommunicator communicator) {
        List<Member> members = communicator.view().members();
        boolean isWanted = communicator.settings().aeronUdp().casts();
        if (!isWanted || members.size() <= 2 || communicator.size() < members.size()) {
            return false;
        }
        Set<String> memories = new HashSet<>();
        for (Member member : members) {
            boolean isNeighbour = !member.memory().isEmpty() && !memories.add(member.memory());
            if (isNeighbour || !member.isReachedBy(TransportChoice.AERON_UDP.text())) {
                return false;
            }
        }
        return true;
    }

    /** Whether all ranks published the same memory: what others cannot see they do not publish. */
    private static boolean shareMemory(GroupCommunicator communicator) {
        GroupView view = communicator.view();
        String first = view.members().get(communicator.worldRank(0)).memory();
        for (int rank = 1; rank < communicator.size(); rank++) {
            if (!view.members().get(communicator.worldRank(rank)).memory().equals(first)) {
                return false;
            }
        }
        return !first.isEmpty() && communicator.size() > 1;
    }

    /** What settings, relay and group view say alike on all ranks. */
    private static RelayCollectives allowed(GroupCommunicator communicator) {
        RelayCollectives set = communicator.settings().relayCollectives();
        if (!communicator.hasHub() || communicator.size() < 2) {
            return RelayCollectives.OFF;
        }
        return set == RelayCollectives.REDUCE && !communicator.view().hubReduces() ? RelayCollectives.MULTICAST : set;
    }

    private static boolean isRelayOnly(GroupCommunicator communicator) {
        for (int rank = 0; rank < communicator.size(); rank++) {
            if (!communicator.view().isRelayOnly(communicator.worldRank(rank))) {
                return false;
            }
        }
        return true;
    }

    GroupCommunicator communicator() {
        return communicator;
    }

    Arguments arguments() {
        return arguments;
    }

    Selector selector() {
        return selector;
    }

    String explain(CollectiveOperation operation, long bytes, AlgorithmName wanted) {
        return Explanation.of(operation, bytes, hosts, table, relay, wanted);
    }

    /**
     * Something that can be run, bound to the call's memory.
     *
     * @param wanted         the algorithm to use; null to have it chosen
     * @param wantedSegments length of segments; 0 to have it chosen
     */
    PlanCache.Lease prepare(Call call, AlgorithmName wanted, int wantedSegments) {
        AlgorithmName name = wanted == null ? chosen(call) : wanted;
        if (wanted != null) {
            checkRelay(call, wanted);
        }
        int segmentBytes =
                wantedSegments > 0 ? wantedSegments : selector.segmentBytes(call.operation, name, call.totalBytes);
        Shape shape = call.shape(communicator.rank(), communicator.size(), segmentBytes);
        PlanCache.Lease lease = cache.take(algorithm(call.operation, name), shape);
        int signature = Signature.of(
                call.operation.number(),
                call.reducedType(),
                call.op == null ? 0 : call.op.kind().number(),
                name.number(),
                call.root,
                call.totalBytes,
                segmentBytes);
        lease.execution().bind(call.source, call.target, call.op, signature);
        return lease;
    }

    private AlgorithmName chosen(Call call) {
        return selector.rule(call.operation, call.totalBytes, isKnownToRelay(call))
                .algorithm();
    }

    private static boolean isKnownToRelay(Call call) {
        return call.op == null || call.op.kind() != ReduceOp.Kind.USER;
    }

    /** An algorithm that the caller asks for may need the relay. */
    private void checkRelay(Call call, AlgorithmName name) {
        if (name.needs() == RelayCollectives.OFF || communicator.size() == 1) {
            return;
        }
        if (name == AlgorithmName.RELAY_REDUCE && !isKnownToRelay(call)) {
            throw arguments.bad(call.operation, "the relay cannot combine by a function of the user's");
        }
        if (name.needs().compareTo(allowed) > 0) {
            throw arguments.bad(
                    call.operation,
                    "algorithm " + name + " needs " + Setting.RELAY_COLLECTIVES.variable() + "="
                            + name.needs().toString().toLowerCase(Locale.ROOT)
                            + ", a relay that allows it, and a transport that uses the relay; allowed is "
                            + allowed.toString().toLowerCase(Locale.ROOT));
        }
    }

    private synchronized Algorithm algorithm(CollectiveOperation operation, AlgorithmName name) {
        Map<AlgorithmName, Algorithm> known = algorithms.get(operation);
        if (known == null) {
            known = new EnumMap<>(AlgorithmName.class);
            algorithms.put(operation, known);
        }
        Algorithm algorithm = known.get(name);
        if (algorithm == null) {
            algorithm = Algorithms.of(operation, name, hosts);
            if (algorithm == null) {
                throw arguments.bad(
                        operation,
                        "no algorithm " + name + ": this operation has " + Algorithms.of(operation) + " and "
                                + Algorithms.ofRelay(operation));
            }
            known.put(name, algorithm);
        }
        return algorithm;
    }

    /** Keeps an execution that succeeded for the next call. */
    void giveBack(PlanCache.Lease lease) {
        cache.giveBack(lease);
    }
}
