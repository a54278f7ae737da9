package io.zipcomm.transport.tcp;

import com.google.protobuf.InvalidProtocolBufferException;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Refused;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the data connection to the relay again after it was lost: connects on a thread of its own, since names, proxies and TLS
 * take their time, and attaches in the engine's turns. Tries again, with pauses, until the relay timeout is over, and
 * for a while more if this process stood still, and it ran out meanwhile or just after. Engine holder only.
 */
final class RelayReturn {

    private static final Logger LOG = LoggerFactory.getLogger(RelayReturn.class);

    private static final long PAUSE_NS_MIN = 20_000_000;
    private static final long PAUSE_NS_MAX = 500_000_000;

    /** Longest time for one attempt, from connecting to the relay's answer. */
    private static final long ATTEMPT_NS = 3_000_000_000L;

    /** Longest time for the first answer of a relay that waits for this rank, so that there is time for other attempts. */
    private static final long ANSWER_NS = 300_000_000;

    /** Between two looks: this process stood still, and what has come meanwhile has not been read. */
    private static final long STOOD_STILL_NS = 200_000_000;

    /** Time to read that. */
    private static final long READ_NS = 50_000_000;

    /** A connection that lived for less is opened again after a pause: what ends it may end the next one, too. */
    private static final long LIVED_NS_MIN = 3_000_000_000L;

    /** Longest time that a relay may take to find the other members. */
    private static final long RESTORING_NS_MAX = 600_000_000_000L;

    /** A connection that the engine's turns can take over, or why there is none. */
    private record Outcome(RelayConnection connection, StreamSocket socket, Poller poller, String problem) {

        void drop() {
            if (socket != null) {
                socket.close();
                poller.close();
            }
        }
    }

    /** Takes the place of an outcome that nobody wants any more. */
    private static final Outcome UNWANTED = new Outcome(null, null, null, "");

    private final ZipSettings settings;
    private final Poller poller;
    private final Streams streams;
    private final RelayAddress relay;
    private final Attach attach;

    /** What ended; null while nothing has to be opened again. */
    private RelayConnection before;

    private long deadlineNs;
    private long startedNs;
    private long nextNs;
    private long pauseNs = PAUSE_NS_MIN;
    private int tries;

    /** The relay has seen the end, too: it is at work, and gives this rank up if it is not back in time. */
    private boolean awaited;

    /** How long it may take then to answer; twice as long each time that it does not, since it may be busy. */
    private long answerNs;

    /** Attempts that this rank has given up, of which the relay may yet say that they have ended. */
    private boolean gaveUp;

    private long lookedNs;
    private boolean returned;
    private long returnedNs;
    private boolean heldBack;
    private boolean extended;
    private volatile boolean hasLogged; // by a thread that connects
    private String problem;

    /** Of the thread that connects; null if there is none. */
    private AtomicReference<Outcome> outcome;

    private Thread thread;

    /** Connected, and waiting for the relay's answer. */
    private RelayConnection attaching;

    private long attachDeadlineNs;

    /**
     * @param relay  where to go back to
     * @param attach what was said when it was attached first
     */
    RelayReturn(ZipSettings settings, Poller poller, Streams streams, RelayAddress relay, Attach attach) {
        this.settings = settings;
        this.poller = poller;
        this.streams = streams;
        this.relay = relay;
        this.attach = attach;
    }

    /** The connection has ended. */
    void begin(RelayConnection ended, String reason, long nowNs) {
        before = ended;
        startedNs = nowNs;
        heldBack = false;
        extended = false;
        deadlineNs = nowNs + settings.relayTimeout().toNanos();
        tries = 0;
        awaited = false;
        answerNs = ANSWER_NS;
        gaveUp = false;
        lookedNs = nowNs;
        if (returned && nowNs - returnedNs < LIVED_NS_MIN) {
            failed(reason, nowNs);
        } else {
            problem = reason;
            nextNs = nowNs;
            pauseNs = PAUSE_NS_MIN;
        }
    }

