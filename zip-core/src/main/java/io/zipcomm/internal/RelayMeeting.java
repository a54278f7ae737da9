package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import java.io.IOException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds one relay of several at which all ranks of a session meet, whichever of them which rank can reach.
 *
 * <p>A rank asks the relays of its session's {@link RelayOrder} one after the other, each a moment after the one before, and
 * stays at all of them. A relay admits when all ranks are there. So the rank attaches to the first one in the order that has
 * admitted it, and moves if a better one does. Of the relays that all ranks reach, the best admits them all and no better
 * one does: there they meet. A rank is attached to one relay at a time, and a relay lets go only of ranks whose group is not
 * complete, so no two relays complete the same group. A relay at which the group lives already, or begins without those who
 * are late, says so: then the rank stays there, and goes away from all others.
 *
 * <p>Thread: the one that joins decides; for each relay another one asks, and asks again when it was refused or the
 * connection broke.
 */
public final class RelayMeeting {

    private static final Logger LOG = LoggerFactory.getLogger(RelayMeeting.class);

    /** Refusals that concern the group: another relay would say the same. */
    private static final Set<ErrorCode> OF_GROUP =
            EnumSet.of(ErrorCode.BAD_SETTING, ErrorCode.SIZE_MISMATCH, ErrorCode.GROUP_FULL, ErrorCode.RANK_TAKEN);

    /** Refusals after which this relay need not be asked again. */
    private static final Set<ErrorCode> OF_RELAY = EnumSet.of(ErrorCode.UNAUTHORIZED, ErrorCode.VERSION_MISMATCH);

    private static final int START_SHARE = 20;
    private static final long START_NS_MAX = 2_000_000_000L;
    private static final int ATTEMPT_SHARE = 6;
    private static final int PATIENCE_SHARE = 10;
    private static final long PATIENCE_NS_MAX = 3_000_000_000L;
    private static final long RETRY_MS = 200;

    /** The relay watches the same deadline and knows who is missing, so its answer is given time to arrive. */
    private static final long GRACE_NS = 1_000_000_000L;

    /** How long a relay may take to let go of a rank, or to say that it is too late. */
    private static final long LEAVE_MS_MAX = 2000;

    /** For a thread that was told to end. One that asks the system for a name cannot be: it cleans up after itself. */
    private static final long END_MS = 100;

    private final ZipSettings settings;
    private final TransportProvider provider;
    private final Transport transport;
    private final List<Candidate> candidates;
    private final String hostId;
    private final boolean relayed;
    private final LongSupplier clock;
    private final long startedNs;
    private final long timeoutNs;

    /** How long all of it may take, whatever is under way then. */
    private final long longestNs;

    private final List<Stay> stays = new ArrayList<>();

    /** Whoever reads that there is news looks at all relays, so one piece of it says as much as many. */
    private static final int NEWS_MAX = 1;

    /** Something happened at a relay. */
    private final ArrayBlockingQueue<Boolean> news = new ArrayBlockingQueue<>(NEWS_MAX);

    private volatile boolean over;

    /** Where the group is, or is about to be, as the relay says: no other is asked meanwhile. Null as long as none says so. */
    private volatile Stay settled;

    /** Where the rank is attached; null if nowhere. */
    private Stay current;

    /** By which connection. */
    private MembershipClient attached;

    private long attachedNs;

    private RelayMeeting(
            ZipSettings settings,
            long answerNsMax,
            TransportProvider provider,
            Transport transport,
            String hostId,
            boolean relayed,
            LongSupplier clock) {
        this.settings = settings;
        this.provider = provider;
        this.transport = transport;
        this.hostId = hostId;
        this.relayed = relayed;
        this.clock = clock;
        candidates = transport.candidates();
        startedNs = System.nanoTime();
        timeoutNs = settings.joinTimeout().toNanos();
        longestNs = timeoutNs + answerNsMax;
    }

