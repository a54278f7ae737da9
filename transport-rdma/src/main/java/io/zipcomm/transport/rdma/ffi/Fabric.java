package io.zipcomm.transport.rdma.ffi;

/**
 * The functions of the native library, by their names without {@code zf_}; {@code zip_fabric.h} says what they do. Addresses
 * are those of direct memory, which its owner keeps reachable. What is negative in an answer is a code: see {@link FabricError}.
 *
 * <p>Thread: one at a time for each endpoint. Nothing blocks but {@link #open}, and {@link #waitFor} if it is told to.
 */
public interface Fabric {

    /** The version of {@code zip_fabric.h} that this interface is for. */
    int ABI_VERSION = 1;

    /** Closed for its owner; libfabric has it, with its memory and descriptors, until the process ends. */
    int STAYS = 1;

    int version();

    int libraryVersion();

    int describeError(int code, long out, int bytes);

    /** A choice that could be opened in each line. */
    int list(long provider, long node, long out, int bytes);

    int openEndpoints();

    /** A handle, above 0. */
    long open(long options);

    /** 0, or {@link #STAYS}. */
    int close(long endpoint);

    int facts(long endpoint, long out);

    int counts(long endpoint, long out);

    int lastError(long endpoint, long out, int bytes);

    int address(long endpoint, long out, int bytes);

    /** Number of the peer, from 0. */
    int peerAdd(long endpoint, long address, int bytes);

    int peerRemove(long endpoint, int peer);

    /** A handle, above 0. */
    long register(long endpoint, long address, long bytes, int access);

    int deregister(long endpoint, long registration);

    int remoteKey(long endpoint, long registration, long out);

    /** Sends as {@link Operation} says. JNR-FFI 2.2.18 passes garbage as the last of six integers: so {@code zf_send} is not here. */
    int sendFrom(long endpoint, long operation);

    int inject(long endpoint, int peer, long address, long bytes);

    int receive(long endpoint, long registration, long address, long bytes, long context);

    int write(long endpoint, long operation);

    int read(long endpoint, long operation);

    int cancel(long endpoint, long context);

    /** How many completions there are at {@code out}. */
    int poll(long endpoint, long out, int max);

    /** {@code zf_wait}. */
    int waitFor(long endpoint, int timeoutMs);

    int waitFd(long endpoint);

    // What memory is registered for.

    int SEND = 1;
    int RECEIVE = 2;
    /** Local memory of reads. */
    int READ = 4;
    /** Local memory of writes. */
    int WRITE = 8;

    int REMOTE_READ = 16;
    int REMOTE_WRITE = 32;
}
