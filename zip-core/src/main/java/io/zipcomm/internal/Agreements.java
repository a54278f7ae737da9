package io.zipcomm.internal;

import io.zipcomm.Agreement;

/**
 * The agreements of one communicator: numbers them, and says one to the relay when the one before has been answered, which the caller
 * may not have waited for.
 */
final class Agreements {

    private final GroupCommunicator communicator;

    // Engine holder only.
    private int number;
    private boolean unanswered;
    private AgreeOperation current;

    Agreements(GroupCommunicator communicator) {
        this.communicator = communicator;
    }

    /** Runs one to its end; throws its failure. */
    Agreement agree(boolean value, CallTime time) {
        long timeoutNs = time.forCall(communicator, "agree");
        AgreeOperation agree = new AgreeOperation(communicator, value, timeoutNs);
        communicator.run(agree, timeoutNs + AgreeOperation.ANSWER_NS);
        return agree.agreed();
    }

    /** One begins. Returns false if another is under way here. */
    boolean begins(AgreeOperation operation) {
        if (current != null && !current.isDone()) {
            return false;
        }
        current = operation;
        sayNext();
        return true;
    }

    /** All members count alike. */
    private void sayNext() {
        if (!unanswered) {
            unanswered = true;
            current.say(++number);
        }
    }

    /** The relay has answered one of them. */
    void answered(int ofNumber, boolean value, int[] failed, int[] missing) {
        if (ofNumber != number || !unanswered) {
            return;
        }
        unanswered = false;
        if (current.isSaid()) {
            current.answered(value, failed, missing);
        } else if (!current.isDone()) {
            sayNext();
        }
    }

    /** There will be no further answers. */
    void lost(String reason) {
        if (current != null) {
            current.lost(reason);
        }
    }
}
