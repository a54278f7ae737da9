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
 * <p>Who comes after a holder is written down once, in the group's directory, by whoever wants to; all follow from holder to
 * holder, past those that are dead or cannot run one. So there are never two to choose from, and one that leaves waits for those who are still to come.
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

    private final HostPlace place;
    private final Runnable wakeup;
    private boolean holderDied;
    private boolean nextDied;
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
                started = isOwn(holder) ? place.startDriver() : null;
                connected = place.connect(holder, this::isAbandoned);
            } catch (IOException | RuntimeException | Error e) {
                // Whatever it is: without an outcome the rank would wait for one.
                LOG.debug("no other media driver", e);
                reason = String.valueOf(e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                reason = "interrupted";
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

        private synchronized boolean isAbandoned() {
            return abandoned;
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

    /** Whether another driver has run for so long that all could have moved to it. */
    boolean isLate(long nowNs) {
        return isUnderWay && place.next() != null && nowNs - begunNs > MOVE_NS_MAX;
    }

    /** Why there is no driver any more; null while there is one, or may be. */
    String problem() {
        return problem;
    }

    /** Whether neighbours wait for a driver that this rank has promised. */
    boolean isPromised() {
        return connecting != null && isOwn(connecting.holder) && problem == null;
    }

    /** Asks the system whether those live in whose processes the drivers are. */
    void lookAfterLives(long nowNs) {
        holderDied |= !place.isExternal() && isDead(place.client().holder());
        nextDied |= place.next() != null && isDead(place.next().holder());
        if (connecting != null && isDead(connecting.holder)) {
            chooseAgain(nowNs);
        }
    }

    private boolean isDead(int holder) {
        return !isOwn(holder) && !place.isAlive(holder);
    }

    private boolean isOwn(int holder) {
        return holder == place.neighbours().self();
    }

    /**
     * Takes the steps that are possible.
     *
     * @param leaving whether this rank leaves, too
     */
    void look(long nowNs, boolean leaving) {
        if (problem != null) {
            return;
        }
        problem = place.client().problem();
        if (place.next() != null && place.next().problem() != null) {
            nextDied = true;
            problem = isOwn(place.next().holder()) ? place.next().problem() : problem;
        }
        if (problem != null) {
            return;
        }
        try {
            if (!isUnderWay && isHolderGone()) {
                isUnderWay = true;
                begunNs = nowNs;
            }
            if (place.next() != null && nextDied) {
                LOG.info(
                        "the media driver of rank {} died, to which shared memory was to move",
                        place.neighbours().rank(place.next().holder()));
                place.giveUpNext();
                chooseAgain(nowNs);
            }
            if (isUnderWay && place.next() == null) {
                prepare(nowNs, leaving);
            }
        } catch (IOException e) {
            problem = e.getMessage();
        }
        if (isUnderWay && place.next() == null && nowNs - begunNs > MOVE_NS_MAX && !leaving) {
            problem = "rank " + place.neighbours().rank(place.client().holder())
                    + ", which ran it, is gone, and no other runs one after " + MOVE_NS_MAX / 1_000_000 + " ms";
        }
    }

    private boolean isHolderGone() throws IOException {
        int holder = place.client().holder();
        if (place.isExternal() || isOwn(holder)) {
            return false;
        }
        Door door = place.door(holder);
        return holderDied || (door != null && door.isLeaving());
    }

    private void prepare(long nowNs, boolean leaving) throws IOException {
        if (connecting == null) {
            int holder = successor(nowNs, leaving);
            if (holder != HostPlace.NOBODY) {
                connecting = new Connecting(holder);
                thread = new Thread(connecting, "zip-aeron-move");
                thread.setDaemon(true);
                thread.start();
            }
        } else if (connecting.failure() != null && isDead(connecting.holder)) {
            chooseAgain(nowNs);
        } else if (connecting.failure() != null) {
            problem = connecting.failure();
        } else if (connecting.client() != null) {
            LOG.info(
                    "shared memory goes on with the media driver of rank {}",
                    place.neighbours().rank(connecting.holder));
            place.moveTo(connecting.client(), connecting.driver());
            connecting = null;
            begunNs = nowNs;
        }
    }

    /** The holder that was chosen is dead. The next one has as much time as it had. */
    private void chooseAgain(long nowNs) {
        nextDied = false;
        begunNs = nowNs;
        if (connecting != null) {
            connecting.abandon();
            connecting = null;
        }
    }

    /** The neighbour whose driver is next, if that runs or is for this rank to start; else {@link HostPlace#NOBODY}. */
    private int successor(long nowNs, boolean leaving) throws IOException {
        int last = place.client().holder();
        int holder = place.after(last);
        for (int i = 0; i < place.neighbours().count() && holder != HostPlace.NOBODY && isPassedOver(holder); i++) {
            last = holder;
            holder = place.after(last);
        }
        if (holder != HostPlace.NOBODY) {
            Door door = place.door(holder);
            return door != null && door.hasDriver() ? holder : HostPlace.NOBODY;
        }
        boolean isMine = !leaving && nowNs - begunNs >= GRACE_NS && isFirstBehind(last) && place.follow(last);
        return isMine ? place.neighbours().self() : HostPlace.NOBODY;
    }

    private boolean isPassedOver(int holder) throws IOException {
        Door door = place.door(holder);
        return isDead(holder) || (door != null && door.willHaveNoDriver());
    }

    /** Whether of those who stay this rank comes first behind a holder, round and round. */
    private boolean isFirstBehind(int holder) throws IOException {
        int count = place.neighbours().count();
        int self = place.neighbours().self();
        for (int i = (holder + 1) % count; i != self; i = (i + 1) % count) {
            Door door = place.door(i);
            if (door != null && !door.isLeaving() && !door.willHaveNoDriver() && place.isAlive(i)) {
                return false;
            }
        }
        return true;
    }

    /** All paths have moved. */
    void finish() {
        place.moved();
        isUnderWay = false;
        holderDied = false;
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
