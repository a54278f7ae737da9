package io.zipcomm.transport;

import io.zipcomm.settings.ZipSettings;
import java.util.concurrent.locks.LockSupport;

/** Entry point of a module with a {@link Transport}, found by {@link java.util.ServiceLoader}. */
public interface TransportProvider extends PathProvider {

    /**
     * Opens the transport for one process of one group: binds what it listens on, connects to nobody.
     *
     * @param settings of the process
     * @return an open transport; the caller closes it
     * @throws io.zipcomm.error.ZipException with code BAD_SETTING for an address that cannot be listened on, LIMIT if the
     *     system gives no sockets, or CANCELLED if the thread is interrupted, whose flag stays set
     */
    Transport open(ZipSettings settings);

    /**
     * Opens a control connection to a relay. Blocks until it is connected or the deadline passes.
     *
     * @param settings   of the process
     * @param relay      where the relay listens
     * @param localPort  where the connection is to come from, if that is free and there is no proxy, so that the relay sees
     *     the address that a NAT gives to that port; 0 for anywhere
     * @param listener   told of messages and of the end, on the channel's own thread
     * @param deadlineNs instant on {@link System#nanoTime()}'s clock
     * @param patient    whether to try again until the deadline; otherwise the first failure counts
     * @return an open channel; the caller closes it
     * @throws io.zipcomm.error.ZipException with code RELAY_UNREACHABLE, BAD_SETTING for files of TLS that cannot be used,
     *     LIMIT if the system gives no sockets, or CANCELLED if the thread is interrupted, whose flag stays set
     */
    ControlChannel openControl(
            ZipSettings settings,
            RelayAddress relay,
            int localPort,
            ControlChannel.Listener listener,
            long deadlineNs,
            boolean patient);

    /**
     * A thread for who has to wait for connections of this provider by itself.
     *
     * @param task what it does
     * @param name for people
     * @return a daemon thread; the caller starts it
     */
    default Thread thread(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /**
     * Blocks a thread of {@link #thread} for some time, or until it is unparked or interrupted, whose flag stays set.
     *
     * @param ns nanoseconds
     */
    default void pause(long ns) {
        LockSupport.parkNanos(ns);
    }
}
