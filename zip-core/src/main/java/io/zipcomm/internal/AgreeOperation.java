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
    private final CallTime.Decided time;

    /** As all members count; 0 until it begins. */
    private int number;

    private boolean said;
    private Agreement agreed;

    /**
     * One call.
     *
     * @param value this rank's part
     * @param time  after which the relay answers at the latest, and within which the answer is here
     */
    AgreeOperation(GroupCommunicator communicator, boolean value, CallTime.Decided time) {
        super(communicator);
        this.value = value;
        this.time = time;
    }

    /** What was agreed; after success. */
    Agreement agreed() {
        return agreed;
    }

    @Override
    protected void begin() {
        String loss = communicator().engine().controlLoss();
        Agreements.Refused refused = loss == null ? communicator().agreements().begins(this) : null;
        if (loss != null) {
            lost(loss);
        } else if (refused == Agreements.Refused.BUSY) {
            fail(
                    ErrorCode.BAD_ARGUMENT,
                    ZipException.NONE,
                    "another thread waits for an agreement on this communicator",
                    null);
        } else if (refused == Agreements.Refused.TOO_MANY) {
            fail(ErrorCode.LIMIT, ZipException.NONE, "too many agreements before it have no answer", null);
        }
    }

    int agreementNumber() {
        return number;
    }

    void agreementNumber(int itsNumber) {
        number = itsNumber;
    }

    /** Its turn has come. If it has ended meanwhile, the others do not wait for this rank, and shall not believe that it has agreed. */
    void say() {
        said = true;
        long leftNs = deadlineNs - time.answerNs() - communicator().engine().nowNs();
        long timeoutMs = isDone() ? 1 : Math.max(1, leftNs / 1_000_000);
        int[] members = {};
        if (communicator().context() != 0) {
            members = communicator().worldRanks().clone();
            Arrays.sort(members);
        }
        communicator()
                .engine()
                .control()
                .agree(communicator().context(), members, number, value && !isDone(), timeoutMs);
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
        return said ? "the relay's answer" : "the relay's answer to the agreement before";
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