    /**
     * Joins the group at one of the relays. Blocks until it is complete.
     *
     * @param answerNsMax how long it may take, at most, beyond the join timeout
     * @param transport   is attached when this returns, if {@code relayed}
     * @return a client whose group is complete; the caller closes it
     * @throws ZipException with a relay's reason, JOIN_TIMEOUT, RELAY_UNREACHABLE, BAD_SETTING, or CANCELLED if the thread is
     *     interrupted, whose flag stays set
     */
    public static MembershipClient join(
            ZipSettings settings,
            long answerNsMax,
            TransportProvider provider,
            Transport transport,
            String hostId,
            boolean relayed,
            LongSupplier clock) {
        RelayMeeting meeting = new RelayMeeting(settings, answerNsMax, provider, transport, hostId, relayed, clock);
        MembershipClient found = null;
        try {
            found = meeting.meet();
            return found;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw meeting.failure(ErrorCode.CANCELLED, "the joining thread was interrupted");
        } finally {
            meeting.end(found);
        }
    }

    private MembershipClient meet() throws InterruptedException {
        for (RelayAddress relay : RelayOrder.of(settings.session(), relays())) {
            stays.add(new Stay(relay));
        }
        long startNs = Math.min(timeoutNs / START_SHARE, START_NS_MAX);
        long patienceNs = Math.min(timeoutNs / PATIENCE_SHARE, PATIENCE_NS_MAX);
        int begun = 0;
        boolean stoodStill = false;
        while (true) {
            long nowNs = System.nanoTime();
            if (begun < stays.size() && (nowNs - startedNs >= begun * startNs || noneThere(begun))) {
                stays.get(begun++).thread.start();
                continue;
            }
            settle();
            checkRefusals();
            boolean allSaid = stays.stream().allMatch(stay -> stay.trouble != null);
            long graceNs = GRACE_NS + (current == null ? 0 : attached.stragglersNs());
            if (current != null && isComplete(attached)) {
                return attached;
            }
            long endNs = startedNs + Math.min(allSaid ? timeoutNs : timeoutNs + graceNs, longestNs);
            if (nowNs - endNs > 0) {
                if (stoodStill || !Freeze.isBetween(endNs, nowNs)) {
                    throw timedOut();
                }
                // What the relays have said meanwhile has not been read yet.
                stoodStill = true;
                news.poll(Freeze.READ_NS, TimeUnit.NANOSECONDS);
                continue;
            }
            Stay best = best();
            boolean gone = current != null && current.admitted() != attached;
            // In vain: somebody who was there has gone.
            boolean inVain = current != null && current != settled && nowNs - attachedNs > patienceNs;
            if (gone || inVain || (best != null && best != current)) {
                if (current != null && !gone && isCompleteAfterAll(current)) {
                    return attached;
                }
                current = null;
                best = best();
                if (best != null) {
                    attach(best);
                }
                continue;
            }
            news.poll(Math.min(startNs, patienceNs) / 4, TimeUnit.NANOSECONDS);
        }
    }

    private List<RelayAddress> relays() throws InterruptedException {
        while (true) {
            try {
                return RelayOrder.resolved(settings.relays(), startedNs + timeoutNs - System.nanoTime());
            } catch (IOException e) {
                if (System.nanoTime() - startedNs > timeoutNs) {
                    String unknown = e instanceof UnknownHostException ? "unknown host " : "";
                    throw failure(ErrorCode.RELAY_UNREACHABLE, unknown + e.getMessage());
                }
                Thread.sleep(RETRY_MS);
            }
        }
    }

    /** All relays that have been asked are out of reach: the next one need not wait. */
    private boolean noneThere(int begun) {
        return stays.stream().limit(begun).allMatch(stay -> stay.client == null && stay.trouble != null);
    }

    private Stay best() {
        if (settled != null) {
            return settled;
        }
        for (Stay stay : stays) {
            if (stay == current || stay.admitted() != null) {
                return stay;
            }
        }
        return null;
    }

