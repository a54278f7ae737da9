package io.zipcomm.transport.rdma.ffi;

import io.zipcomm.error.ErrorCode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What an open endpoint is and can: a {@code zf_facts}.
 *
 * @param provider          as libfabric writes it
 * @param domain            the device, or what stands for it
 * @param messageBytesMax   longest message, in bytes
 * @param injectBytesMax    longest message whose memory is free when the call returns, in bytes
 * @param needsRegistration whether local memory of every operation must be registered
 * @param delivers          whether writes complete when the peer's memory has them
 */
public record FabricFacts(
        String provider,
        String domain,
        long messageBytesMax,
        long injectBytesMax,
        boolean needsRegistration,
        boolean delivers) {

    private static final int NAME_BYTES = 64;
    private static final int HAS_OFFSET = Integer.BYTES;
    private static final int MESSAGE_OFFSET = HAS_OFFSET + Integer.BYTES;
    private static final int INJECT_OFFSET = MESSAGE_OFFSET + Long.BYTES;
    private static final int PROVIDER_OFFSET = 56;
    private static final int DOMAIN_OFFSET = PROVIDER_OFFSET + NAME_BYTES;
    private static final int STRUCT_BYTES = 336;
    private static final int DELIVERS = 8;
    private static final int NEEDS_LOCAL_REGISTRATION = 16;

    /**
     * Asks an endpoint.
     *
     * @throws io.zipcomm.error.ZipException with code INTERNAL if there is no such endpoint
     */
    public static FabricFacts of(Fabric fabric, long endpoint) {
        ByteBuffer memory = ByteBuffer.allocateDirect(STRUCT_BYTES).order(ByteOrder.nativeOrder());
        memory.putInt(0, STRUCT_BYTES);
        int code = fabric.facts(endpoint, Addresses.of(memory));
        if (code < 0) {
            throw FabricError.failure(fabric, ErrorCode.INTERNAL, "an endpoint says nothing of itself", code);
        }
        int has = memory.getInt(HAS_OFFSET);
        return new FabricFacts(
                FabricError.string(memory, PROVIDER_OFFSET, NAME_BYTES),
                FabricError.string(memory, DOMAIN_OFFSET, NAME_BYTES),
                memory.getLong(MESSAGE_OFFSET),
                memory.getLong(INJECT_OFFSET),
                (has & NEEDS_LOCAL_REGISTRATION) != 0,
                (has & DELIVERS) != 0);
    }
}
