package io.zipcomm.collectives.select;

import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.collectives.allgather.DoublingAllGather;
import io.zipcomm.collectives.allgather.HierarchicalAllGather;
import io.zipcomm.collectives.allgather.PairwiseAllGather;
import io.zipcomm.collectives.allgather.RelayAllGather;
import io.zipcomm.collectives.allgather.RingAllGather;
import io.zipcomm.collectives.allreduce.DoublingAllReduce;
import io.zipcomm.collectives.allreduce.ExchangeAllReduce;
import io.zipcomm.collectives.allreduce.HierarchicalAllReduce;
import io.zipcomm.collectives.allreduce.MulticastAllReduce;
import io.zipcomm.collectives.allreduce.RabenseifnerAllReduce;
import io.zipcomm.collectives.allreduce.RelayAllReduce;
import io.zipcomm.collectives.allreduce.RingAllReduce;
import io.zipcomm.collectives.alltoall.BruckAllToAll;
import io.zipcomm.collectives.alltoall.PairwiseAllToAll;
import io.zipcomm.collectives.barrier.DisseminationBarrier;
import io.zipcomm.collectives.barrier.HierarchicalBarrier;
import io.zipcomm.collectives.barrier.RelayBarrier;
import io.zipcomm.collectives.broadcast.BinomialBroadcast;
import io.zipcomm.collectives.broadcast.ChainBroadcast;
import io.zipcomm.collectives.broadcast.HierarchicalBroadcast;
import io.zipcomm.collectives.broadcast.LinearBroadcast;
import io.zipcomm.collectives.broadcast.RelayBroadcast;
import io.zipcomm.collectives.broadcast.ScatterRingBroadcast;
import io.zipcomm.collectives.gather.BinomialGather;
import io.zipcomm.collectives.gather.LinearGather;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.reduce.BinomialReduce;
import io.zipcomm.collectives.reduce.ChainReduce;
import io.zipcomm.collectives.reduce.HierarchicalReduce;
import io.zipcomm.collectives.reduce.RabenseifnerReduce;
import io.zipcomm.collectives.reduce.RelayReduce;
import io.zipcomm.collectives.reducescatter.HalvingReduceScatter;
import io.zipcomm.collectives.reducescatter.RingReduceScatter;
import io.zipcomm.collectives.scatter.BinomialScatter;
import io.zipcomm.collectives.scatter.LinearScatter;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import java.util.ArrayList;
import java.util.List;

/** Which operation has which algorithms. */
public final class Algorithms {

    private Algorithms() {}

    /**
     * The algorithm of an operation with a name. Loads no class but that one: in a function, that counts.
     *
     * @param hosts where the ranks of the group are
     * @return a new instance, or null if the operation has no such algorithm
     */
    public static Algorithm of(CollectiveOperation operation, AlgorithmName name, Hosts hosts) {
        return switch (operation) {
            case BARRIER ->
                switch (name) {
                    case DISSEMINATION -> new DisseminationBarrier();
                    case HIERARCHICAL -> new HierarchicalBarrier(hosts);
                    case RELAY_MULTICAST -> new RelayBarrier();
                    default -> null;
                };
            case BROADCAST ->
                switch (name) {
                    case BINOMIAL -> new BinomialBroadcast();
                    case LINEAR -> new LinearBroadcast();
                    case CHAIN -> new ChainBroadcast();
                    case SCATTER_ALLGATHER -> new ScatterRingBroadcast();
                    case HIERARCHICAL -> new HierarchicalBroadcast(hosts);
                    case RELAY_MULTICAST -> new RelayBroadcast();
                    default -> null;
                };
            case REDUCE ->
                switch (name) {
                    case BINOMIAL -> new BinomialReduce();
                    case CHAIN -> new ChainReduce();
                    case RABENSEIFNER -> new RabenseifnerReduce();
                    case HIERARCHICAL -> new HierarchicalReduce(hosts);
                    case RELAY_REDUCE -> new RelayReduce();
                    default -> null;
                };
            case ALL_REDUCE ->
                switch (name) {
                    case DOUBLING -> new DoublingAllReduce();
                    case RABENSEIFNER -> new RabenseifnerAllReduce();
                    case RING -> new RingAllReduce();
                    case EXCHANGE -> new ExchangeAllReduce();
                    case HIERARCHICAL -> new HierarchicalAllReduce(hosts);
                    case RELAY_MULTICAST -> new MulticastAllReduce();
                    case RELAY_REDUCE -> new RelayAllReduce();
                    default -> null;
                };
            case SCATTER ->
                switch (name) {
                    case BINOMIAL -> new BinomialScatter();
                    case LINEAR -> new LinearScatter();
                    default -> null;
                };
            case GATHER ->
                switch (name) {
                    case BINOMIAL -> new BinomialGather();
                    case LINEAR -> new LinearGather();
                    default -> null;
                };
            case ALL_GATHER, ALL_GATHER_V ->
                switch (name) {
                    case DOUBLING -> new DoublingAllGather();
                    case RING -> new RingAllGather();
                    case PAIRWISE -> new PairwiseAllGather();
                    case HIERARCHICAL -> new HierarchicalAllGather(hosts);
                    case RELAY_MULTICAST -> new RelayAllGather();
                    default -> null;
                };
            case REDUCE_SCATTER ->
                switch (name) {
                    case HALVING -> new HalvingReduceScatter();
                    case RING -> new RingReduceScatter();
                    default -> null;
                };
            case ALL_TO_ALL ->
                switch (name) {
                    case BRUCK -> new BruckAllToAll();
                    case PAIRWISE -> new PairwiseAllToAll();
                    default -> null;
                };
            // With blocks of any lengths, only the root or the pair know how long they are.
            case SCATTER_V -> name == AlgorithmName.LINEAR ? new LinearScatter() : null;
            case GATHER_V -> name == AlgorithmName.LINEAR ? new LinearGather() : null;
            case ALL_TO_ALL_V -> name == AlgorithmName.PAIRWISE ? new PairwiseAllToAll() : null;
        };
    }

    /** Whether an operation has an algorithm. */
    static boolean has(CollectiveOperation operation, AlgorithmName name) {
        return of(operation, name, Hosts.one(1)) != null;
    }

    /** The names of an operation's algorithms in which ranks send each other messages: they work over any transport. */
    public static List<AlgorithmName> of(CollectiveOperation operation) {
        return of(operation, false);
    }

    /**
     * Whether an algorithm has each rank send the same bytes to all others at once, which is for ranks that share memory:
     * elsewhere the connections of one rank carry them all.
     */
    public static boolean isForMemory(CollectiveOperation operation, AlgorithmName name) {
        return switch (operation) {
            case BROADCAST -> name == AlgorithmName.LINEAR;
            case ALL_REDUCE -> name == AlgorithmName.EXCHANGE;
            case ALL_GATHER, ALL_GATHER_V -> name == AlgorithmName.PAIRWISE;
            default -> false;
        };
    }

    /** The names of an operation's algorithms of which the relay does a part. */
    public static List<AlgorithmName> ofRelay(CollectiveOperation operation) {
        return of(operation, true);
    }

    private static List<AlgorithmName> of(CollectiveOperation operation, boolean byRelay) {
        List<AlgorithmName> names = new ArrayList<>();
        for (AlgorithmName name : AlgorithmName.values()) {
            if (byRelay == (name.needs() != RelayCollectives.OFF) && has(operation, name)) {
                names.add(name);
            }
        }
        return names;
    }
}