    /** Finds out whether a relay has the group, or is about to, and goes away from the others then. */
    private void settle() {
        if (settled != null && settled.admitted() != null) {
            return;
        }
        settled = stays.stream().filter(Stay::isSettled).findFirst().orElse(null);
        for (Stay other : stays) {
            MembershipClient there = other.client;
            // Where it is attached the group may just have become complete.
            if (settled != null && other != settled && other != current && there != null) {
                other.leave(there, null);
            }
        }
    }

    private void attach(Stay stay) {
        // Looked at once: it may be lost, and another be asked that is not admitted yet.
        MembershipClient client = stay.admitted();
        if (client == null) {
            return;
        }
        try {
            if (relayed) {
                // It may be late already, and is waited for then.
                long attemptNs = Math.max(timeoutNs / ATTEMPT_SHARE, stay == settled ? client.heartbeatTimeoutNs() : 0);
                long leftNs = startedNs + longestNs - System.nanoTime();
                transport.attach(
                        stay.relay,
                        settings.session(),
                        client.rank(),
                        client.ticket(),
                        System.nanoTime() + Math.min(attemptNs, leftNs));
            } else {
                client.choose();
            }
            current = stay;
            attached = client;
            attachedNs = System.nanoTime();
        } catch (ZipException e) {
            if (e.code() == ErrorCode.CANCELLED) {
                throw e;
            }
            stay.leave(client, e);
        }
    }

    /** There is news. Any thread; if there was some already, nothing is to be added. */
    private void tell() {
        news.offer(true);
    }

    private static boolean isComplete(MembershipClient client) {
        return client.completion().isDone() && !client.completion().isCompletedExceptionally();
    }

    /** Leaves a relay, or learns that the group has just become complete there. */
    private boolean isCompleteAfterAll(Stay stay) throws InterruptedException {
        MembershipClient client = attached;
        client.leaveUnlessComplete();
        try {
            long leftNs = startedNs + longestNs - System.nanoTime();
            long leaveNs = Math.min(TimeUnit.MILLISECONDS.toNanos(LEAVE_MS_MAX), Math.max(0, leftNs));
            client.completion().get(leaveNs, TimeUnit.NANOSECONDS);
            return true;
        } catch (ExecutionException e) {
            stay.leave(client, null);
        } catch (TimeoutException e) {
            stay.leave(client, new ZipException(ErrorCode.RELAY_LOST, "it does not answer any more", e));
        }
        return false;
    }

    // ---- the end

    private void checkRefusals() {
        if (settled != null) {
            return;
        }
        int out = 0;
        for (Stay stay : stays) {
            ZipException trouble = stay.trouble;
            if (trouble != null && OF_GROUP.contains(trouble.code()) && !stay.cameBack) {
                throw failure(trouble.code(), text(trouble));
            }
            out += stay.out ? 1 : 0;
        }
        ZipException first = stays.get(0).trouble;
        if (out == stays.size() && first != null) {
            throw failure(first.code(), text(first));
        }
    }

    private ZipException timedOut() {
        boolean unreachable = true;
        StringBuilder each = new StringBuilder();
        for (Stay stay : stays) {
            // Read once: its thread may just have got through.
            ZipException trouble = stay.trouble;
            unreachable &= trouble != null && trouble.code() == ErrorCode.RELAY_UNREACHABLE;
            each.append("; ")
                    .append(stay.relay)
                    .append(": ")
                    .append(trouble == null ? "not all ranks came" : text(trouble));
        }
        return failure(
                unreachable ? ErrorCode.RELAY_UNREACHABLE : ErrorCode.JOIN_TIMEOUT,
                "at none of " + stays.size() + " relays all ranks met" + each);
    }

    /** Without what is known of the whole, of which this is a part. */
    private static String text(ZipException trouble) {
        return (trouble.phase() == null ? "" : trouble.phase() + ": ") + trouble.reason();
    }

    private ZipException failure(ErrorCode code, String reason) {
        ZipException.Builder facts = ZipException.of(code, reason);
        if (settings.rank() >= 0) {
            facts.at(settings.rank(), settings.size(), ZipException.NONE);
        }
        return facts.operation("join of session " + settings.session())
                .elapsedMs((System.nanoTime() - startedNs) / 1_000_000)
                .build();
    }

