package io.zipcomm.transport;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/** A connection to a relay that carries control messages, driven by a thread of its own. */
public interface ControlChannel extends AutoCloseable {

    /**
     * Sends one message. Never blocks; may be called from any thread. After the channel ended it does nothing: the
     * listener has been told.
     *
     * @param message serialized message; not changed afterwards
     */
    void send(byte[] message);

    /** Address of this end when the connection was opened. */
    InetSocketAddress local();

    /** Address of the other end when the connection was opened: of the relay, or of the proxy that was asked. */
    InetSocketAddress remote();

    /**
     * Sends what is queued, for one second at most, then ends the connection. Blocks for two seconds at most, or not at all on
     * the channel's own thread. The listener is told of the end only if it came from the other side first.
     */
    @Override
    void close();

    /** Called on the channel's thread only. */
    interface Listener {

        /**
         * A message came in.
         *
         * @param message readable bytes of one serialized message; valid during the call
         */
        void message(ByteBuffer message);

        /** About every {@link #tickMs()} milliseconds. */
        void tick();

        /** Time between ticks. Read before each wait. */
        long tickMs();

        /**
         * The connection ended, and not by {@link ControlChannel#close} alone. Called once at most.
         *
         * @param reason as a phrase
         */
        void ended(String reason);
    }
}
