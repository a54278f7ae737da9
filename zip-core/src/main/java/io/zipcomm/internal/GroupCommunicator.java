package io.zipcomm.internal;

import io.zipcomm.Agreement;
import io.zipcomm.Communicator;
import io.zipcomm.Region;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.TransportCounters;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;

/** The communicator: translates ranks and numbers collectives. What it sends is the {@link Engine}'s affair. */
public final class GroupCommunicator implements Communicator {

    /** Collectives of which a communicator remembers what they were, to answer probes. */
    private static final int SIGNATURES_KEPT = 256;

    private final Engine engine;
    private final int context;
    private final int[] worldRanks;
    private final int rank;
    private final ConcurrentHashMap<Object, Object> attachments = new ConcurrentHashMap<>();

    // Engine holder only.
    private final int[] signatures = new int[SIGNATURES_KEPT];
    private int collectives;
    private ZipException failure;
    private final HubTurns hubTurns;
    private final List<GroupRegion> regions = new ArrayList<>();

    private final Agreements agreements;

    private volatile boolean closed;

    /** Null while this is of use. Set by the engine's holder. */
    private volatile Ending ending;

    /** How the world goes on; null for other communicators, and for groups that no relay knows. Set before others see this. */
    private Epochs epochs;

    GroupCommunicator(Engine engine, int context, int[] worldRanks, int rank) {
        this.engine = engine;
        this.context = context;
        this.worldRanks = worldRanks;
        this.rank = rank;
        hubTurns = new HubTurns(this);
        agreements = new Agreements(this);
    }

    /** Says how this world goes on to another epoch. Before it is used. */
    void goOnBy(Epochs how) {
        epochs = how;
    }

    Agreements agreements() {
        return agreements;
    }

    /** Lowest world rank of a member. */
    int leader() {
        return Arrays.stream(worldRanks).min().orElseThrow();
    }

    /** Rank here of a world rank; -1 if it is no member. */
    int rankOf(int worldRank) {
        for (int one = 0; one < worldRanks.length; one++) {
            if (worldRanks[one] == worldRank) {
                return one;
            }
        }
        return -1;
    }

    HubTurns hubTurns() {
        return hubTurns;
    }

    Engine engine() {
        return engine;
    }

    /** Number by which frames name this communicator; 0 is the world. */
    public int context() {
        return context;
    }

    int[] worldRanks() {
        return worldRanks;
    }

    /** The communicator behind a handle that may have a deadline of its own. */
    public static GroupCommunicator of(Communicator communicator) {
        return communicator instanceof TimedCommunicator timed ? timed.all() : (GroupCommunicator) communicator;
    }

