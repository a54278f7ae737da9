package io.zipcomm.internal;

import io.zipcomm.Communicator;

// API sketch for authors of collectives; body being written
public final class GroupCommunicator {
    public int rank() { throw new UnsupportedOperationException(); }
    public int size() { throw new UnsupportedOperationException(); }
    /** World rank of a rank of this communicator. */
    public int worldRank(int rank) { throw new UnsupportedOperationException(); }
    Engine engine() { return null; }
    /** Number of the next collective on this communicator (same on all members, by order of calls). Engine holder only: call in begin(). */
    public int nextCollectiveNumber() { return 0; }
    /** Posts a send. peer is a rank of this communicator. tag: collective tags are made by CollectiveTag.of(number, ordinal). Completion fires (maybe within this call) when the payload's memory is free again. */
    public Object postSend(int peer, long tag, int signature, io.zipcomm.buffer.Payload payload, long offset, long bytes, Completion completion, int cookie) { return null; }
    /** Posts a receive of exactly {@code bytes} bytes. Completion fires when all bytes are in the payload. */
    public Object postReceive(int peer, long tag, int signature, io.zipcomm.buffer.Payload payload, long offset, long bytes, Completion completion, int cookie) { return null; }
    /** Takes back a posted transfer whose completion has not fired: its completion never fires and memory is not touched again. */
    public void withdraw(Object transfer) {}
    /** Runs an operation, blocking; throws ZipException. timeoutNs <= 0: the communicator's default */
    public void run(Operation operation, long timeoutNs) {}
    public <T> io.zipcomm.ZipFuture<T> start(Operation operation, long timeoutNs) { return null; }
}
