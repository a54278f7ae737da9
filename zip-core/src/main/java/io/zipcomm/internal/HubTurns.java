package io.zipcomm.internal;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.agrona.collections.IntArrayList;

/**
 * Which collectives of one communicator use the relay's hub now: the first few of those under way, in their order. All
 * ranks have that order, so the oldest that any rank waits for always has its turn on all. Engine holder only.
 */
final class HubTurns {

    private static final int IDLE_MAX = 64;

    private final IntArrayList underWay = new IntArrayList();

    /** For each, how many things are not over. */
    private final IntArrayList holds = new IntArrayList();

    /** For each, the ordinals of its operations that are over here. */
    private final List<BitSet> over = new ArrayList<>();

    /** Of collectives that ended, to be used again. */
    private final ArrayDeque<BitSet> idle = new ArrayDeque<>();

    private final GroupCommunicator communicator;
    private final int[] worldRanks;
    private final boolean isWorld;
    private Payload members;

    /** For one communicator. */
    HubTurns(GroupCommunicator communicator) {
        this.communicator = communicator;
        worldRanks = communicator.worldRanks();
        boolean all = worldRanks.length == communicator.engine().view().size();
        for (int rank = 0; rank < worldRanks.length; rank++) {
            all &= worldRanks[rank] == rank;
        }
        isWorld = all;
    }

    GroupCommunicator communicator() {
        return communicator;
    }

    /** The members as ENTER names them; null for the whole world in its order. */
    Payload members() {
        if (members == null && !isWorld) {
            ByteBuffer ranks =
                    ByteBuffer.allocateDirect(worldRanks.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (int rank : worldRanks) {
                ranks.putInt(rank);
            }
            members = Payload.of(ranks.flip(), DataType.INT32);
        }
        return members;
    }

    /** A collective has its turn after those that began before it, for as long as anything of it is {@link #hold held}. */
    void begins(int collective) {
        underWay.addInt(collective);
        holds.addInt(1);
        over.add(idle.isEmpty() ? new BitSet() : idle.pop());
    }

    /** An operation of a collective is over here. */
    void over(int collective, int ordinal) {
        int place = underWay.indexOf(collective);
        if (place >= 0) {
            over.get(place).set(ordinal);
        }
    }

    /** Whether an operation of a collective that has begun here is over: it ended, or the collective is not under way. */
    boolean isOver(int collective, int ordinal) {
        int place = underWay.indexOf(collective);
        return place < 0 || over.get(place).get(ordinal);
    }

    /** There is one thing more to wait for before the collective is over. */
    void hold(int collective) {
        int place = underWay.indexOf(collective);
        if (place >= 0) {
            holds.setInt(place, holds.getInt(place) + 1);
        }
    }

    /**
     * The opposite of {@link #hold}, or of {@link #begins}.
     *
     * @return whether it is the turn of others now
     */
    boolean release(int collective) {
        int place = underWay.indexOf(collective);
        if (place < 0 || holds.setInt(place, holds.getInt(place) - 1) > 1) {
            return false;
        }
        underWay.removeAt(place);
        holds.removeAt(place);
        BitSet ended = over.remove(place);
        if (idle.size() < IDLE_MAX) {
            ended.clear();
            idle.push(ended);
        }
        return underWay.size() >= Hub.COLLECTIVES_MAX;
    }

    boolean hasTurn(int collective) {
        int place = underWay.indexOf(collective);
        return place >= 0 && place < Hub.COLLECTIVES_MAX;
    }
}
