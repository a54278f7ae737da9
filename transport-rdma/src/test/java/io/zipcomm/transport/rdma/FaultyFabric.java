package io.zipcomm.transport.rdma;

import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.transport.rdma.ffi.FabricError;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/** The native library with faults on the way of messages of one process's endpoints. One thread. */
final class FaultyFabric {

    /** What libfabric answers when a connection has ended. */
    static final int NOT_CONNECTED = -107;

    /** In zf_rma. */
    private static final int CONTEXT_OFFSET = 48;

    // Of zf_completion.
    private static final int COMPLETION_BYTES = 40;
    private static final int KIND_OFFSET = 16;
    private static final int STATUS_OFFSET = 20;
    private static final int SENT = 1;

    /** What becomes of messages. */
    enum Fault {
        NONE,
        /** They complete with {@link #NOT_CONNECTED}, and do not leave. */
        LOST,
        /** They are not taken. */
        REFUSED
    }

    // Of zf_facts.
    private static final int HAS_OFFSET = 4;
    private static final int NEEDS_LOCAL_REGISTRATION = 16;

    private final Fabric real;
    private boolean needsRegistrations;
    private final ArrayDeque<Long> lost = new ArrayDeque<>();
    private Fault fault = Fault.NONE;

    /** Messages until the fault begins, and after that until it is over. */
    private int before;

    private int left;

    FaultyFabric(Fabric real) {
        this.real = real;
    }

    /**
     * What becomes of messages from now on.
     *
     * @param passing  messages that go well before
     * @param messages that the fault meets
     */
    void begin(Fault kind, int passing, int messages) {
        fault = kind;
        before = passing;
        left = messages;
    }

    /** From now on endpoints say that they need memory registered, as those for hardware do. */
    void needRegistrations() {
        needsRegistrations = true;
    }

    /** How many messages the fault has not met yet. */
    int left() {
        return left;
    }

    Fabric fabric() {
        return (Fabric)
                Proxy.newProxyInstance(Fabric.class.getClassLoader(), new Class<?>[] {Fabric.class}, this::call);
    }

    private Object call(Object proxy, Method method, Object[] arguments) throws Throwable {
        boolean isMessage =
                method.getName().equals("sendFrom") || method.getName().equals("inject");
        if (isMessage && before == 0 && left > 0) {
            left--;
            if (fault == Fault.REFUSED || method.getName().equals("inject")) {
                return FabricError.TRY_AGAIN;
            }
            lost.add(memory((long) arguments[1]).getLong(CONTEXT_OFFSET));
            return 0;
        }
        try {
            Object answer = method.invoke(real, arguments);
            before -= isMessage && before > 0 && (int) answer >= 0 ? 1 : 0;
            if (needsRegistrations && method.getName().equals("facts")) {
                Pointer facts = memory((long) arguments[1]);
                facts.putInt(HAS_OFFSET, facts.getInt(HAS_OFFSET) | NEEDS_LOCAL_REGISTRATION);
            }
            return method.getName().equals("poll")
                    ? addLost((int) answer, (long) arguments[1], (int) arguments[2])
                    : answer;
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private int addLost(int count, long out, int max) {
        int all = count;
        while (all >= 0 && all < max && !lost.isEmpty()) {
            Pointer completion = memory(out + (long) all * COMPLETION_BYTES);
            completion.putLong(0, lost.poll());
            completion.putLong(Long.BYTES, 0);
            completion.putInt(KIND_OFFSET, SENT);
            completion.putInt(STATUS_OFFSET, NOT_CONNECTED);
            all++;
        }
        return all;
    }

    private static Pointer memory(long address) {
        return Pointer.wrap(Runtime.getSystemRuntime(), address);
    }
}
