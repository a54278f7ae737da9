package io.zipcomm.transport.rdma.ffi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Memory for what a poll yields: an array of {@code zf_completion}. */
public final class Completions {

    /*
     *   0                               8                               16
     *  +-------------------------------+-------------------------------+
     *  |            context            |             bytes             |
     *  +---------------+---------------+---------------+---------------+  32
     *  |     kind      |    status     |     data      |provider error |
     *  +---------------+---------------+---------------+---------------+
     *  |           reserved            |
     *  +-------------------------------+  40
     */
    private static final int BYTES_OFFSET = Long.BYTES;
    private static final int KIND_OFFSET = BYTES_OFFSET + Long.BYTES;
    private static final int STATUS_OFFSET = KIND_OFFSET + Integer.BYTES;
    private static final int DATA_OFFSET = STATUS_OFFSET + Integer.BYTES;
    private static final int PROVIDER_ERROR_OFFSET = DATA_OFFSET + Integer.BYTES;
    static final int ENTRY_BYTES = PROVIDER_ERROR_OFFSET + Integer.BYTES + Long.BYTES;

    // Kinds.

    public static final int NO_OPERATION = 0;
    public static final int SENT = 1;
    public static final int RECEIVED = 2;
    public static final int WRITTEN = 3;
    public static final int HAVE_READ = 4;
    public static final int REMOTE_WRITTEN = 5;

    private final ByteBuffer memory;
    private final long address;
    private final int max;

    /**
     * Room.
     *
     * @param max how many
     */
    public Completions(int max) {
        memory = ByteBuffer.allocateDirect(max * ENTRY_BYTES).order(ByteOrder.nativeOrder());
        address = Addresses.of(memory);
        this.max = max;
    }

    /**
     * Makes progress and takes completions, which replace those before.
     *
     * @return how many, or a negative code
     */
    public int poll(Fabric fabric, long endpoint) {
        return fabric.poll(endpoint, address, max);
    }

    /** What was given with the operation. */
    public long context(int index) {
        return memory.getLong(index * ENTRY_BYTES);
    }

    /** Bytes that came in or went out. */
    public long bytes(int index) {
        return memory.getLong(index * ENTRY_BYTES + BYTES_OFFSET);
    }

    public int kind(int index) {
        return memory.getInt(index * ENTRY_BYTES + KIND_OFFSET);
    }

    /** 0, or the negative code of why the operation failed. */
    public int status(int index) {
        return memory.getInt(index * ENTRY_BYTES + STATUS_OFFSET);
    }
}
