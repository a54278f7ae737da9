package io.zipcomm.transport.aeron;

import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Transport;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a rank's {@link HostPlace} in a thread of its own, so that nobody waits for it who need not. */
final class PlaceMaker implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(PlaceMaker.class);

    private final SharedDirectory shared;
    private final GroupView view;
    private final Neighbours neighbours;
    private final ZipSettings settings;
    private final Transport base;

    // Under the monitor.
    private boolean done;
    private boolean cancelled;
    private HostPlace place;
    private String problem;

    private PlaceMaker(
            SharedDirectory shared, GroupView view, Neighbours neighbours, ZipSettings settings, Transport base) {
        this.shared = shared;
        this.view = view;
        this.neighbours = neighbours;
        this.settings = settings;
        this.base = base;
    }

    /**
     * Begins to make a place.
     *
     * @param base woken up when there is an outcome
     */
    static PlaceMaker start(
            SharedDirectory shared, GroupView view, Neighbours neighbours, ZipSettings settings, Transport base) {
        PlaceMaker maker = new PlaceMaker(shared, view, neighbours, settings, base);
        Thread thread = new Thread(maker, "zip-aeron-start-" + view.rank());
        thread.setDaemon(true);
        thread.start();
        return maker;
    }

    @Override
    public void run() {
        HostPlace made = null;
        String reason = null;
        try {
            made = HostPlace.make(shared, view, neighbours, settings, this::isCancelled);
        } catch (IOException | RuntimeException | Error e) {
            // Whatever it is: without an outcome the rank would wait for one.
            LOG.debug("no place in shared memory", e);
            reason = String.valueOf(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            reason = "interrupted";
        }
        if (!finish(made, reason)) {
            made.close();
        }
        base.wakeup();
    }

    /** Answers false if there is a place that nobody wants any more. */
    private synchronized boolean finish(HostPlace made, String reason) {
        done = true;
        problem = reason;
        place = cancelled ? null : made;
        return made == place;
    }

    synchronized boolean isDone() {
        return done;
    }

    private synchronized boolean isCancelled() {
        return cancelled;
    }

    /** The place; null if there is none, and then {@link #problem} says why. */
    synchronized HostPlace place() {
        return place;
    }

    synchronized String problem() {
        return problem;
    }

    /** What is made, or will be, is closed. */
    void cancel() {
        HostPlace made;
        synchronized (this) {
            cancelled = true;
            made = place;
            place = null;
        }
        if (made != null) {
            made.close();
        }
    }
}
