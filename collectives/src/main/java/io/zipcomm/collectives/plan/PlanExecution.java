package io.zipcomm.collectives.plan;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.collectives.kernel.Reduction;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.CollectiveTag;
import io.zipcomm.internal.Completion;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.internal.HubTransfer;
import io.zipcomm.internal.Operation;
import io.zipcomm.internal.Transfer;
import io.zipcomm.wire.Enter;
import java.util.ArrayDeque;
import java.util.Arrays;

/**
 * Runs a plan: starts each step when the steps that it waits for have ended. May be run many times, one at a time, and
 * allocates nothing after the first.
 *
 * <p>Thread: the engine holder, but for {@link #bind} and {@link #unbind}, which the caller uses before and after.
 */
// A run belongs to one operation object, to which a future may refer long after; so asynchronous runs get an object
// each,
// and share the arrays, which are what is worth keeping.
public final class PlanExecution extends Operation implements Completion {

    /** How long the reason may take for which a peer withdrew a message or left: it comes by another way. */
    private static final long REASON_GRACE_NS = 2_000_000_000;

    private enum State {
        /** Waits for other steps, or its turn. */
        WAITING,
        /** A transfer is posted. */
        POSTED,
        /** Over. */
        ENDED
    }

    private final Plan plan;
    private final Shape shape;
    private final Workspace workspace;

    private final State[] states;
    private final int[] waits;
    private final Transfer[] transfers;

    /** Of steps of which the relay does a part; empty where there are none. */
    private final HubTransfer[] relayed;

    private final Reduction[] reductions;
    private final ArrayDeque<Reduction> idleReductions;

    /** Steps that may start, in the order in which they came to it; each is in it once. */
    private final int[] ready;

    private int readyFrom;
    private int readyTo;
    private int ended;
    private boolean advancing;

    private final Binding binding;
    private ReduceOp op;
    private int signature;
    private int number;

    /** The number, in this run, of the first extent that goes to several peers alike. */
    private long firstShare;

    /** This run is among those that use the relay. */
    private boolean turn;

    /** Members that were probed, where the relay alone knows who keeps the others waiting. */
    private int probed;

    /** World rank of which the relay said that it holds up a step, when a peer withdrew from that. */
    private int late = ZipException.NONE;

    /** What to say of a peer that withdrew a message or left, if no reason comes; null while none did. */
    private ZipException withdrawn;

    private long withdrawnNs;

    /**
     * For one plan, not yet bound to memory.
     *
     * @param communicator of the plan's rank and size
     * @param plan         what to do
     * @param shape        what the plan was made from
     * @param workspace    of the communicator
     */
    public PlanExecution(GroupCommunicator communicator, Plan plan, Shape shape, Workspace workspace) {
        super(communicator);
        this.plan = plan;
        this.shape = shape;
        this.workspace = workspace;
        states = new State[plan.steps()];
        waits = new int[plan.steps()];
        ready = new int[plan.steps()];
        transfers = new Transfer[plan.steps()];
        relayed = new HubTransfer[plan.usesRelay() ? plan.steps() : 0];
        reductions = new Reduction[shape.type() == null ? 0 : plan.steps()];
        idleReductions = new ArrayDeque<>();
        binding = new Binding(workspace.scratch());
    }

    private PlanExecution(PlanExecution bound) {
        super(bound.communicator());
        plan = bound.plan;
        shape = bound.shape;
        workspace = bound.workspace;
        states = bound.states;
        waits = bound.waits;
        ready = bound.ready;
        transfers = bound.transfers;
        relayed = bound.relayed;
        reductions = bound.reductions;
        idleReductions = bound.idleReductions;
        binding = bound.binding;
        op = bound.op;
        signature = bound.signature;
    }

    /**
     * An execution for one run that takes over what this is bound to. Neither this nor another twin may be used before it
     * has ended and is unbound.
     */
    public PlanExecution twin() {
        return new PlanExecution(this);
    }

    /**
     * Binds this to the arguments of one call.
     *
     * @param source       what this rank contributes; null if nothing, or if it is part of the target
     * @param target       where this rank's result goes; null if nowhere
     * @param newOp        how to combine; null where data only moves
     * @param newSignature what the call's messages carry
     */
    public void bind(Payload source, Payload target, ReduceOp newOp, int newSignature) {
        binding.bind(source, target, plan.scratchBytes());
        op = newOp;
        signature = newSignature;
    }

    /** Lets go of the caller's memory, after the end. */
    public void unbind() {
        for (Reduction reduction : idleReductions) {
            reduction.clear();
        }
        binding.unbind();
        op = null;
    }

