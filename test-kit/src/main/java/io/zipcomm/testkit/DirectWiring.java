package io.zipcomm.testkit;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.Transport;
import io.zipcomm.wire.SessionKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Transports of one group in this process, without a relay, and a direct path between any two of them. */
public final class DirectWiring implements TransportContract.Wiring {

    private static final int EPOCH = 3;
    private static final long FLOW_WINDOW_BYTES = 1 << 20;
    private static final int RELAY_FRAGMENT_BYTES_MAX = 64 << 10;
    private static final long OPENING_NS_MAX = 20_000_000_000L;
    private static final long IDLE_NS = 1_000_000;

    private final List<Transport> transports = new ArrayList<>();
    private final Path[][] opened;

    private DirectWiring(int size) {
        opened = new Path[size][size];
    }

    /** Makes what each rank sees of the group. */
    public interface Views {
        /**
         * For each rank its view.
         *
         * @param candidates what each rank publishes
         */
        List<GroupView> of(List<List<Candidate>> candidates);
    }

    /**
     * Opens all transports and all paths.
     *
     * @param size   ranks
     * @param seed   decides which of two ranks begins
     * @param opener opens the transport of a rank; it is closed with the result, or if this fails
     * @param views  makes the group
     */
    public static DirectWiring open(int size, long seed, IntFunction<Transport> opener, Views views) {
        DirectWiring wiring = new DirectWiring(size);
        try {
            for (int rank = 0; rank < size; rank++) {
                wiring.transports.add(opener.apply(rank));
            }
            wiring.start(views);
            wiring.connectAll(new Random(seed));
            return wiring;
        } catch (RuntimeException | Error e) {
            wiring.close();
            throw e;
        }
    }

    private void start(Views views) {
        List<GroupView> group =
                views.of(transports.stream().map(Transport::candidates).toList());
        for (int rank = 0; rank < transports.size(); rank++) {
            transports.get(rank).start(group.get(rank), new Opened(rank));
        }
    }

    /**
     * A group on this host as each of its ranks sees it, by what they publish.
     *
     * @param seed of the session key
     */
    public static List<GroupView> views(long seed, List<List<Candidate>> candidates) {
        return views(seed, candidates, rank -> "this host");
    }

    /**
     * The same, on several hosts.
     *
     * @param hosts id of each rank's host
     */
    public static List<GroupView> views(long seed, List<List<Candidate>> candidates, IntFunction<String> hosts) {
        List<Member> members = IntStream.range(0, candidates.size())
                .mapToObj(rank -> new Member(rank, hosts.apply(rank), candidates.get(rank), List.of("some")))
                .toList();
        byte[] key = new byte[SessionKey.BYTES];
        new Random(seed).nextBytes(key);
        return IntStream.range(0, candidates.size())
                .mapToObj(rank -> new GroupView(
                        "s", EPOCH, rank, members, new SessionKey(key), FLOW_WINDOW_BYTES, RELAY_FRAGMENT_BYTES_MAX))
                .toList();
    }

    /** The lower rank begins, or the higher, or both at once. */
    private void connectAll(Random random) {
        int size = transports.size();
        for (int rank = 0; rank < size; rank++) {
            for (int peer = rank + 1; peer < size; peer++) {
                int who = random.nextInt(3);
                if (who != 1) {
                    transports.get(rank).connect(peer);
                }
                if (who != 0) {
                    transports.get(peer).connect(rank);
                }
            }
        }
        long deadlineNs = System.nanoTime() + OPENING_NS_MAX;
        while (openEnds() < (long) size * (size - 1)) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new AssertionError("only " + openEnds() + " of " + size * (size - 1) + " ends of paths are open");
            }
            idle();
        }
    }

    private long openEnds() {
        return Arrays.stream(opened)
                .flatMap(Arrays::stream)
                .filter(Objects::nonNull)
                .count();
    }

    /** Keeps what opens. */
    private final class Opened implements PathEvents {
        private final int rank;

        Opened(int rank) {
            this.rank = rank;
        }

        @Override
        public void opened(Path path) {
            opened[rank][path.peer()] = path;
        }

        @Override
        public void unreachable(int peer, String reason) {
            throw new AssertionError("rank " + peer + " is unreachable: " + reason);
        }

        @Override
        public void punchWanted(int peer) {
            throw new AssertionError("nobody is behind a NAT here");
        }

        @Override
        public void relayLost(String reason) {
            throw new AssertionError(reason);
        }
    }

    @Override
    public int epoch() {
        return EPOCH;
    }

    @Override
    public Transport transport(int rank) {
        return transports.get(rank);
    }

    @Override
    public Path path(int rank, int peer) {
        return opened[rank][peer];
    }

    @Override
    public void idle() {
        for (Transport transport : transports) {
            transport.await(IDLE_NS, () -> false);
        }
    }

    @Override
    public void close() {
        // The first one last: if they share memory, it has the driver.
        for (int rank = transports.size() - 1; rank >= 0; rank--) {
            transports.get(rank).close();
        }
    }
}