    /** For errors: nothing for the world, otherwise which communicator. */
    public String suffix() {
        return context == 0 ? "" : " of communicator " + context;
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int size() {
        return worldRanks.length;
    }

    @Override
    public int worldRank(int peer) {
        return worldRanks[Objects.checkIndex(peer, worldRanks.length)];
    }

    @Override
    public GroupView view() {
        return engine.view();
    }

    @Override
    public Duration timeout() {
        return engine.settings().operationTimeout();
    }

    /** What the process set when it joined. */
    public ZipSettings settings() {
        return engine.settings();
    }

    @Override
    public Communicator withTimeout(Duration timeout) {
        return new TimedCommunicator(this, time().withTimeout(timeout));
    }

    @Override
    public Communicator withinRemaining(Supplier<Duration> remaining) {
        return new TimedCommunicator(this, time().within(remaining));
    }

    private CallTime time() {
        return engine.callTime();
    }

    @Override
    public TransportCounters counters() {
        return engine.counters();
    }

    /** The engine, for measurement and tests. */
    public Engine progress() {
        return engine;
    }

    /** Something that belongs to this communicator, made on first use and kept until it is garbage. */
    @SuppressWarnings("unchecked")
    public <K, V> V attachment(K key, Function<K, V> maker) {
        return (V) attachments.computeIfAbsent(key, one -> maker.apply((K) one));
    }

    boolean contains(int worldRank) {
        return rankOf(worldRank) >= 0;
    }

    // ---- messages of users

    @Override
    public void send(int peer, int tag, Payload payload) {
        send(peer, tag, payload, time());
    }

    @Override
    public long receive(int peer, int tag, Payload payload) {
        return receive(peer, tag, payload, time());
    }

    @Override
    public ZipFuture<Void> sendAsync(int peer, int tag, Payload payload) {
        return sendAsync(peer, tag, payload, time());
    }

    @Override
    public ZipFuture<Long> receiveAsync(int peer, int tag, Payload payload) {
        return receiveAsync(peer, tag, payload, time());
    }

    void send(int peer, int tag, Payload payload, CallTime time) {
        run(message(true, peer, tag, payload), time.forCall(this, "send"));
    }

    long receive(int peer, int tag, Payload payload, CallTime time) {
        MessageOperation receive = message(false, peer, tag, payload);
        run(receive, time.forCall(this, "receive"));
        return receive.bytes();
    }

    ZipFuture<Void> sendAsync(int peer, int tag, Payload payload, CallTime time) {
        return start(message(true, peer, tag, payload), time.forCall(this, "send"));
    }

    ZipFuture<Long> receiveAsync(int peer, int tag, Payload payload, CallTime time) {
        return start(message(false, peer, tag, payload), time.forCall(this, "receive"));
    }

    private MessageOperation message(boolean sends, int peer, int tag, Payload payload) {
        String what = sends ? "send" : "receive";
        if (payload == null) {
            throw badArgument(what, "no payload");
        }
        if (peer < 0 || peer >= size()) {
            throw badArgument(what, "peer " + peer + ": expected 0 to " + (size() - 1));
        }
        if (peer == rank) {
            throw badArgument(what, "peer " + peer + " is this rank itself");
        }
        if (tag < 0) {
            throw badArgument(what, "tag " + tag + ": expected 0 to " + TAG_MAX);
        }
        if (!sends && payload.isReadOnly()) {
            throw badArgument(what, "the buffer is read-only");
        }
        return new MessageOperation(this, sends, peer, tag, payload);
    }

    /** The exception for a wrong argument, to be thrown before anything is sent. */
    ZipException badArgument(String operation, String problem) {
        return refusal(ErrorCode.BAD_ARGUMENT, operation, problem);
    }

    /** The exception for a call that is wrong on this rank and leaves the communicator as it is. Any thread. */
    public ZipException refusal(ErrorCode code, String operation, String problem) {
        return refusal(code, operation, problem, null);
    }

    ZipException refusal(ErrorCode code, String operation, String problem, Throwable cause) {
        return engine.failure(code, problem).operation(operation + suffix()).build(cause);
    }

    /** The exception for a wrong argument of a collective; see {@link #refuseCollective(ErrorCode, String, String)}. */
    public ZipException refuseCollective(String operation, String problem) {
        return refuseCollective(ErrorCode.BAD_ARGUMENT, operation, problem);
    }

    /**
     * The exception for a collective that cannot begin here, to be thrown before anything is sent. The other members must
     * not wait for this rank, so they are told, and no further collective can run. Any thread but the engine's holder.
     */
    public ZipException refuseCollective(ErrorCode code, String operation, String problem) {
        return refuseCollective(refusal(code, operation, problem));
    }

    ZipException refuseCollective(ZipException refusal) {
        engine.enter();
        try {
            if (!closed) {
                collectiveFailed(refusal);
            }
        } finally {
            engine.leave();
        }
        return refusal;
    }

    // ---- for operations; engine holder only

    /**
     * Posts a message. The completion may fire within this call.
     *
     * @param peer       rank in this communicator
     * @param tag        of a user, or a {@link CollectiveTag}
     * @param signature  what collective this is part of; 0 for none
     * @param payload    memory to send from
     * @param offset     first byte
     * @param bytes      length
     * @param completion told when the memory is free again
     * @param cookie     handed to the completion
     * @return the transfer, for {@link #withdraw}; meaningless once its completion has fired
     */
    public Transfer postSend(
            int peer,
            long tag,
            int signature,
            Payload payload,
            long offset,
            long bytes,
            Completion completion,
            int cookie) {
        return postSend(peer, tag, signature, payload, offset, bytes, 0, 0, completion, cookie);
    }

    /**
     * Posts one of several messages that carry the same bytes to different peers; otherwise as above.
     *
     * @param share   of {@link #takeShares}, the same for all of them
     * @param sharers how many there are
     */
    public Transfer postSend(
            int peer,
            long tag,
            int signature,
            Payload payload,
            long offset,
            long bytes,
            long share,
            int sharers,
            Completion completion,
            int cookie) {
        return engine.link(worldRanks[peer])
                .sends()
                .post(context, tag, signature, payload, offset, bytes, share, sharers, completion, cookie);
    }

    /** Numbers for messages to several peers that carry the same bytes. Returns the first. */
    public long takeShares(int count) {
        return engine.takeShares(count);
    }

    /** Posts a receive of exactly {@code bytes}; otherwise as {@link #postSend}. */
    public Transfer postReceive(
            int peer,
            long tag,
            int signature,
            Payload payload,
            long offset,
            long bytes,
            Completion completion,
            int cookie) {
        return engine.link(worldRanks[peer])
                .receives()
                .post(context, tag, signature, payload, offset, bytes, true, completion, cookie);
    }

    /** Posts a receive of at most the payload's length. */
    Transfer post(int peer, int tag, Payload payload, Completion completion) {
        return engine.link(worldRanks[peer])
                .receives()
                .post(context, tag, 0, payload, 0, payload.bytes(), false, completion, 0);
    }

    /** Takes back a transfer whose completion has not fired: it never will, and the memory is free. */
    public void withdraw(Transfer transfer) {
        if (transfer.isSend()) {
            transfer.link.sends().withdraw(transfer);
        } else {
            transfer.link.receives().withdraw(transfer);
        }
    }

    /** Whether the relay can do a part of this communicator's collectives. */
    public boolean hasHub() {
        return engine.hub() != null
                && (long) worldRanks.length * Integer.BYTES <= engine.view().fragmentBytesMax();
    }

    /**
     * Whether this rank is through with an operation of the hub: it has begun the collective, and the operation is over. Not if
     * collectives have failed here.
     */
    boolean isThrough(int number, int ordinal) {
        boolean begun = ((collectives - number) & Integer.MAX_VALUE) <= Integer.MAX_VALUE / 2;
        return failure == null && ending == null && begun && hubTurns.isOver(number, ordinal);
    }

    /** A collective begins that uses the hub: it gets its turn in the order of these calls. */
    public void hubBegins(int number) {
        hubTurns.begins(number);
    }

    /** It ended. */
    public void hubEnds(int number) {
        engine.hub().release(hubTurns, number);
    }

    /**
     * Takes part in an operation of the relay's hub. The completion may fire within this call.
     *
     * @param kind         one of {@link io.zipcomm.wire.Enter}'s
     * @param root         rank in this communicator, or this one where there is no root
     * @param number       of the collective
     * @param ordinal      of this operation in the collective, equal on all ranks
     * @param source       what to contribute; null for nothing
     * @param sourceOffset its first byte
     * @param target       where to put the result; null if this rank gets none
     * @param targetOffset its first byte
     * @param bytes        length of the message
     * @return the transfer, for {@link #withdraw(HubTransfer)}; meaningless once its completion has fired
     */
    public HubTransfer postToHub(
            int kind,
            int root,
            int number,
            int ordinal,
            int signature,
            Payload source,
            long sourceOffset,
            Payload target,
            long targetOffset,
            long bytes,
            Completion completion,
            int cookie) {
        return engine.hub()
                .post(
                        this,
                        kind,
                        worldRanks[root],
                        number,
                        ordinal,
                        signature,
                        source,
                        sourceOffset,
                        target,
                        targetOffset,
                        bytes,
                        completion,
                        cookie);
    }

    /** Takes back a transfer whose completion has not fired: it never will, and the memory is free. */
    public void withdraw(HubTransfer transfer) {
        engine.hub().withdraw(transfer);
    }

    /** The number of the collective that begins now. All members count alike. */
    public int nextCollectiveNumber() {
        collectives = collectives == Integer.MAX_VALUE ? 1 : collectives + 1;
        return collectives;
    }

    /** Notes what the collective that begins now is, for peers that ask. May end it: a peer may have begun another. */
    public void noteCollective(int number, int signature) {
        signatures[number % SIGNATURES_KEPT] = signature;
        if (engine.unexpected().inUse() == 0) {
            return;
        }
        for (int worldRank : worldRanks) {
            Link link = engine.link(worldRank);
            int other = link == null ? 0 : link.receives().otherSignature(context, number, signature);
            if (other != 0) {
                probed(worldRank, number, other);
                return;
            }
        }
    }

    // ---- running operations

    /** Runs an operation to its end on the calling thread; throws its failure. */
    public void run(Operation operation, long timeoutNs) {
        check(operation);
        engine.run(operation, timeoutNs);
    }

    /** Starts an operation. */
    public <T> ZipFuture<T> start(Operation operation, long timeoutNs) {
        check(operation);
        return engine.start(operation, timeoutNs);
    }

    /** Starts an operation for which {@link #await} waits. Nothing is allocated. */
    public void launch(Operation operation, long timeoutNs) {
        check(operation);
        engine.launch(operation, timeoutNs);
    }

    /**
     * Waits until an operation ended that was launched; throws its failure.
     *
     * @param timeoutNs how long to wait at most; {@link Long#MAX_VALUE} for as long as the operation may take. If the
     *                  time passes, this throws DEADLINE and the operation goes on
     */
    public void await(Operation operation, long timeoutNs) {
        if (!engine.await(operation, timeoutNs)) {
            throw engine.gaveUp(operation, timeoutNs);
        }
        if (operation.failure() != null) {
            throw operation.failure();
        }
    }

    /** Throws CLOSED, REVOKED or EXPELLED if this is of no use any more. Any thread. */
    void checkOpen(String operation) {
        if (closed) {
            throw engine.closed();
        }
        if (ending != null) {
            throw ended(ending, operation + suffix());
        }
    }

    /** Why this is of no use though it was not closed; null if it is. Any thread. */
    Ending ending() {
        return ending;
    }

    /** Throws if an operation cannot run for that. Any thread. */
    void checkEnding(Operation operation) {
        Ending how = ending;
        if (how != null && how.concerns(operation)) {
            throw ended(how, operation.describe());
        }
    }

    private ZipException ended(Ending how, String operation) {
        return engine.failure(how.code(), how.reason())
                .peer(how.culprit())
                .operation(operation)
                .build();
    }

    /** This is of no use any more. Engine holder only. */
    void end(Ending how) {
        if (how.replaces(ending)) {
            ending = how;
            engine.ended(this, how);
        }
    }

    /** Whether collectives may run. Engine holder only. */
    boolean isUsable() {
        boolean isUsable = !closed && failure == null && ending == null;
        for (int one : worldRanks) {
            isUsable &= engine.gone(one) == null;
        }
        return isUsable;
    }

    private void check(Operation operation) {
        if (closed) {
            throw engine.closed();
        }
        checkEnding(operation);
        if (operation.isCollective()) {
            checkUsable(operation);
        }
    }

    /**
     * Throws if collectives have failed, or a member has died, which fails them. Engine holder only.
     *
     * @param operation for which it is asked
     * @param worldRank of the member
     * @return what to say if the member has left, unless its reason is another's death of which this rank will hear; null if it has not
     */
    ZipException checkReached(String operation, int worldRank) {
        if (failure != null) {
            throw failedBefore(operation + suffix());
        }
        ZipException refusal = engine.link(worldRank).refusal();
        if (refusal != null && refusal.code() != ErrorCode.PEER_LEFT) {
            throw lost(operation, worldRank, refusal);
        }
        return refusal;
    }

    /** Something that this rank did without the others has failed, which fails all collectives. Engine holder only. */
    ZipException lost(String operation, int worldRank, ZipException cause) {
        ZipException described = engine.failure(cause.code(), cause.reason())
                .peer(worldRank)
                .operation(operation + suffix())
                .build(cause);
        collectiveFailed(described);
        return described;
    }

    private ZipException failedBefore(String operation) {
        return engine.failure(ErrorCode.COMMUNICATOR_FAILED, "an earlier collective failed: " + failure.getMessage())
                .peer(failure.peer())
                .operation(operation)
                .build(failure);
    }

    private void checkUsable(Operation operation) {
        engine.enter();
        try {
            if (failure != null) {
                throw failedBefore(operation.describe());
            }
            for (int one : worldRanks) {
                if (engine.gone(one) != null) {
                    throw engine.failure(ErrorCode.PEER_LOST, engine.gone(one))
                            .peer(one)
                            .operation(operation.describe())
                            .build();
                }
            }
        } finally {
            engine.leave();
        }
    }

    // ---- failures of collectives; engine holder only

    /** A collective failed here: no further one can run, and the others are told. */
    void collectiveFailed(ZipException cause) {
        if (failure != null) {
            return;
        }
        if (cause.code() == ErrorCode.CLOSED || ending != null) {
            failure = cause;
        } else {
            tellOthers(cause);
        }
        engine.failCollectives(
                this, ErrorCode.COMMUNICATOR_FAILED, cause.peer(), "another collective failed: " + cause.getMessage());
    }

    /** A collective failed at another member. */
    void abortedBy(int worldRank, ErrorCode code, int culprit, String reason) {
        // Communicators of other colours of the same split have the same number.
        if (failure != null || !contains(worldRank)) {
            return;
        }
        ErrorCode mine = switch (code) {
            case OPERATION_MISMATCH, LENGTH_MISMATCH, PEER_LOST, PEER_LEFT, DRIVER_LOST -> code;
            default -> ErrorCode.PEER_FAILED;
        };
        int named = culprit == engine.view().rank() || culprit < 0 ? worldRank : culprit;
        String text = "rank " + worldRank + " failed: " + reason;
        failure = ZipException.of(mine, text).peer(named).build();
        engine.failCollectives(this, mine, named, text);
    }

    /** A peer waits for this rank in a collective: are we running the same one? */
    void probed(int worldRank, int number, int signature) {
        if (number > collectives || number <= collectives - SIGNATURES_KEPT || number <= 0) {
            return;
        }
        int mine = signatures[number % SIGNATURES_KEPT];
        if (mine == 0 || mine == signature || failure != null) {
            return;
        }
        disagreed(number, ErrorCode.OPERATION_MISMATCH, worldRank, Signature.difference(mine, worldRank, signature));
    }

    /** A peer's collective of a number was another one than this rank's, which may be over. */
    void disagreed(int number, ErrorCode code, int worldRank, String difference) {
        if (failure != null) {
            return;
        }
        ZipException cause = engine.failure(code, "collective #" + number + suffix() + ": " + difference)
                .peer(worldRank)
                .build();
        tellOthers(cause);
        engine.failCollectives(this, code, worldRank, Operation.reasonOf(cause));
    }

    private void tellOthers(ZipException cause) {
        failure = cause;
        engine.control().abort(context, cause.code().number(), cause.peer(), cause.getMessage());
    }

    // ---- regions

    @Override
    public Region expose(ByteBuffer memory) {
        return expose(memory, time());
    }

    Region expose(ByteBuffer memory, CallTime time) {
        if (memory == null || !memory.isDirect() || memory.isReadOnly()) {
            throw refuseCollective(
                    "expose",
                    memory == null ? "no buffer" : "the buffer is " + (memory.isDirect() ? "read-only" : "not direct"));
        }
        ByteBuffer own = memory.slice();
        String problem = own.hasRemaining() ? Payload.problem(own, 0) : null;
        if (problem != null) {
            throw refuseCollective("expose", problem);
        }
        ExposeOperation expose = new ExposeOperation(this, own);
        run(expose, time.forCollective(this, "expose"));
        if (expose.problem() != null) {
            throw refusal(ErrorCode.UNREACHABLE, "expose", expose.problem());
        }
        engine.enter();
        try {
            GroupRegion region = new GroupRegion(this, own, expose);
            regions.add(region);
            if (closed) {
                region.giveUp();
            }
            return region.handle(time);
        } finally {
            engine.leave();
        }
    }

    /** A region is over. Engine holder only. */
    void forget(GroupRegion region) {
        regions.remove(region);
    }

    /** Engine holder only. */
    void giveUpRegions() {
        while (!regions.isEmpty()) {
            regions.get(regions.size() - 1).giveUp();
        }
    }

    // ---- other communicators

    @Override
    public Communicator split(int color, int key) {
        return split(color, key, time());
    }

    GroupCommunicator split(int color, int key, CallTime time) {
        if (color < -1) {
            throw refuseCollective("split", "colour " + color + ": expected -1 or more");
        }
        return split(Signature.SPLIT, color, key, time);
    }

    @Override
    public Communicator duplicate() {
        return duplicate(time());
    }

    GroupCommunicator duplicate(CallTime time) {
        return split(Signature.DUPLICATE, 0, rank, time);
    }

    private GroupCommunicator split(int signature, int color, int key, CallTime time) {
        SplitOperation split = new SplitOperation(this, signature, color, key);
        run(split, time.forCollective(this, Signature.operationName(signature)));
        int[] table = split.table();
        List<Integer> members = new ArrayList<>();
        for (int one = 0; one < size(); one++) {
            if (table[one * SplitOperation.COLUMNS + SplitOperation.COLOR] == color) {
                members.add(one);
            }
        }
        members.sort(Comparator.comparingInt((Integer one) -> table[one * SplitOperation.COLUMNS + SplitOperation.KEY])
                .thenComparing(one -> one));
        int[] ranks = members.stream().mapToInt(this::worldRank).toArray();
        if (color < 0) {
            return null;
        }
        engine.enter();
        try {
            return engine.open(split.context(), ranks, members.indexOf(rank));
        } finally {
            engine.leave();
        }
    }

    // ---- after failures

    @Override
    public List<Integer> failed() {
        engine.enter();
        try {
            List<Integer> failed = new ArrayList<>();
            for (int one = 0; one < worldRanks.length; one++) {
                if (engine.gone(worldRanks[one]) != null) {
                    failed.add(one);
                }
            }
            return List.copyOf(failed);
        } finally {
            engine.leave();
        }
    }

    @Override
    public void revoke() {
        if (closed) {
            throw engine.closed();
        }
        engine.revoke(this, Revocations.NO_REASON);
    }

    @Override
    public Agreement agree(boolean value) {
        return agreements.agree(value, time());
    }

    @Override
    public Communicator shrink() {
        return next("shrink", 0, time());
    }

    @Override
    public Communicator grow(int size) {
        return grow(size, time());
    }

    GroupCommunicator grow(int size, CallTime time) {
        int most = engine.settings().sizeMax();
        if (size < 1 || size > most) {
            throw badArgument(
                    "grow",
                    "size " + size + ": expected 1 to " + most + ", as " + Setting.SIZE_MAX.variable() + " has it");
        }
        return next("grow", size, time);
    }

    GroupCommunicator next(String operation, int sizeWanted, CallTime time) {
        if (epochs == null) {
            throw badArgument(
                    operation, context == 0 ? "no relay knows this group" : "this is not the world's communicator");
        }
        if (closed) {
            throw engine.closed();
        }
        return epochs.next(operation, sizeWanted, time);
    }

    @Override
    public void close() {
        close(time());
    }

    /** Closes it in the settings' times, unless the platform leaves less. */
    void close(CallTime time) {
        close(engine.settings().operationTimeout().toNanos(), time.leftForEnding());
    }

    /**
     * Closes the world without waiting for asynchronous operations, and says why to those who use it afterwards.
     *
     * @param reason as a phrase
     */
    void closeFor(String reason) {
        engine.closesFor(reason);
        close(0, CallTime.LONGEST_NS);
    }

    /**
     * Closes it.
     *
     * @param pendingNs how long asynchronous operations are waited for
     * @param leftNs    how long all of it may take
     */
    private void close(long pendingNs, long leftNs) {
        if (closed) {
            return;
        }
        closed = true;
        long untilNs = engine.nowNs() + leftNs;
        engine.close(this, Math.min(pendingNs, leftNs));
        engine.enter();
        try {
            giveUpRegions();
        } finally {
            engine.leave();
        }
        if (epochs != null) {
            epochs.close(untilNs);
        } else if (context == 0) {
            engine.close(untilNs);
        }
        OpenWorlds.closed(this);
    }
}
