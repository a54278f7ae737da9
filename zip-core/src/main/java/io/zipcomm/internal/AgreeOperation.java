package io.zipcomm.internal;

import io.zipcomm.Agreement;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** One question of all members to the relay, which answers them all alike. Uses no links. */
final class AgreeOperation extends Operation {

    /** How long the relay's answer may take beyond the time that the relay was given. */
    static final long ANSWER_NS = 2_000_000_000L;

    private final boolean value;
    private final long timeoutNs;

    /** As all members count; 0 until it is said. */
    private int number;

    private Agreement agreed;

    /**
     * One call.
     *
     * @param value     this rank's part
     * @param timeoutNs after which the relay answers at the latest
     */
    AgreeOperation(GroupCommunicator communicator, boolean value, long timeoutNs) {
        super(communicator);
        this.value = value;
        this.timeoutNs = timeoutNs;
    }

    /** What was agreed; after success. */
    Agreement agreed() {
        return agreed;
    }

    @Override
    protected void begin() {
        String loss = communicator().engine().controlLoss();
        if (loss != null) {
            lost(loss);
        } else if (!communicator().agreements().begins(this)) {
            fail(
                    ErrorCode.BAD_ARGUMENT,
                    ZipException.NONE,
                    "another thread waits for an agreement on this communicator",
                    null);
        }
    }

    /** Its turn has come. */
    void say(int itsNumber) {
        number = itsNumber;
        int[] members = {};
        if (communicator().context() != 0) {
            members = communicator().worldRanks().clone();
            Arrays.sort(members);
        }
        communicator()
                .engine()
                .control()
                .agree(communicator().context(), members, number, value, Math.max(1, timeoutNs / 1_000_000));
    }

    boolean isSaid() {
        return number != 0;
    }

    /** The relay's answer. */
    void answered(boolean all, int[] failed, int[] missing) {
        if (isDone()) {
            return;
        }
        if (missing.length > 0) {
            fail(
                    ErrorCode.DEADLINE,
                    missing[0],
                    "nothing was agreed in time: " + (missing.length == 1 ? "rank " : "ranks ")
                            + Arrays.stream(missing).mapToObj(Integer::toString).collect(Collectors.joining(", "))
                            + " did not come",
                    null);
            return;
        }
        List<Integer> ranks = Arrays.stream(failed)
                .map(communicator()::rankOf)
                .filter(rank -> rank >= 0)
                .sorted()
                .boxed()
                .toList();
        agreed = new Agreement(all, ranks);
        succeed();
    }

    /** There will be no answer; of no account if there was one. */
    void lost(String reason) {
        fail(ErrorCode.RELAY_LOST, ZipException.NONE, reason, null);
    }

    @Override
    protected void withdraw() {}

    @Override
    public String describe() {
        return "agree" + (number == 0 ? "" : " #" + number) + communicator().suffix();
    }

    @Override
    protected String awaited() {
        return isSaid() ? "the relay's answer" : "the relay's answer to the agreement before";
    }

    @Override
    protected boolean isCollective() {
        // The death of a member is part of the answer.
        return false;
    }

    @Override
    protected boolean outlivesRevocation() {
        return true;
    }
}