    /** The relay is there, but lets nobody attach until {@link #release}, or so much time is over at most: until then nothing is tried. */
    void holdBack(long nowNs, long timeoutNs) {
        if (before == null) {
            return;
        }
        long untilNs = nowNs
                + Math.min(RESTORING_NS_MAX, timeoutNs)
                + settings.relayTimeout().toNanos();
        if (untilNs - deadlineNs > 0) {
            deadlineNs = untilNs;
        }
        heldBack = true;
    }

    /** The relay lets this rank attach: what was held back is tried at once. */
    void release(long nowNs) {
        if (heldBack) {
            heldBack = false;
            nextNs = nowNs;
            pauseNs = PAUSE_NS_MIN;
        }
    }

    boolean isUnderWay() {
        return before != null;
    }

    /**
     * The relay says that a data connection of this rank has ended, of which this end may see nothing. If it is none that this rank
     * knows, it is the one on which an answer is awaited, unless this rank has given up others before. If it is not that one, what was said on
     * it may be lost, and the relay cannot say so.
     *
     * @param number as the relay counts
     */
    void detached(int number, String reason, long nowNs) {
        awaited = true;
        if (attaching == null) {
            return;
        }
        if (number != before.number() && !gaveUp) {
            attaching.closeStream();
            attaching = null;
            failed("the relay says: " + reason, nowNs);
        } else if (attachDeadlineNs - nowNs > answerNs) {
            attachDeadlineNs = nowNs + answerNs;
        }
    }

    /** Whether there is something to do before the next of the regular looks. */
    boolean isDue(long nowNs) {
        if (before == null) {
            return false;
        }
        boolean connected = outcome != null && outcome.get() != null;
        boolean answered = attaching != null && attaching.hasAnswer();
        return connected || answered || mayTry(nowNs);
    }

    private boolean mayTry(long nowNs) {
        return outcome == null && attaching == null && !heldBack && nowNs - nextNs >= 0;
    }

    /**
     * Goes on.
     *
     * @return the new connection once it is attached; null before
     * @throws ZipException if there will be none: with the reason, how long it took and how often it was tried
     */
    RelayConnection look(long nowNs) {
        if (before == null) {
            return null;
        }
        if (outcome != null && outcome.get() != null) {
            connected(outcome.get(), nowNs);
        }
        if (nowNs - lookedNs > STOOD_STILL_NS) {
            stoodStill(nowNs, nowNs - lookedNs);
        }
        lookedNs = nowNs;
        RelayConnection attached = attaching == null ? null : answer(nowNs);
        if (attached != null) {
            before = null;
            returned = true;
            returnedNs = nowNs;
            return attached;
        }
        if (nowNs - deadlineNs >= 0) {
            close();
            throw over(nowNs, problem);
        }
        if (mayTry(nowNs)) {
            connect(nowNs);
        }
        return null;
    }

    /** The relay may be there again, and know what became of the group; a process that is only slow is given time once. */
    private void stoodStill(long nowNs, long ns) {
        if (nowNs - attachDeadlineNs >= 0) {
            attachDeadlineNs = nowNs + READ_NS;
        }
        if (deadlineNs - nowNs < ATTEMPT_NS && (!extended || ns > ATTEMPT_NS)) {
            deadlineNs = nowNs + ATTEMPT_NS;
            extended = true;
        }
    }

    private ZipException over(long nowNs, String reason) {
        return new ZipException(
                ErrorCode.RELAY_LOST,
                reason + "; not opened again in " + (nowNs - startedNs) / 1_000_000 + " ms, " + tries + " tries");
    }

    private void connect(long nowNs) {
        tries++;
        AtomicReference<Outcome> result = new AtomicReference<>();
        RelayConnection next = before.successor(streams);
        long attemptNs = Math.min(ATTEMPT_NS, deadlineNs - nowNs);
        thread = poller.thread(() -> connect(result, next, poller.nanoTime() + attemptNs), "zip-relay-return");
        outcome = result;
        thread.start();
    }

