package io.zipcomm.buffer;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * Where a direct buffer's memory is, needed only to tell whether two buffers overlap. Uses the foreign-memory interface
 * where it is final (Java 22 and later) and {@code sun.misc.Unsafe} before that, where it is not yet deprecated for it:
 * neither needs a flag or prints a warning.
 */
final class DirectMemory {

    private static final MethodHandle ADDRESS = find();

    private DirectMemory() {}

    /**
     * Address of a direct buffer's byte 0.
     *
     * @return the address, or 0 where this virtual machine does not tell
     */
    static long address(ByteBuffer buffer) {
        if (ADDRESS == null) {
            return 0;
        }
        try {
            return (long) ADDRESS.invokeExact((Buffer) buffer);
        } catch (Throwable e) {
            throw new LinkageError("address of a direct buffer", e);
        }
    }

    private static MethodHandle find() {
        try {
            return Runtime.version().feature() >= 22 ? fromForeignMemory() : fromUnsafe();
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }

    private static MethodHandle fromForeignMemory() throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = MethodHandles.publicLookup();
        Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
        MethodHandle ofBuffer = lookup.findStatic(segment, "ofBuffer", MethodType.methodType(segment, Buffer.class));
        MethodHandle address = lookup.findVirtual(segment, "address", MethodType.methodType(long.class));
        return MethodHandles.filterReturnValue(ofBuffer, address);
    }

    private static MethodHandle fromUnsafe() throws ReflectiveOperationException {
        Class<?> type = Class.forName("sun.misc.Unsafe");
        Field instance = type.getDeclaredField("theUnsafe");
        instance.setAccessible(true);
        Object unsafe = instance.get(null);
        MethodHandles.Lookup lookup = MethodHandles.publicLookup();
        MethodHandle offset =
                lookup.findVirtual(type, "objectFieldOffset", MethodType.methodType(long.class, Field.class));
        long addressOffset;
        try {
            addressOffset = (long) offset.invoke(unsafe, Buffer.class.getDeclaredField("address"));
        } catch (Throwable e) {
            throw new ReflectiveOperationException(e);
        }
        MethodHandle getLong =
                lookup.findVirtual(type, "getLong", MethodType.methodType(long.class, Object.class, long.class));
        return MethodHandles.insertArguments(getLong.bindTo(unsafe), 1, addressOffset)
                .asType(MethodType.methodType(long.class, Buffer.class));
    }
}
