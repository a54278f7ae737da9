package io.zipcomm.transport.aeron;

/**
 * What is in slots of a rank's arena for several readers: placed by the first path that sends it, lent by the others. A slot
 * is let go when all have it, or when it is the oldest and there is need: who comes later places the bytes anew.
 *
 * <p>Engine holder only. Nothing is allocated after it was made.
 */
final class SharedSlots {

    /** Slots that wait for further readers. */
    private static final int SLOTS_MAX = 128;

    private final Arena arena;
    private final long[] shares = new long[SLOTS_MAX];
    private final long[] offsets = new long[SLOTS_MAX];
    private final int[] slots = new int[SLOTS_MAX];
    private final int[] left = new int[SLOTS_MAX];

    /** Entries in use, from the oldest. */
    private int count;

    SharedSlots(Arena arena) {
        this.arena = arena;
    }

    /**
     * A slot that holds what one more reader is to get, which the caller holds then.
     *
     * @param share  number of what several readers get
     * @param offset of the bytes in it
     * @return a slot, or {@link Arena#NONE} if the bytes are in none
     */
    int take(long share, long offset) {
        for (int i = count - 1; i >= 0; i--) {
            if (shares[i] == share && offsets[i] == offset) {
                int slot = slots[i];
                arena.hold(slot);
                left[i]--;
                if (left[i] == 0) {
                    remove(i);
                }
                return slot;
            }
        }
        return Arena.NONE;
    }

    /**
     * Remembers what was placed in a slot that the caller holds.
     *
     * @param readers how many more are to get it, 1 or more
     */
    void put(long share, long offset, int slot, int readers) {
        if (count == SLOTS_MAX) {
            remove(0);
        }
        shares[count] = share;
        offsets[count] = offset;
        slots[count] = slot;
        left[count] = readers;
        count++;
        arena.hold(slot);
    }

    /** Lets go of the oldest. Returns false if there is none. */
    boolean dropOldest() {
        if (count == 0) {
            return false;
        }
        remove(0);
        return true;
    }

    private void remove(int index) {
        arena.release(slots[index]);
        count--;
        int behind = count - index;
        System.arraycopy(shares, index + 1, shares, index, behind);
        System.arraycopy(offsets, index + 1, offsets, index, behind);
        System.arraycopy(slots, index + 1, slots, index, behind);
        System.arraycopy(left, index + 1, left, index, behind);
    }
}
