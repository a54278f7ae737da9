package io.zipcomm.transport.aeron;

import java.io.IOException;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves a rank to another media driver when the one that it uses leaves, or dies with its process: the first neighbour behind
 * the old holder that stays starts one, all connect to it, and each path goes on there. What is in the old streams stays
 * readable to those that have mapped it.
 *
 * <p>Engine holder only. What blocks is done by a thread that this starts.
 */
final class HandOver {

    private static final Logger LOG = LoggerFactory.getLogger(HandOver.class);

    /** If all leave, which they often do together, nobody needs a driver. */
    private static final long GRACE_NS = 200_000_000;

    /** After that streams without a driver are over: they are full soon. */
    private static final long MOVE_NS_MAX = 10_000_000_000L;

    /** A driver that starts is not to outlive its rank. */
    private static final long STOP_MS_MAX = 2_000;

    private static final int NOBODY = -1;

    private final HostPlace place;
    private final Runnable wakeup;
    private boolean isUnderWay;
    private long begunNs;
    private Connecting connecting;
    private Thread thread;
    private String problem;

    /** One attempt to connect, and before that to start a driver. */
    private final class Connecting implements Runnable {
        private final int holder;

        // Under the monitor.
        private EmbeddedDriver driver;
        private DriverClient client;
        private String failure;
        private boolean abandoned;

        Connecting(int holder) {
            this.holder = holder;
        }

        @Override
        public void run() {
            EmbeddedDriver started = null;
            DriverClient connected = null;
            String reason = null;
            try {
                started = holder == place.neighbours().self() ? place.startDriver() : null;
                connected = place.connect(holder);
            } catch (IOException | RuntimeException e) {
                LOG.debug("no other media driver", e);
                reason = String.valueOf(e.getMessage());
            }
            settle(started, connected, reason);
            wakeup.run();
        }

        private synchronized void settle(EmbeddedDriver started, DriverClient connected, String reason) {
            driver = started;
            client = connected;
            failure = reason;
            if (abandoned || reason != null) {
                closeAll();
            }
        }

        private void closeAll() {
            CloseHelper.closeAll(client, driver);
            client = null;
            driver = null;
        }

        synchronized DriverClient client() {
            return client;
        }

        synchronized EmbeddedDriver driver() {
            return driver;
        }

        synchronized String failure() {
            return failure;
        }

        /** Nobody wants the outcome any more. */
        synchronized void abandon() {
            abandoned = true;
            closeAll();
        }
    }

    /**
     * Watches over a rank's driver.
     *
     * @param wakeup called by any thread when there is something to look at
     */
    HandOver(HostPlace place, Runnable wakeup) {
        this.place = place;
        this.wakeup = wakeup;
    }

    /** Whether this rank moves: paths have to. */
    boolean isUnderWay() {
        return isUnderWay && problem == null;
    }

    /** Whether there has been another driver, and time enough to move to it. */
    boolean isLate(long nowNs) {
        return isUnderWay && place.next() != null && nowNs - begunNs > MOVE_NS_MAX;
    }

    /** Why there is no driver any more; null while there is one, or may be. */
    String problem() {
        return problem;
    }

    /**
     * Takes the steps that are possible.
     *
     * @param holderDied whether the process with the driver is known to be gone
     * @param leaving    whether this rank leaves, too
     */
    void look(long nowNs, boolean holderDied, boolean leaving) {
        if (problem != null) {
            return;
        }
        if (place.client().problem() != null) {
            problem = place.client().problem();
            return;
        }
        if (place.next() != null && place.next().problem() != null) {
            problem = place.next().problem();
            return;
        }
        try {
            if (!isUnderWay && isHolderGone(holderDied)) {
                isUnderWay = true;
                begunNs = nowNs;
            }
            if (isUnderWay && place.next() == null) {
                prepare(nowNs, leaving);
            }
        } catch (IOException e) {
            problem = e.getMessage();
        }
        if (isUnderWay && place.next() == null && nowNs - begunNs > MOVE_NS_MAX && !leaving) {
            problem = "rank " + place.neighbours().rank(place.client().holder())
                    + ", which ran it, is gone, and no other" + " runs one after " + MOVE_NS_MAX / 1_000_000 + " ms";
        }
    }

    private boolean isHolderGone(boolean holderDied) throws IOException {
        int holder = place.client().holder();
        if (place.isExternal() || holder == place.neighbours().self()) {
            return false;
        }
        Door door = place.door(holder);
        return holderDied || (door != null && door.isLeaving());
    }

    private void prepare(long nowNs, boolean leaving) throws IOException {
        if (connecting == null) {
            int holder = successor(nowNs, leaving);
            if (holder != NOBODY) {
                connecting = new Connecting(holder);
                thread = new Thread(connecting, "zip-aeron-move");
                thread.setDaemon(true);
                thread.start();
            }
        } else if (connecting.failure() != null) {
            problem = connecting.failure();
        } else if (connecting.client() != null) {
            LOG.info(
                    "shared memory goes on with the media driver of rank {}",
                    place.neighbours().rank(connecting.holder));
            place.moveTo(connecting.client(), connecting.driver());
            connecting = null;
        }
    }

    /** The neighbour whose driver is next, if that runs or is for this rank to start; else {@link #NOBODY}. */
    private int successor(long nowNs, boolean leaving) throws IOException {
        int self = place.neighbours().self();
        int first = place.client().holder() + 1;
        for (int i = first; i < place.neighbours().count(); i++) {
            Door door = i == self ? null : place.door(i);
            if (door != null && door.hasDriver() && place.isAlive(i)) {
                return i;
            }
        }
        boolean isFirst = self >= first && !leaving && nowNs - begunNs >= GRACE_NS;
        for (int i = first; i < self && isFirst; i++) {
            Door door = place.door(i);
            isFirst = door == null || door.isLeaving() || !place.isAlive(i);
        }
        return isFirst ? self : NOBODY;
    }

    /** All paths have moved. */
    void finish() {
        place.moved();
        isUnderWay = false;
    }

    /** This rank leaves at once. Blocks until nothing is made any more that would stay behind, for {@link #STOP_MS_MAX} at most. */
    void close() {
        if (connecting == null) {
            return;
        }
        connecting.abandon();
        try {
            thread.join(STOP_MS_MAX);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
