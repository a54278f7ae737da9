package io.zipcomm.transport.rdma.ffi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The arguments of a message, a read or a write, for use again and again: a {@code zf_rma}. One thread at a time. */
public final class Operation {

    /*
     *   0                               8                               16
     *  +---------------+---------------+-------------------------------+
     *  |     peer      |     flags     |         registration          |
     *  +---------------+---------------+-------------------------------+  32
     *  |            address            |             bytes             |
     *  +-------------------------------+-------------------------------+  48
     *  |        remote address         |          remote key           |
     *  +-------------------------------+---------------+---------------+  64
     *  |            context            |     data      |   reserved    |
     *  +-------------------------------+---------------+---------------+
     */
    private static final int FLAGS_OFFSET = Integer.BYTES;
    private static final int REGISTRATION_OFFSET = FLAGS_OFFSET + Integer.BYTES;
    private static final int ADDRESS_OFFSET = REGISTRATION_OFFSET + Long.BYTES;
    private static final int BYTES_OFFSET = ADDRESS_OFFSET + Long.BYTES;
    private static final int REMOTE_ADDRESS_OFFSET = BYTES_OFFSET + Long.BYTES;
    private static final int REMOTE_KEY_OFFSET = REMOTE_ADDRESS_OFFSET + Long.BYTES;
    private static final int CONTEXT_OFFSET = REMOTE_KEY_OFFSET + Long.BYTES;
    private static final int STRUCT_BYTES = CONTEXT_OFFSET + 2 * Long.BYTES;

    /** Of the flags. */
    private static final int DELIVERED = 2;

    private final ByteBuffer memory = ByteBuffer.allocateDirect(STRUCT_BYTES).order(ByteOrder.nativeOrder());
    private final long structAddress = Addresses.of(memory);

    /** Zeroes. */
    public Operation() {}

    /** The memory here, and what its registration is; 0 if it has none. */
    public Operation local(long registration, long address, long bytes) {
        memory.putLong(REGISTRATION_OFFSET, registration)
                .putLong(ADDRESS_OFFSET, address)
                .putLong(BYTES_OFFSET, bytes);
        return this;
    }

    /**
     * Sends a message.
     *
     * @param context comes back with the completion
     * @return 0, or a negative code
     */
    public int send(Fabric fabric, long endpoint, int peer, long context) {
        remote(peer, 0, 0, context);
        return fabric.sendFrom(endpoint, structAddress);
    }

    /**
     * Begins to read.
     *
     * @param address of the peer's memory
     * @param context comes back with the completion
     * @return 0, or a negative code
     */
    public int read(Fabric fabric, long endpoint, int peer, long address, long key, long context) {
        remote(peer, address, key, context);
        return fabric.read(endpoint, structAddress);
    }

    /**
     * Begins to write. It completes when the peer's memory has it.
     *
     * @param address of the peer's memory
     * @param context comes back with the completion
     * @return 0, or a negative code
     */
    public int write(Fabric fabric, long endpoint, int peer, long address, long key, long context) {
        remote(peer, address, key, context);
        memory.putInt(FLAGS_OFFSET, DELIVERED);
        int code = fabric.write(endpoint, structAddress);
        memory.putInt(FLAGS_OFFSET, 0);
        return code;
    }

    private void remote(int peer, long address, long key, long context) {
        memory.putInt(0, peer)
                .putLong(REMOTE_ADDRESS_OFFSET, address)
                .putLong(REMOTE_KEY_OFFSET, key)
                .putLong(CONTEXT_OFFSET, context);
    }
}
