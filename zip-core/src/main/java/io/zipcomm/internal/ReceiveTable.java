package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.Arrays;

/**
 * Receives that were cleared, by the number that their DATA frames carry. A number is not used again soon after its
 * receive ended, so that frames that come late for a withdrawn receive are recognised and thrown away.
 */
final class ReceiveTable {

    private static final int SLOT_BITS = 20;

    /** Receives that may be cleared at one time. */
    static final int SLOTS_MAX = 1 << SLOT_BITS;

    private static final int SLOT_MASK = SLOTS_MAX - 1;

    private Transfer[] slots = new Transfer[64];
    private int[] numbers = new int[64];
    private int[] free = new int[64];
    private int freeCount;

    /** Slot 0 is never given out, so that no number is 0. */
    private int used = 1;

    /** Gives a receive its number. */
    void add(Transfer receive) {
        int slot;
        if (freeCount > 0) {
            slot = free[--freeCount];
        } else {
            if (used == SLOTS_MAX) {
                throw new ZipException(ErrorCode.LIMIT, SLOTS_MAX + " large receives are under way at once");
            }
            slot = used++;
            if (slot == slots.length) {
                slots = Arrays.copyOf(slots, slot * 2);
                numbers = Arrays.copyOf(numbers, slot * 2);
            }
            numbers[slot] = slot;
        }
        slots[slot] = receive;
        numbers[slot] += SLOTS_MAX;
        receive.number = numbers[slot];
    }

    /** The receive with a number; null if it has ended. */
    Transfer get(int number) {
        int slot = number & SLOT_MASK;
        return slot < used && numbers[slot] == number ? slots[slot] : null;
    }

    /** Whether a number was ever given out. */
    boolean knows(int number) {
        return (number & SLOT_MASK) < used;
    }

    void remove(Transfer receive) {
        int slot = receive.number & SLOT_MASK;
        if (slots[slot] != receive) {
            return;
        }
        slots[slot] = null;
        if (freeCount == free.length) {
            free = Arrays.copyOf(free, freeCount * 2);
        }
        free[freeCount++] = slot;
    }

    /** Numbers given out and not given back. */
    int size() {
        return used - 1 - freeCount;
    }
}
