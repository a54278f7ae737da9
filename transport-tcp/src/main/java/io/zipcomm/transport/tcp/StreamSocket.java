package io.zipcomm.transport.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * A non-blocking socket of TCP, or of the Unix domain, registered with a {@link Poller}; or what is wrapped around one.
 * Driven by the thread that runs the poller.
 */
interface StreamSocket {

    /** Told by the poller that a socket is ready. */
    interface Listener {

        /**
         * The socket is ready for something it asked for, or broken, which reading or writing will tell.
         *
         * @param readable whether reading makes sense
         * @param writable whether writing, or finishing to connect, makes sense
         */
        void ready(boolean readable, boolean writable);
    }

    /**
     * Reads what there is.
     *
     * @param target   direct memory
     * @param position first byte to fill; the buffer's own position and limit may be changed
     * @param limit    end of the bytes to fill
     * @return bytes read, 0 if there are none now, -1 at the end of the stream
     */
    int read(ByteBuffer target, int position, int limit) throws IOException;

    /**
     * Writes between position and limit of direct buffers, in one call of the operating system.
     *
     * @param sources buffers; their positions may be moved or not
     * @param count   how many of them
     * @return bytes written; 0 if the socket takes none now
     */
    long write(ByteBuffer[] sources, int count) throws IOException;

    /** Whether there is input that was read from the system already, so that no event will announce it. */
    default boolean hasInput() {
        return false;
    }

    /** Whether something that was written is kept here, since the system has not taken it yet. */
    default boolean hasOutput() {
        return false;
    }

    /** Says what to be told of. At first nothing. */
    void interest(boolean readable, boolean writable);

    /** Ends an attempt to connect: true if connected, false if not yet. */
    boolean finishConnect() throws IOException;

    /** No more output. */
    void shutdownOutput() throws IOException;

    /**
     * Has the operating system ask the other end now and then whether it is there, also while this process does nothing, so
     * that what is between the two does not forget an idle connection. Best effort.
     */
    default void keepAlive() {}

    /**
     * How long the other end's operating system has acknowledged nothing although there is something to acknowledge.
     *
     * @return milliseconds; 0 if all is acknowledged; -1 if nobody here can know
     */
    default long unacknowledgedMs() {
        return -1;
    }

    /**
     * Has another poller wait for the socket from now on, and none until its thread says what for. The poller before must not be
     * running.
     *
     * @throws IOException if it cannot; the socket is of no use then
     */
    void moveTo(Poller poller) throws IOException;

    /** This end's address. Those of the Unix domain have none. */
    InetSocketAddress local();

    /** The other end's address. Those of the Unix domain have none. */
    InetSocketAddress remote();

    /** Ends the connection. May be called again. */
    void close();

    /** Ends the connection so that the other end sees it break; what was written and not sent yet is lost. */
    void abort();
}
