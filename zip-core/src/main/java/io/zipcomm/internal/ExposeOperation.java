package io.zipcomm.internal;

import io.zipcomm.transport.RemoteMemory;
import io.zipcomm.transport.RemoteMemory.Exposure;
import io.zipcomm.transport.RemoteMemory.Reach;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Makes a region: members tell each other where their memory is, open paths to all others, and tell each other whether they have: so
 * all of them fail, or none.
 */
final class ExposeOperation extends ExchangeOperation {

    // What is told first.

    static final int BYTES = 0;
    static final int ADDRESS = 1;
    static final int KEY = 2;

    // What is told then: a peer that is not reached, or -1, and the name of the path to it.

    private static final int UNREACHED = 0;
    private static final int NAME = 1;
    private static final int NAME_WORDS = 2;

    private static final int COLUMNS = NAME + NAME_WORDS;
    private static final int ALL_REACHED = -1;

    private final ByteBuffer memory;
    private final RemoteMemory remote;
    private final long[] places;
    private Exposure exposure;
    private boolean isTold;
    private boolean isSettled;
    private String problem;

    /**
     * One call.
     *
     * @param memory what this rank exposes, all of it
     */
    ExposeOperation(GroupCommunicator communicator, ByteBuffer memory) {
        super(communicator, Signature.EXPOSE, COLUMNS);
        this.memory = memory;
        remote = communicator.engine().remoteMemory();
        places = new long[communicator.size() * COLUMNS];
    }

    /** Null if this rank exposes nothing. */
    Exposure exposure() {
        return exposure;
    }

    /** Why there is no region, the same on all members; null if there is one. Known after success. */
    String problem() {
        return problem;
    }

    /** What a member has told of its memory. */
    long place(int rank, int column) {
        return places[rank * COLUMNS + column];
    }

    @Override
    void begun() {
        if (remote != null && memory.capacity() > 0) {
            exposure = remote.expose(memory);
        }
        tell(BYTES, memory.capacity());
        tell(ADDRESS, exposure == null ? 0 : exposure.address());
        tell(KEY, exposure == null ? 0 : exposure.key());
        exchange();
    }

    @Override
    void exchanged() {
        if (isTold) {
            conclude();
            return;
        }
        isTold = true;
        for (int rank = 0; rank < communicator().size(); rank++) {
            for (int column = 0; column < COLUMNS; column++) {
                places[rank * COLUMNS + column] = told(rank, column);
            }
        }
        settle();
    }

    /** Looks whether it is known of all paths whether they open. */
    private void settle() {
        int unreached = ALL_REACHED;
        boolean isLate = false;
        // From the next rank on, since there is a path to that one in any case.
        for (int i = 1; i < communicator().size(); i++) {
            int rank = (communicator().rank() + i) % communicator().size();
            Reach reach = reach(rank);
            isLate |= reach == Reach.LATER;
            unreached = unreached == ALL_REACHED && reach == Reach.NEVER ? rank : unreached;
        }
        if (isLate) {
            return;
        }
        isSettled = true;
        tell(UNREACHED, unreached);
        tellName(unreached == ALL_REACHED ? "" : path(unreached));
        exchange();
    }

    private Reach reach(int rank) {
        int worldRank = communicator().worldRank(rank);
        Reach reach = remote == null ? Reach.NEVER : remote.reach(worldRank);
        if (reach == Reach.LATER) {
            communicator().engine().link(worldRank).want();
        }
        return reach;
    }

    private String path(int rank) {
        return String.valueOf(communicator().engine().pathTo(communicator().worldRank(rank)));
    }

    private void tellName(String name) {
        byte[] letters = name.getBytes(StandardCharsets.US_ASCII);
        for (int word = 0; word < NAME_WORDS; word++) {
            long value = 0;
            for (int i = 0; i < Long.BYTES; i++) {
                int at = word * Long.BYTES + i;
                int letter = at < letters.length ? letters[at] & 0xff : ' ';
                value = (value << Byte.SIZE) | letter;
            }
            tell(NAME + word, value);
        }
    }

    private String toldName(int rank) {
        StringBuilder name = new StringBuilder();
        for (int word = 0; word < NAME_WORDS; word++) {
            for (int i = Long.BYTES - 1; i >= 0; i--) {
                name.append((char) ((told(rank, NAME + word) >>> (i * Byte.SIZE)) & 0xff));
            }
        }
        return name.toString().strip();
    }

    private void conclude() {
        for (int rank = 0; rank < communicator().size() && problem == null; rank++) {
            if (told(rank, UNREACHED) != ALL_REACHED) {
                problem = "rank " + communicator().worldRank(rank) + " cannot reach the memory of rank "
                        + communicator().worldRank((int) told(rank, UNREACHED)) + ": the path between them is "
                        + toldName(rank) + ", and has no remote memory access, as rdma has";
            }
        }
        if (problem != null && exposure != null) {
            exposure.withdraw();
        }
        succeed();
    }

    @Override
    protected void timer(long nowNs) {
        super.timer(nowNs);
        if (!isDone() && isTold && !isSettled) {
            settle();
        }
    }

    @Override
    protected void withdraw() {
        super.withdraw();
        if (exposure != null) {
            // Others may have made the region, and not heard yet that it has failed here.
            exposure.giveUp();
        }
    }

    @Override
    protected String awaited() {
        return isTold && !isSettled ? "paths with remote memory access to all members" : super.awaited();
    }
}
