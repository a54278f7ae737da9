package io.zipcomm.internal;

/**
 * Transfers in the order in which they were added, linked through the transfers themselves. A transfer is in one queue at
 * a time. Removal from the middle takes a walk; queues are short.
 */
final class TransferQueue {

    private Transfer head;
    private Transfer tail;
    private int size;

    Transfer peek() {
        return head;
    }

    boolean isEmpty() {
        return head == null;
    }

    int size() {
        return size;
    }

    void add(Transfer transfer) {
        transfer.next = null;
        if (tail == null) {
            head = transfer;
        } else {
            tail.next = transfer;
        }
        tail = transfer;
        size++;
    }

    Transfer poll() {
        Transfer first = head;
        if (first != null) {
            unlink(null, first);
        }
        return first;
    }

    /** Takes out the oldest transfer for a context and tag; null if there is none. */
    Transfer take(int context, long tag) {
        Transfer before = null;
        for (Transfer one = head; one != null; before = one, one = one.next) {
            if (one.isFor(context, tag)) {
                unlink(before, one);
                return one;
            }
        }
        return null;
    }

    /** The oldest transfer for a context and tag; null if there is none. */
    Transfer find(int context, long tag) {
        Transfer one = head;
        while (one != null && !one.isFor(context, tag)) {
            one = one.next;
        }
        return one;
    }

    /** Takes out the send with a number; null if there is none. */
    Transfer takeNumber(int number) {
        Transfer before = null;
        for (Transfer one = head; one != null; before = one, one = one.next) {
            if (one.number == number) {
                unlink(before, one);
                return one;
            }
        }
        return null;
    }

    /** Takes out the receive that met the message its sender announced under a number; null if there is none. */
    Transfer takeAnnounced(int number) {
        Transfer before = null;
        for (Transfer one = head; one != null; before = one, one = one.next) {
            if (one.announced == number) {
                unlink(before, one);
                return one;
            }
        }
        return null;
    }

    /** Takes out one transfer; false if it is not here. */
    boolean remove(Transfer transfer) {
        Transfer before = null;
        for (Transfer one = head; one != null; before = one, one = one.next) {
            if (one == transfer) {
                unlink(before, one);
                return true;
            }
        }
        return false;
    }

    private void unlink(Transfer before, Transfer one) {
        if (before == null) {
            head = one.next;
        } else {
            before.next = one.next;
        }
        if (tail == one) {
            tail = before;
        }
        one.next = null;
        size--;
    }
}
