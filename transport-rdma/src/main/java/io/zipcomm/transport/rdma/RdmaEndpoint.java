package io.zipcomm.transport.rdma;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.rdma.ffi.Addresses;
import io.zipcomm.transport.rdma.ffi.Completions;
import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.transport.rdma.ffi.FabricError;
import io.zipcomm.transport.rdma.ffi.FabricFacts;
import io.zipcomm.transport.rdma.ffi.FabricOptions;
import io.zipcomm.transport.rdma.ffi.Operation;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.HexFormat;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process's one endpoint, with the memory of its messages: slots into which anybody's come, slots from which its own go, and
 * memory for payloads. Engine holder only. Nothing is allocated once it is open, but memory for payloads, when it is needed first.
 */
final class RdmaEndpoint implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RdmaEndpoint.class);

    /** Endpoints that libfabric could not close, with their memory. */
    private static final Collection<RdmaEndpoint> KEPT = new ConcurrentLinkedQueue<>();

    /** Slots for messages of handshakes, which are handled at once. */
    private static final int HELLO_SLOTS = 32;

    /** Slots from which nothing goes but what must: a path's last message, and word that memory is taken back. */
    private static final int RESERVED_SLOTS = 4;

    private static final int SEND_SLOTS_MIN = 32;
    private static final int SEND_SLOTS_MAX = 256;
    private static final int POLL_MAX = 64;
    private static final int ADDRESS_BYTES_MAX = 512;

    /** Memory for payloads that go out: for each peer, and in all. */
    private static final int BOUNCES_PER_PEER = 2;

    private static final int BOUNCES_MAX = 32;
    private static final int REGISTRATIONS_MIN = 256;

    // Contexts: what an operation is, and behind it a slot or rank.

    private static final int KIND_SHIFT = 32;
    private static final long RECEIVE = 1L << KIND_SHIFT;
    private static final long SEND = 2L << KIND_SHIFT;
    private static final long READ = 3L << KIND_SHIFT;
    private static final long MEMORY = 4L << KIND_SHIFT;

    /** Of a read: behind the peer's rank, which one of its reads it is. */
    private static final int INDEX_SHIFT = 28;

    /** An answer of {@link #send}: nothing will be told of the message. */
    static final int GONE = 1;

    /** Where a provider takes so many bytes and is through with them at once, messages go that way, and are that long at most. */
    private static final int INJECT_BYTES_MIN = 1024;

    /** Messages that were handled and whose slots need not be posted at once: less than those for handshakes. */
    private static final int UNPOSTED_MAX = 8;

    /** Failures of nobody's that are logged. */
    private static final int STRAY_LOGS_MAX = 8;

    /** What comes of operations. Called amid {@link #drain}: notes it, and does nothing that may call back. */
    interface Outcomes {

        /**
         * A message has come in. Its slot is given back by {@link RdmaEndpoint#repost}.
         *
         * @param bytes of the message
         */
        void received(int slot, int bytes);

        /**
         * A message has left its slot, or has failed.
         *
         * @param peer   rank that it was for
         * @param slot   free again when this returns
         * @param status 0, or a negative code
         */
        void sent(int peer, int slot, int status);

        /**
         * A read is over.
         *
         * @param peer   rank that was read from
         * @param index  as given with it
         * @param status 0, or a negative code
         */
        void haveRead(int peer, int index, int status);

        /**
         * An operation with a peer's memory is over.
         *
         * @param index  as given with it
         * @param status 0, or a negative code
         */
        void memoryEnded(int index, int status);
    }

    private final Fabric fabric;
    private final long handle;
    private final String provider;
    private final boolean oneSided;
    private final FabricFacts facts;
    private final Registrar registrar;
    private final int injectBytesMax;
    private final int credit;
    private final Slots receiveSlots;
    private final Slots sendSlots;
    private final int[] sendPeers;
    private final Bounces outgoing;
    private final Bounces incoming;
    private final RegistrationCache cache;
    private final Completions completions = new Completions(POLL_MAX);
    private final Operation operation = new Operation();

    /** Slots that could not be posted yet. */
    private final int[] unposted;

    private int unpostedCount;

    /** Turns of {@link #drain} that found nothing more. */
    private long rounds;

    /** Failures of nobody knows whom. */
    private long strays;

    /** Why nothing works any more; null while it does. */
    private String problem;

    /** Something was not started since the last look. */
    private boolean stalled;

    /** Reads that have not ended. */
    private int reads;

    private Runnable beforeClose = () -> {};

    private boolean closed;

    /** Libfabric could not close it. */
    private boolean stays;

    private RdmaEndpoint(Fabric fabric, long handle, String provider, int size) {
        this.fabric = fabric;
        this.handle = handle;
        this.provider = provider;
        oneSided = Providers.isOneSided(provider);
        facts = FabricFacts.of(fabric, handle);
        if (facts.messageBytesMax() < Slots.BYTES) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING, provider + " has messages of " + facts.messageBytesMax() + " bytes only");
        }
        injectBytesMax =
                facts.injectBytesMax() < INJECT_BYTES_MIN ? 0 : (int) Math.min(Slots.BYTES, facts.injectBytesMax());
        credit = credit(size);
        registrar = new Registrar(fabric, handle);
        receiveSlots = new Slots(registrar, receiveSlots(size), Fabric.RECEIVE);
        sendSlots = new Slots(registrar, sendSlots(size), Fabric.SEND);
        sendPeers = new int[sendSlots.count()];
        unposted = new int[receiveSlots.count()];
        int bounces = Math.min(BOUNCES_MAX, BOUNCES_PER_PEER * size);
        outgoing = new Bounces(registrar, fragmentBytes(oneSided), Fabric.REMOTE_READ, bounces);
        incoming = new Bounces(registrar, fragmentBytes(oneSided), Fabric.READ, bounces);
        cache = new RegistrationCache(registrar);
        for (int i = 0; i < receiveSlots.count(); i++) {
            unposted[unpostedCount++] = receiveSlots.take();
        }
        post();
    }

    /**
     * Opens an endpoint. Blocks for some 200 ms the first time in a process.
     *
     * @param provider as libfabric has it
     * @param node     address to bind; empty for what libfabric chooses
     * @param size     of the group
     * @throws ZipException with code BAD_SETTING or LIMIT if that cannot be
     */
    static RdmaEndpoint open(Fabric fabric, String provider, String node, int size) {
        long handle = new FabricOptions()
                .provider(provider)
                .node(node)
                .transmitDepth(sendSlots(size) + size + RdmaMemory.OPERATIONS_MAX)
                .receiveDepth(receiveSlots(size))
                .peersMax(size)
                .registrationsMax(REGISTRATIONS_MIN + RegistrationCache.ENTRIES_MAX + 2 * BOUNCES_MAX)
                .open(fabric);
        if (handle < 0) {
            throw FabricError.failure(
                    fabric, ErrorCode.BAD_SETTING, "no endpoint of libfabric's provider " + provider, handle);
        }
        try {
            return new RdmaEndpoint(fabric, handle, provider, size);
        } catch (RuntimeException | Error e) {
            fabric.close(handle);
            throw e;
        }
    }

    /** How many counted messages a path may have on their way, the same at both ends. */
    static int credit(int size) {
        return size <= 64 ? 16 : Math.max(6, 1024 / size);
    }

    private static int receiveSlots(int size) {
        // Messages that only count are no more than those that they are about, and are handled at once.
        return HELLO_SLOTS + (size - 1) * (credit(size) + credit(size) / 2);
    }

    private static int sendSlots(int size) {
        return Math.min(SEND_SLOTS_MAX, Math.max(SEND_SLOTS_MIN, size * credit(size)));
    }

    /** Longest payload of a frame. Where two copies are made of it, it stays in the processor's cache. */
    static int fragmentBytes(boolean oneSided) {
        return oneSided ? 1 << 20 : 1 << 18;
    }

    String provider() {
        return provider;
    }

    /** Whether memory of peers is read without their doing, so that a read is over soon whatever they do. */
    boolean isOneSided() {
        return oneSided;
    }

    boolean needsRegistration() {
        return facts.needsRegistration();
    }

    /** Whether writes complete when the peer's memory has them. */
    boolean delivers() {
        return facts.delivers();
    }

    Registrar registrar() {
        return registrar;
    }

    int credit() {
        return credit;
    }

    /** Longest payload that goes with its header. */
    int inlineBytesMax() {
        return (injectBytesMax == 0 ? Slots.BYTES : injectBytesMax) - Message.PAYLOAD_OFFSET;
    }

    /** The endpoint's address, in hexadecimal digits. */
    String address() {
        ByteBuffer address = ByteBuffer.allocateDirect(ADDRESS_BYTES_MAX);
        int bytes = fabric.address(handle, Addresses.of(address), ADDRESS_BYTES_MAX);
        if (bytes <= 0 || bytes > ADDRESS_BYTES_MAX) {
            throw FabricError.failure(fabric, ErrorCode.INTERNAL, "an endpoint without an address", bytes);
        }
        byte[] copy = new byte[bytes];
        address.get(0, copy);
        return HexFormat.of().formatHex(copy);
    }

    /**
     * Number by which messages go to a peer.
     *
     * @param address as {@link #address} gives it
     * @throws ZipException with code UNREACHABLE if the provider makes nothing of it
     */
    int peer(String address) {
        byte[] bytes = HexFormat.of().parseHex(address);
        ByteBuffer copy = ByteBuffer.allocateDirect(bytes.length).put(bytes);
        int number = fabric.peerAdd(handle, Addresses.of(copy), bytes.length);
        if (number < 0) {
            throw FabricError.failure(fabric, ErrorCode.UNREACHABLE, "no address of " + provider, number);
        }
        return number;
    }

    /** Why an operation failed: libfabric's words, or those of what ended the endpoint. */
    String text(int code) {
        if (problem != null) {
            return problem;
        }
        String last = FabricError.last(fabric, handle);
        return FabricError.text(fabric, code) + (last.isEmpty() ? "" : ", " + last);
    }

    /** Readable when there is something to do, if {@link #mayWait} was asked before; negative if there is no such descriptor. */
    int waitDescriptor() {
        return fabric.waitFd(handle);
    }

    /** Whether what comes from now on makes the descriptor readable. Asked after a look that found nothing, and before a wait. */
    boolean mayWait() {
        return fabric.waitFor(handle, 0) == 0;
    }

    /** Whether something could not be started of late, and is to be tried again. */
    boolean isStalled() {
        return stalled;
    }

    /** Something could not be started, and nothing need happen here when it can be. */
    void stall() {
        stalled = true;
    }

    /** Whether slots are not posted that could have been. */
    boolean isBehind() {
        return unpostedCount > 0;
    }

    /** Why nothing works any more; null while it does. */
    String problem() {
        return problem;
    }

    RegistrationCache cache() {
        return cache;
    }

    /** Memory for payloads that peers are to read. */
    Bounces outgoing() {
        return outgoing;
    }

    /** Memory for payloads of peers. */
    Bounces incoming() {
        return incoming;
    }

    // ---- messages

    Slots received() {
        return receiveSlots;
    }

    /** A message has been handled: its slot is for the next one, soon. */
    void repost(int slot) {
        unposted[unpostedCount++] = slot;
        if (unpostedCount > UNPOSTED_MAX) {
            post();
        }
    }

    private void post() {
        while (unpostedCount > 0 && !closed) {
            int slot = unposted[unpostedCount - 1];
            int code = fabric.receive(
                    handle, receiveSlots.registration(), receiveSlots.address(slot), Slots.BYTES, RECEIVE | slot);
            if (code < 0) {
                if (code != FabricError.TRY_AGAIN) {
                    fail("no message can be received", code);
                }
                return;
            }
            unpostedCount--;
        }
    }

    Slots outgoingSlots() {
        return sendSlots;
    }

    /** Whether a message has not left its slot. */
    boolean isSending() {
        return sendSlots.freeCount() < sendSlots.count();
    }

    /** Whether a read has not ended that a peer has to answer. */
    boolean awaitsAnswers() {
        return reads > 0 && !oneSided;
    }

    /** A slot for a message; {@link Slots#NONE} if there is none now. */
    int takeSlot() {
        return sendSlots.freeCount() > RESERVED_SLOTS ? sendSlots.take() : Slots.NONE;
    }

    /** Whether what must go finds a slot. */
    boolean hasSlot() {
        return sendSlots.freeCount() > 0;
    }

    /** The same, for what must go. */
    int takeReservedSlot() {
        return sendSlots.take();
    }

    /**
     * Sends the message in a slot, which is given back when it has left, or at once if it does not leave.
     *
     * @param peer   rank that it is for
     * @param number of the peer
     * @return 0, {@link #GONE} if it has left its slot, or a negative code
     */
    int send(int peer, int number, int slot, int bytes) {
        if (bytes > injectBytesMax) {
            return sendSlowly(peer, number, slot, bytes);
        }
        int code = fabric.inject(handle, number, sendSlots.address(slot), bytes);
        stalled |= code < 0;
        sendSlots.give(slot);
        return code < 0 ? code : GONE;
    }

    /** The same, so that there is word of how the message left. */
    int sendSlowly(int peer, int number, int slot, int bytes) {
        sendPeers[slot] = peer;
        int code = operation
                .local(sendSlots.registration(), sendSlots.address(slot), bytes)
                .send(fabric, handle, number, SEND | slot);
        if (code < 0) {
            stalled = true;
            sendSlots.give(slot);
        }
        return code;
    }

    // ---- reading

    /**
     * Begins to read a peer's memory.
     *
     * @param peer         rank to read from
     * @param index        comes back with the end: 0 to 7
     * @param number       of the peer
     * @param registration of the memory here; 0 if there is none
     * @return 0, or a negative code
     */
    int read(
            int peer,
            int index,
            int number,
            long registration,
            long address,
            int bytes,
            long remoteAddress,
            long remoteKey) {
        int code = operation
                .local(registration, address, bytes)
                .read(fabric, handle, number, remoteAddress, remoteKey, READ | (long) index << INDEX_SHIFT | peer);
        reads += code < 0 ? 0 : 1;
        stalled |= code < 0;
        return code;
    }

    /**
     * Begins to write to memory that a peer has exposed. It is over when the peer's memory has it.
     *
     * @param number       of the peer
     * @param registration of the memory here; 0 if there is none
     * @param index        comes back with the end
     * @return 0, or a negative code
     */
    int writeMemory(
            int number, long registration, long address, int bytes, long remoteAddress, long remoteKey, int index) {
        int code = operation
                .local(registration, address, bytes)
                .write(fabric, handle, number, remoteAddress, remoteKey, MEMORY | index);
        stalled |= code < 0;
        return code;
    }

    /** Begins to read memory that a peer has exposed; otherwise as {@link #writeMemory}. */
    int readMemory(
            int number, long registration, long address, int bytes, long remoteAddress, long remoteKey, int index) {
        int code = operation
                .local(registration, address, bytes)
                .read(fabric, handle, number, remoteAddress, remoteKey, MEMORY | index);
        stalled |= code < 0;
        return code;
    }

    // ---- turns

    /**
     * Makes progress, and tells what has come of operations.
     *
     * @return how many
     */
    int drain(Outcomes outcomes) {
        // What was handled since the last time: behind what was sent for it.
        if (unpostedCount > 0) {
            post();
        }
        stalled = false;
        int all = 0;
        int count = POLL_MAX;
        // As many as were posted at most: who posts meanwhile is not here.
        for (int left = receiveSlots.count() + sendSlots.count();
                count == POLL_MAX && left > 0 && problem == null;
                left -= count) {
            count = completions.poll(fabric, handle);
            if (count < 0) {
                fail("the queue of completions is broken", count);
                return all;
            }
            for (int i = 0; i < count; i++) {
                dispatch(outcomes, i);
            }
            all += count;
        }
        if (count < POLL_MAX) {
            rounds++;
        }
        return all;
    }

    /** Grows whenever everything had been seen that was there. */
    long rounds() {
        return rounds;
    }

    private void dispatch(Outcomes outcomes, int index) {
        long context = completions.context(index);
        int status = completions.status(index);
        int number = (int) context;
        int kind = completions.kind(index);
        if (kind == Completions.NO_OPERATION) {
            stray(status);
            return;
        }
        long what = context & ~0xffff_ffffL;
        if (what == RECEIVE) {
            if (status < 0) {
                // Longer than a slot, so nobody's who belongs here.
                unposted[unpostedCount++] = number;
            } else {
                outcomes.received(number, (int) completions.bytes(index));
            }
        } else if (what == SEND) {
            outcomes.sent(sendPeers[number], number, status);
            sendSlots.give(number);
        } else if (what == READ) {
            reads--;
            outcomes.haveRead(number & (1 << INDEX_SHIFT) - 1, number >>> INDEX_SHIFT, status);
        } else if (what == MEMORY) {
            outcomes.memoryEnded(number, status);
        }
    }

    /** Something failed of which nobody knows whose it was: a message of a peer that died, say. */
    private void stray(int status) {
        if (strays < STRAY_LOGS_MAX) {
            LOG.info("something failed at libfabric's endpoint of this process: {}", text(status));
        }
        strays++;
    }

    private void fail(String what, int code) {
        if (problem == null) {
            problem = what + ": " + FabricError.text(fabric, code);
        }
    }

    /** Runs before the descriptor to wait for is closed. */
    void beforeClose(Runnable what) {
        beforeClose = what;
    }

    /** Ends whatever is under way, at once: it would touch memory that is its owner's again. */
    void giveUp(String reason) {
        if (problem == null) {
            problem = reason;
        }
        close();
    }

    /** Whether it is closed, but libfabric still has it, and every address that it was given, until the process ends. */
    boolean stays() {
        return stays;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            problem = problem == null ? "closed" : problem;
            beforeClose.run();
            beforeClose = () -> {};
            stays = fabric.close(handle) == Fabric.STAYS;
            if (stays) {
                KEPT.add(this);
                LOG.warn(
                        "an endpoint of {} was closed while it read from a peer that does not answer: libfabric keeps its memory and sockets"
                                + " until this process ends",
                        provider);
            }
        }
    }
}
