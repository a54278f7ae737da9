package io.zipcomm.transport.rdma.ffi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** How an endpoint is to be opened: a {@code zf_options}. */
public final class FabricOptions {

    private static final int NAME_BYTES = 64;
    private static final int NODE_BYTES = 256;

    private static final int WANTS_OFFSET = Integer.BYTES;
    private static final int TRANSMIT_OFFSET = WANTS_OFFSET + Integer.BYTES;
    private static final int RECEIVE_OFFSET = TRANSMIT_OFFSET + Integer.BYTES;
    private static final int NOTIFICATION_OFFSET = RECEIVE_OFFSET + Integer.BYTES;
    private static final int PEERS_OFFSET = NOTIFICATION_OFFSET + Integer.BYTES;
    private static final int REGISTRATIONS_OFFSET = PEERS_OFFSET + Integer.BYTES;
    private static final int INJECT_OFFSET = REGISTRATIONS_OFFSET + 2 * Integer.BYTES;
    private static final int BUFFERED_OFFSET = INJECT_OFFSET + Long.BYTES;
    private static final int PROVIDER_OFFSET = BUFFERED_OFFSET + Long.BYTES;
    private static final int DOMAIN_OFFSET = PROVIDER_OFFSET + NAME_BYTES;
    private static final int FABRIC_OFFSET = DOMAIN_OFFSET + NAME_BYTES;
    private static final int NODE_OFFSET = FABRIC_OFFSET + NAME_BYTES;
    static final int STRUCT_BYTES = NODE_OFFSET + NODE_BYTES;

    private static final int WANT_RMA = 1;
    private static final int WANT_WAIT = 4;

    private final ByteBuffer memory = ByteBuffer.allocateDirect(STRUCT_BYTES)
            .order(ByteOrder.nativeOrder())
            .putInt(0, STRUCT_BYTES);

    /** With remote memory access, something to wait with if there is, and otherwise what the library thinks best. */
    public FabricOptions() {
        memory.putInt(WANTS_OFFSET, WANT_RMA | WANT_WAIT);
    }

    /** Sends and reads in flight at a time. */
    public FabricOptions transmitDepth(int operations) {
        memory.putInt(TRANSMIT_OFFSET, operations);
        return this;
    }

    /** Memory for messages posted at a time. */
    public FabricOptions receiveDepth(int operations) {
        memory.putInt(RECEIVE_OFFSET, operations);
        return this;
    }

    public FabricOptions peersMax(int peers) {
        memory.putInt(PEERS_OFFSET, peers);
        return this;
    }

    public FabricOptions registrationsMax(int registrations) {
        memory.putInt(REGISTRATIONS_OFFSET, registrations);
        return this;
    }

    /** As libfabric writes it. */
    public FabricOptions provider(String name) {
        FabricError.string(memory, PROVIDER_OFFSET, NAME_BYTES, name);
        return this;
    }

    /** Address to bind; empty for what the library chooses. */
    public FabricOptions node(String address) {
        FabricError.string(memory, NODE_OFFSET, NODE_BYTES, address);
        return this;
    }

    /**
     * Opens an endpoint. May block for some 200 ms the first time in a process.
     *
     * @return a handle, or a negative code
     */
    public long open(Fabric fabric) {
        return fabric.open(Addresses.of(memory));
    }
}