    @Override
    protected void begin() {
        number = communicator().nextCollectiveNumber();
        communicator().noteCollective(number, signature);
        System.arraycopy(plan.waits(), 0, waits, 0, waits.length);
        Arrays.fill(states, State.WAITING);
        int[] first = plan.first();
        System.arraycopy(first, 0, ready, 0, first.length);
        readyFrom = 0;
        readyTo = first.length;
        ended = 0;
        withdrawn = null;
        firstShare = plan.sharedSends() == 0 ? 0 : communicator().takeShares(plan.sharedSends());
        if (plan.usesRelay()) {
            probed = 0;
            late = ZipException.NONE;
            turn = true;
            communicator().hubBegins(number);
        }
        advance();
    }

    /** Lets other collectives of this communicator use the relay. */
    private void endTurn() {
        if (turn) {
            turn = false;
            communicator().hubEnds(number);
        }
    }

    @Override
    public void completed(int step, long bytes, ZipException failure) {
        if (failure != null) {
            failed(step, failure);
            return;
        }
        Throwable thrown = releaseReduction(step);
        end(step);
        if (thrown != null) {
            fail(ErrorCode.USER_FUNCTION, ZipException.NONE, "the user-defined reduction threw " + thrown, thrown);
            return;
        }
        advance();
    }

    private void failed(int step, ZipException failure) {
        transfers[step] = null;
        if (relayed.length > 0) {
            late = lateRank(step);
            relayed[step] = null;
        }
        if (failure.code() != ErrorCode.PEER_FAILED && failure.code() != ErrorCode.PEER_LEFT) {
            fail(failure);
        } else if (withdrawn == null) {
            // The peer's operation has failed, and it may have left for that; who is to blame everyone is told.
            withdrawn = failure;
            withdrawnNs = 0;
        }
    }

    @Override
    protected void timer(long nowNs) {
        if (withdrawn == null) {
            return;
        }
        if (withdrawnNs == 0) {
            withdrawnNs = nowNs;
        } else if (nowNs - withdrawnNs >= REASON_GRACE_NS) {
            fail(withdrawn);
        }
    }

    /** Starts what is ready. Transfers may complete while they are posted: then this goes on, instead of once more. */
    private void advance() {
        if (advancing) {
            return;
        }
        advancing = true;
        try {
            while (readyFrom < readyTo && !isDone()) {
                start(ready[readyFrom++]);
            }
        } catch (ZipException e) {
            fail(e);
        } catch (RuntimeException e) {
            fail(ErrorCode.INTERNAL, ZipException.NONE, "starting a step failed: " + e, e);
        } finally {
            advancing = false;
        }
        if (ended == states.length && !isDone()) {
            endTurn();
            succeed();
        }
    }

    private void start(int step) {
        Plan.Kind kind = plan.kind(step);
        if (kind == Plan.Kind.COPY) {
            copy(step);
            end(step);
            return;
        }
        states[step] = State.POSTED;
        if (kind.isRelays()) {
            startRelayed(step, kind);
            return;
        }
        int peer = plan.peer(step);
        long tag = CollectiveTag.of(number, plan.ordinal(step));
        long bytes = plan.bytes(step);
        Transfer transfer = switch (kind) {
            case SEND -> postSend(step, peer, tag, bytes);
            case RECEIVE ->
                communicator().postReceive(peer, tag, signature, payload(step), plan.offset(step), bytes, this, step);
            case RECEIVE_REDUCE ->
                communicator().postReceive(peer, tag, signature, takeReduction(step), 0, bytes, this, step);
            case COPY, RELAY_MULTICAST, RELAY_REDUCE, RELAY_ALL_REDUCE -> throw new AssertionError();
        };
        if (states[step] == State.POSTED) {
            transfers[step] = transfer;
        }
    }

    private Transfer postSend(int step, int peer, long tag, long bytes) {
        int share = plan.share(step);
        return communicator()
                .postSend(
                        peer,
                        tag,
                        signature,
                        payload(step),
                        plan.offset(step),
                        bytes,
                        share < 0 ? 0 : firstShare + share,
                        share < 0 ? 0 : plan.sharers(share),
                        this,
                        step);
    }

    private void startRelayed(int step, Plan.Kind kind) {
        int root = plan.peer(step);
        boolean isRoot = root == shape.rank();
        boolean contributes = kind != Plan.Kind.RELAY_MULTICAST || isRoot;
        boolean receives = kind == Plan.Kind.RELAY_ALL_REDUCE || (kind == Plan.Kind.RELAY_REDUCE) == isRoot;
        HubTransfer transfer = communicator()
                .postToHub(
                        relayKind(kind),
                        root,
                        number,
                        plan.ordinal(step),
                        signature,
                        contributes ? binding.payload(plan.fromMemory(step)) : null,
                        plan.fromOffset(step),
                        receives ? payload(step) : null,
                        plan.offset(step),
                        plan.bytes(step),
                        this,
                        step);
        if (states[step] == State.POSTED) {
            relayed[step] = transfer;
        }
    }