    /** On the thread that connects. */
    private void connect(AtomicReference<Outcome> result, RelayConnection next, long untilNs) {
        Outcome mine;
        Poller own = null;
        try {
            own = poller.another(settings.io());
            StreamSocket socket = RelaySockets.connect(own, settings.access(), relay, 0, next, untilNs, false);
            mine = new Outcome(next, socket, own, null);
        } catch (ZipException e) {
            if (own != null) {
                own.close();
            }
            mine = new Outcome(null, null, null, e.reason());
        } catch (RuntimeException | Error e) {
            if (own != null) {
                own.close();
            }
            if (!hasLogged) {
                hasLogged = true;
                LOG.error("the data connection to {} could not be opened again", relay, e);
            }
            mine = new Outcome(null, null, null, "failed: " + e);
        }
        if (result.compareAndSet(null, mine)) {
            poller.wakeup();
        } else {
            mine.drop();
        }
    }

    private void connected(Outcome made, long nowNs) {
        outcome = null;
        thread = null;
        if (made.connection == null) {
            failed(made.problem, nowNs);
            return;
        }
        try {
            made.socket.moveTo(poller);
        } catch (IOException e) {
            made.drop();
            failed(Poller.describe(e), nowNs);
            return;
        }
        made.poller.close();
        attaching = made.connection;
        attachDeadlineNs = nowNs + (awaited ? answerNs : ATTEMPT_NS);
        attaching.open(made.socket);
        Attach again = attach.toBuilder().setAgain(true).build();
        attaching.ask(ToRelay.newBuilder().setAttach(again).build().toByteArray());
    }

    private RelayConnection answer(long nowNs) {
        RelayConnection mine = attaching;
        ByteBuffer said;
        try {
            said = mine.answer();
        } catch (ZipException e) {
            attaching = null;
            failed(e.reason(), nowNs);
            return null;
        }
        if (said == null) {
            if (nowNs - attachDeadlineNs >= 0) {
                attaching = null;
                gaveUp = true;
                // Else what was said may come later than what is said on the next one, and take its place.
                mine.breakStream();
                answerNs = Math.min(2 * answerNs, ATTEMPT_NS);
                failed("the relay at " + relay + " did not answer", nowNs);
            }
            return null;
        }
        attaching = null;
        ToRank message;
        try {
            message = ToRank.parseFrom(said);
        } catch (InvalidProtocolBufferException e) {
            mine.closeStream();
            failed("the answer of the relay at " + relay + " cannot be read", nowNs);
            return null;
        }
        if (!message.hasAttached()) {
            mine.closeStream();
            refused(message.getRefused(), nowNs);
            return null;
        }
        if (mine.lost() != null) {
            // Nobody would hear of that any more.
            failed(mine.lost(), nowNs);
            return null;
        }
        mine.attached(message.getAttached());
        return mine;
    }

    /** What is so now may not be so for long, unless it says that this rank's place is given away. */
    private void refused(Refused refusal, long nowNs) {
        ErrorCode code = ErrorCode.of(refusal.getCode());
        if (code == ErrorCode.EXPELLED || code == ErrorCode.VERSION_MISMATCH) {
            close();
            throw over(nowNs, code + ": " + refusal.getReason());
        }
        failed(refusal.getReason(), nowNs);
    }

    private void failed(String reason, long nowNs) {
        problem = reason;
        nextNs = nowNs + pauseNs;
        pauseNs = Math.min(2 * pauseNs, PAUSE_NS_MAX);
    }

    /** Gives up. May be called again. */
    void close() {
        before = null;
        if (attaching != null) {
            attaching.closeStream();
            attaching = null;
        }
        if (outcome != null) {
            Outcome made = outcome.getAndSet(UNWANTED);
            if (made != null) {
                made.drop();
            } else {
                thread.interrupt();
            }
            outcome = null;
            thread = null;
        }
    }
}
