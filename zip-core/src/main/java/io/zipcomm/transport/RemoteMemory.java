package io.zipcomm.transport;

import java.nio.ByteBuffer;

/**
 * Memory of this process that peers read and write without a message, and theirs: what some transports can do beside moving
 * frames.
 *
 * <p>Thread: engine holder only. Nothing blocks, and {@link #put} and {@link #get} allocate nothing. What moves, moves in turns of
 * the transport, and with some of them in those of the peer as well.
 */
public interface RemoteMemory {

    /** Whether a peer's memory can be read and written. */
    enum Reach {
        NOW,
        /** A path is being opened, or may be. */
        LATER,
        NEVER
    }

    /**
     * Whether a peer's memory can be read and written.
     *
     * @param peer rank in the world
     */
    Reach reach(int peer);

    /**
     * Lets peers read and write memory from now on, if they know its address and key.
     *
     * @param memory direct; all of it, whatever its position and limit are. Kept reachable until it is withdrawn
     * @throws io.zipcomm.error.ZipException with code LIMIT if the memory cannot be registered
     */
    Exposure expose(ByteBuffer memory);

    /**
     * Begins to write to a peer's memory. When it has ended without a failure, the bytes are there.
     *
     * @param peer    rank in the world
     * @param address of the first byte to write, as the peer's exposure has it, and an offset
     * @param key     of the peer's exposure
     * @param source  direct; read, and kept reachable, until the end
     * @param index   first byte in {@code source}
     * @param bytes   1 or more
     * @param ending  told of the end, in a later turn of the transport
     * @return false if nothing can be begun now, which is to be tried again
     * @throws io.zipcomm.error.ZipException with code PEER_LOST if the peer is not reached, LIMIT if {@code source} cannot be
     *     registered
     */
    boolean put(int peer, long address, long key, ByteBuffer source, int index, int bytes, Ending ending);

    /** Begins to read a peer's memory; otherwise as {@link #put}. */
    boolean get(int peer, long address, long key, ByteBuffer destination, int index, int bytes, Ending ending);

    /** Memory that peers may read and write. */
    interface Exposure {

        /** Of its first byte, as peers have to name it. */
        long address();

        /** By which peers name it. */
        long key();

        /** Peers have ended all that they began, and begin nothing more: the memory is its owner's alone. */
        void withdraw();

        /**
         * Nobody knows what peers have begun, or will: the memory is kept reachable for as long as they may reach it, which may be the
         * life of the process.
         */
        void giveUp();
    }

    /** Told of ends. May begin something else, but must not block. */
    interface Ending {

        /**
         * What was begun has ended.
         *
         * @param failure null, or why it failed: it is not known then what was read or written
         */
        void ended(String failure);
    }
}