    private static int relayKind(Plan.Kind kind) {
        return switch (kind) {
            case RELAY_MULTICAST -> Enter.MULTICAST;
            case RELAY_REDUCE -> Enter.REDUCE;
            default -> Enter.ALL_REDUCE;
        };
    }

    private void end(int step) {
        states[step] = State.ENDED;
        transfers[step] = null;
        if (relayed.length > 0) {
            relayed[step] = null;
        }
        ended++;
        int to = plan.dependentsFrom(step + 1);
        for (int i = plan.dependentsFrom(step); i < to; i++) {
            int dependent = plan.dependent(i);
            if (--waits[dependent] == 0) {
                ready[readyTo++] = dependent;
            }
        }
    }

    private Payload payload(int step) {
        return binding.payload(plan.memory(step));
    }

    private Segment segment(int step) {
        return binding.segment(plan.memory(step));
    }

    private void copy(int step) {
        Memory from = plan.fromMemory(step);
        workspace
                .copier()
                .copy(
                        binding.payload(from),
                        binding.segment(from),
                        plan.fromOffset(step),
                        payload(step),
                        segment(step),
                        plan.offset(step),
                        plan.bytes(step));
    }

    private Reduction takeReduction(int step) {
        Reduction reduction = idleReductions.poll();
        if (reduction == null) {
            reduction = new Reduction(workspace.kernel(shape.type()), shape.type());
        }
        Memory operand = plan.fromMemory(step);
        reduction.operand(binding.payload(operand), binding.segment(operand), plan.fromOffset(step));
        reduction.result(payload(step), segment(step), plan.offset(step));
        boolean divide = op.kind() == ReduceOp.Kind.AVG && plan.isLast(step);
        reduction.combineBy(op, plan.peer(step) < shape.rank(), divide ? shape.size() : 1);
        reductions[step] = reduction;
        return reduction;
    }

    /** What the user's function threw, if a step had one and it did. */
    private Throwable releaseReduction(int step) {
        if (reductions.length == 0 || reductions[step] == null) {
            return null;
        }
        Reduction reduction = reductions[step];
        reductions[step] = null;
        idleReductions.push(reduction);
        return reduction.failure();
    }

    @Override
    protected void withdraw() {
        for (int i = 0; i < transfers.length; i++) {
            if (transfers[i] != null) {
                communicator().withdraw(transfers[i]);
                transfers[i] = null;
            }
            if (reductions.length > 0) {
                releaseReduction(i);
            }
        }
        for (int i = 0; i < relayed.length; i++) {
            if (relayed[i] != null) {
                communicator().withdraw(relayed[i]);
                relayed[i] = null;
            }
        }
        endTurn();
    }

    @Override
    public String describe() {
        return shape.operation() + " #" + number + communicator().suffix();
    }

    @Override
    protected String phase() {
        return "step " + Math.min(ended + 1, states.length) + " of " + states.length;
    }

    @Override
    protected String awaited() {
        int step = awaitedStep();
        if (step < 0) {
            return null;
        }
        if (plan.kind(step).isRelays()) {
            int late = lateRank(step);
            return (late == ZipException.NONE ? "other ranks" : "rank " + late) + " in step " + (plan.ordinal(step) + 1)
                    + " through the relay";
        }
        int peer = plan.peer(step);
        boolean sending = plan.kind(step) == Plan.Kind.SEND;
        int messages = plan.messages(peer, plan.kind(step));
        String message = messages == 1 ? "message" : "segment " + (plan.ordinal(step) + 1) + " of " + messages;
        String who = "rank " + communicator().worldRank(peer);
        return sending ? who + " to take " + message : message + " from " + who;
    }

    @Override
    protected int awaitedPeer() {
        int step = awaitedStep();
        if (step < 0) {
            return ZipException.NONE;
        }
        return plan.kind(step).isRelays() ? lateRank(step) : communicator().worldRank(plan.peer(step));
    }

    /** World rank of which the relay says that it holds up a step. */
    private int lateRank(int step) {
        return relayed[step] == null ? late : relayed[step].awaitedRank();
    }

    @Override
    protected int toProbe(int index) {
        int step = awaitedStep();
        if (step < 0 || !plan.kind(step).isRelays()) {
            return super.toProbe(index);
        }
        // Each in its turn: it may be any of them.
        return index < shape.size() ? communicator().worldRank(probed++ % shape.size()) : ZipException.NONE;
    }

    /** The first receiving step that is posted, or else the first sending one, or else -1. */
    private int awaitedStep() {
        int found = -1;
        for (int i = 0; i < states.length; i++) {
            if (states[i] == State.POSTED) {
                if (plan.kind(i) != Plan.Kind.SEND) {
                    return i;
                }
                found = found < 0 ? i : found;
            }
        }
        return found;
    }

    @Override
    protected boolean isCollective() {
        return true;
    }

    @Override
    protected int signature() {
        return signature;
    }

    @Override
    protected int number() {
        return number;
    }
}
