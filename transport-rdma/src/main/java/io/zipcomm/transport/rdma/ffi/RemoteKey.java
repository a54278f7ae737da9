package io.zipcomm.transport.rdma.ffi;

import io.zipcomm.error.ErrorCode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a peer needs to read registered memory: a {@code zf_remote}.
 *
 * @param key     names the registration
 * @param address of its first byte, as peers have to name it
 */
public record RemoteKey(long key, long address) {

    private static final int STRUCT_BYTES = 3 * Long.BYTES;

    /**
     * Asks an endpoint.
     *
     * @throws io.zipcomm.error.ZipException with code INTERNAL if it has no such registration
     */
    public static RemoteKey of(Fabric fabric, long endpoint, long registration) {
        ByteBuffer memory = ByteBuffer.allocateDirect(STRUCT_BYTES).order(ByteOrder.nativeOrder());
        int code = fabric.remoteKey(endpoint, registration, Addresses.of(memory));
        if (code < 0) {
            throw FabricError.failure(fabric, ErrorCode.INTERNAL, "registered memory has no key", code);
        }
        return new RemoteKey(memory.getLong(0), memory.getLong(Long.BYTES));
    }
}
