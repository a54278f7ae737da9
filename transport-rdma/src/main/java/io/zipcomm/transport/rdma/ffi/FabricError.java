package io.zipcomm.transport.rdma.ffi;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** What the native library's negative answers mean. */
public final class FabricError {

    /** Queues are full, or a connection is being made: the same call may work in another turn. */
    public static final int TRY_AGAIN = -11;

    /** Operations use it. */
    public static final int BUSY = -16;

    /** A message was longer than the memory that was posted for it. */
    public static final int TRUNCATED = -265;

    /** What was used is closed, or never was. */
    public static final int STALE = -10001;

    /** The endpoint has nothing to wait with. */
    public static final int NO_WAIT = -10003;

    /** libfabric is not installed. */
    public static final int NO_LIBRARY = -10009;

    private static final int TEXT_BYTES = 512;

    private FabricError() {}

    /**
     * The library's own words for a code.
     *
     * @param code negative
     */
    public static String text(Fabric fabric, int code) {
        ByteBuffer text = ByteBuffer.allocateDirect(TEXT_BYTES);
        fabric.describeError(code, Addresses.of(text), TEXT_BYTES);
        return string(text, 0, TEXT_BYTES) + " (" + code + ")";
    }

    /**
     * The provider's words about what failed last at an endpoint.
     *
     * @return empty if there are none
     */
    public static String last(Fabric fabric, long endpoint) {
        ByteBuffer text = ByteBuffer.allocateDirect(TEXT_BYTES);
        fabric.lastError(endpoint, Addresses.of(text), TEXT_BYTES);
        return string(text, 0, TEXT_BYTES);
    }

    /**
     * A failure.
     *
     * @param what was tried
     * @param code negative
     */
    public static ZipException failure(Fabric fabric, ErrorCode error, String what, long code) {
        return new ZipException(error, what + ": " + text(fabric, (int) code));
    }

    /** Text that ends with a zero. */
    static String string(ByteBuffer from, int at, int bytesMax) {
        int length = 0;
        while (length < bytesMax && from.get(at + length) != 0) {
            length++;
        }
        byte[] text = new byte[length];
        from.get(at, text);
        return new String(text, StandardCharsets.UTF_8);
    }

    /** Writes text with a zero at its end. */
    static void string(ByteBuffer to, int at, int bytesMax, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length >= bytesMax) {
            throw new ZipException(ErrorCode.BAD_SETTING, "longer than " + (bytesMax - 1) + " bytes: " + text);
        }
        to.put(at, bytes).put(at + bytes.length, (byte) 0);
    }
}