    private void end(MembershipClient found) {
        over = true;
        for (Stay stay : stays) {
            stay.thread.interrupt();
        }
        for (Stay stay : stays) {
            stay.end(found);
        }
    }

    /** What this rank has at one relay. */
    private final class Stay implements Runnable {
        private final RelayAddress relay;
        private final Thread thread;

        /** Null while there is no connection. */
        private volatile MembershipClient client;

        /** What went wrong last. */
        private volatile ZipException trouble;

        /** It has been there before: the place that is taken may be its own, of which the relay has not yet seen the end. */
        private volatile boolean cameBack;

        private volatile boolean out;
        private boolean wasThere;
        private boolean ended;

        Stay(RelayAddress relay) {
            this.relay = relay;
            thread = new Thread(this, "zip-join-" + relay.hostAndPort());
            thread.setDaemon(true);
        }

        /** The connection by which the rank has a place there; null if it has none. */
        MembershipClient admitted() {
            MembershipClient there = client;
            boolean admitted = there != null
                    && there.admission().isDone()
                    && !there.admission().isCompletedExceptionally()
                    && !there.completion().isCompletedExceptionally();
            return admitted ? there : null;
        }

        /** Whether the relay says that the group is there, or is about to be. */
        boolean isSettled() {
            MembershipClient there = admitted();
            return there != null && there.isSettled();
        }

        /** The connection is of no more use; the thread asks anew, if it has not yet done so. */
        void leave(MembershipClient left, ZipException reason) {
            forget(left, reason);
            left.abandon();
        }

        private synchronized void forget(MembershipClient left, ZipException reason) {
            if (client == left) {
                client = null;
                trouble = reason == null ? trouble : reason;
            }
        }

        /** False if nobody waits for it any more. */
        private synchronized boolean take(MembershipClient asked) {
            if (ended) {
                return false;
            }
            trouble = null;
            client = asked;
            cameBack = wasThere;
            wasThere = true;
            return true;
        }

        @Override
        public void run() {
            try {
                while (!over && !out && System.nanoTime() - startedNs < timeoutNs) {
                    if (settled == null || settled == this) {
                        stay();
                    }
                    if (!over) {
                        tell();
                        Thread.sleep(RETRY_MS);
                    }
                }
            } catch (InterruptedException e) {
                // Asked to end.
                Thread.currentThread().interrupt();
            }
        }

        /** Asks, and stays until the connection ends. */
        private void stay() throws InterruptedException {
            MembershipClient asked;
            try {
                asked = MembershipClient.askOneOfSeveral(
                        settings,
                        relay,
                        provider,
                        candidates,
                        transport.rendezvousPort(),
                        hostId,
                        relayed,
                        clock,
                        System.nanoTime() + timeoutNs / ATTEMPT_SHARE);
            } catch (ZipException e) {
                trouble = e;
                return;
            } catch (RuntimeException e) {
                if (trouble == null || trouble.code() != ErrorCode.INTERNAL) {
                    LOG.error("asking the relay at {} failed, and is tried again", relay, e);
                }
                trouble = new ZipException(ErrorCode.INTERNAL, "asking the relay failed: " + e, e);
                return;
            }
            if (!take(asked)) {
                asked.close();
                return;
            }
            try {
                asked.admission().get();
                cameBack = true;
                tell();
                asked.completion().get();
                // Complete: nothing more to wait for.
                over = true;
                tell();
            } catch (ExecutionException e) {
                ZipException reason = (ZipException) e.getCause();
                forget(asked, reason);
                if (OF_RELAY.contains(reason.code())) {
                    trouble = reason;
                    out = true;
                }
                asked.abandon();
            }
        }

        /** Ends the connection, unless it is the one that was found. */
        void end(MembershipClient found) {
            MembershipClient left;
            synchronized (this) {
                ended = true;
                left = client;
            }
            if (left != null && left != found) {
                left.close();
            }
            try {
                thread.join(END_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
