package io.zipcomm.internal;

import io.zipcomm.Agreement;
import java.util.ArrayDeque;

/**
 * The agreements of one communicator: numbers them as they are called, and says each to the relay when the one before has been
 * answered, which the caller may not have waited for. All members count alike, so each is said that was called.
 */
final class Agreements {

    /** Calls that ended before the relay could be asked. */
    private static final int UNSAID_MAX = 1024;

    private final GroupCommunicator communicator;

    // Engine holder only.
    private int number;

    /** Whose turn it is, and has no answer yet, and those behind it. */
    private final ArrayDeque<AgreeOperation> unanswered = new ArrayDeque<>(1);

    Agreements(GroupCommunicator communicator) {
        this.communicator = communicator;
    }

    /** Runs one to its end; throws its failure. */
    Agreement agree(boolean value, CallTime time) {
        CallTime.Decided decided = time.forDecided(communicator, "agree", AgreeOperation.ANSWER_NS);
        AgreeOperation agree = new AgreeOperation(communicator, value, decided);
        communicator.run(agree, decided.timeoutNs() + decided.answerNs());
        return agree.agreed();
    }

    /** Takes one in, as the next in turn. Answers why not; null if it was taken in. */
    Refused begins(AgreeOperation operation) {
        AgreeOperation last = unanswered.peekLast();
        if (last != null && !last.isDone()) {
            return Refused.BUSY;
        }
        if (unanswered.size() > UNSAID_MAX) {
            return Refused.TOO_MANY;
        }
        operation.agreementNumber(++number);
        unanswered.add(operation);
        if (unanswered.size() == 1) {
            operation.say();
        }
        return null;
    }

    /** Why one cannot begin. */
    enum Refused {
        BUSY,
        TOO_MANY
    }

    /** The relay has answered one of them. */
    void answered(int ofNumber, boolean value, int[] failed, int[] missing) {
        AgreeOperation asked = unanswered.peek();
        if (asked == null || asked.agreementNumber() != ofNumber) {
            return;
        }
        unanswered.remove();
        asked.answered(value, failed, missing);
        AgreeOperation next = unanswered.peek();
        if (next != null) {
            next.say();
        }
    }

    /** There will be no further answers. */
    void lost(String reason) {
        unanswered.forEach(one -> one.lost(reason));
    }
}
