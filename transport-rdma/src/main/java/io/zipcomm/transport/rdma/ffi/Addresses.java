package io.zipcomm.transport.rdma.ffi;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;

/** Where direct memory is. */
public final class Addresses {

    private static final MemoryIO MEMORY = MemoryIO.getInstance();

    private Addresses() {}

    /**
     * The address of a direct buffer's byte 0, wherever its position is. Allocates nothing. The caller keeps the buffer reachable for
     * as long as the address is used.
     */
    public static long of(ByteBuffer direct) {
        return MEMORY.getDirectBufferAddress(direct);
    }
}
