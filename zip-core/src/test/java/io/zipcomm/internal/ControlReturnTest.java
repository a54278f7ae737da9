package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.Pong;
import io.zipcomm.wire.proto.Recall;
import io.zipcomm.wire.proto.Refused;
import io.zipcomm.wire.proto.Suspect;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a rank comes back to a relay that the test plays, on a clock that only pauses move. */
@Timeout(60)
final class ControlReturnTest implements ControlReturn.Opener, ControlReturn.Outcome {

    private static final int RANK = 1;
    private static final long TIMEOUT_NS = TimeUnit.SECONDS.toNanos(30);
    private static final ToRank ADMITTED =
            ToRank.newBuilder().setAdmitted(Admitted.getDefaultInstance()).build();
    private static final ToRank REFUSED =
            ToRank.newBuilder().setRefused(Refused.newBuilder().setReason("no")).build();

    private final AtomicLong nowNs = new AtomicLong();

    /** With the pause in which this instant is the process stands still. */
    private volatile long standsStillNs = Long.MAX_VALUE;

    private volatile long stillNs = TimeUnit.MINUTES.toNanos(1);

    /** What the relay has said by then is read first. */
    private volatile Runnable onThaw = () -> {};

    /** How much longer each pause is than it was to be. */
    private volatile long lateNs;

    private final List<Thread> threads = new ArrayList<>();

    /** What the relay does with each message of each connection, in the order of the connections. */
    private final BlockingQueue<Consumer<Channel>> relays = new LinkedBlockingQueue<>();

    private final BlockingQueue<Channel> returned = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> endings = new LinkedBlockingQueue<>();
    private final BlockingQueue<Long> openedNs = new LinkedBlockingQueue<>();

    private final ControlReturn back = new ControlReturn(
            this,
            Join.newBuilder().setContinues(Continues.newBuilder().setRank(RANK)).build(),
            TIMEOUT_NS,
            this);

    /** What was said on it; each message is answered by who plays the relay. */
    private static final class Channel implements PlayedChannel {
        private final Consumer<Channel> relay;
        private final List<ToRelay> said = new ArrayList<>();
        private final CountDownLatch closed = new CountDownLatch(1);

        Channel(Consumer<Channel> relay) {
            this.relay = relay;
        }

        @Override
        public void send(byte[] message) {
            said.add(PlayedChannel.read(message));
            relay.accept(this);
        }

        /** What was said after Join. */
        List<ToRelay> saidLater() {
            assertTrue(said.get(0).hasJoin(), said::toString);
            return said.subList(1, said.size());
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }

    @Override
    public ControlChannel open(long timeoutNs) {
        openedNs.add(nowNs.get());
        try {
            Consumer<Channel> relay = relays.poll(30, TimeUnit.SECONDS);
            assertNotNull(relay, "a connection that nobody has asked for");
            return new Channel(relay);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public Thread thread(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        synchronized (threads) {
            threads.add(thread);
        }
        return thread;
    }

    @Override
    public void pause(long ns) {
        if (nowNs.addAndGet(ns + lateNs) >= standsStillNs) {
            standsStillNs = Long.MAX_VALUE;
            nowNs.addAndGet(stillNs);
            onThaw.run();
        }
    }

    @Override
    public long nowNs() {
        return nowNs.get();
    }

    @Override
    public void returned(ControlChannel channel) {
        returned.add((Channel) channel);
    }

    @Override
    public void refused(ToRank message) {
        endings.add(message.getRefused().getReason());
    }

    @Override
    public void gaveUp(String reason) {
        endings.add(reason);
    }

    @AfterEach
    void close() throws InterruptedException {
        back.close();
        awaitThreads();
        assertNull(endings.poll());
    }

    private void awaitThreads() throws InterruptedException {
        // One may start another, and ends then.
        for (int i = 0; i < threadCount(); i++) {
            Thread thread;
            synchronized (threads) {
                thread = threads.get(i);
            }
            thread.join(30_000);
            assertFalse(thread.isAlive(), "it tries still");
        }
    }

    private int threadCount() {
        synchronized (threads) {
            return threads.size();
        }
    }

    private Channel nextReturned() throws InterruptedException {
        Channel channel = returned.poll(30, TimeUnit.SECONDS);
        assertNotNull(channel, "the rank is not back");
        return channel;
    }

    private static ToRelay abort(int context) {
        return ToRelay.newBuilder()
                .setAbort(Abort.newBuilder().setContext(context))
                .build();
    }

    private static boolean isJoin(Channel channel) {
        return channel.said.size() == 1;
    }

    private void admit(Channel channel) {
        if (isJoin(channel)) {
            assertTrue(back.heard(ADMITTED));
        }
    }

    /** Begins, and keeps two messages before anybody is admitted. */
    private void beginWithTwo() {
        back.begin("by the test");
        assertTrue(back.keep(abort(1)));
        assertTrue(back.keep(abort(2)));
    }

    @Test
    void shouldSayOnTheNextConnectionWhatOneThatBrokeAtOnceHasNotTaken() throws InterruptedException {
        beginWithTwo();
        relays.add(channel -> {
            admit(channel);
            if (channel.said.size() == 2) {
                assertFalse(back.ended("reset"));
                back.begin("reset");
            }
        });
        relays.add(this::admit);
        Channel first = nextReturned();
        Channel second = nextReturned();
        awaitThreads();
        assertEquals(List.of(abort(1)), first.saidLater());
        assertEquals(List.of(abort(1), abort(2)), second.saidLater());
        assertFalse(back.isUnderWay());
    }

    @Test
    void shouldSayAgainWhatARecallHasNoRoomFor() throws InterruptedException {
        Recall recall = Recall.newBuilder()
                .addAborted(Abort.newBuilder().setContext(2).setRank(RANK))
                .build();
        beginWithTwo();
        relays.add(channel -> {
            if (isJoin(channel)) {
                back.restores(recall, 1);
            } else if (channel.said.size() == 2) {
                assertTrue(back.heard(ADMITTED));
            }
        });
        Channel channel = nextReturned();
        awaitThreads();
        ToRelay recalled = ToRelay.newBuilder().setRecall(recall).build();
        assertEquals(List.of(recalled, abort(1)), channel.saidLater());
    }

    @Test
    void shouldTryAgainAfterAFailureThatNobodyExpects() throws InterruptedException {
        back.begin("by the test");
        BlockingQueue<Channel> failed = new LinkedBlockingQueue<>();
        relays.add(channel -> {
            failed.add(channel);
            throw new IllegalStateException("a defect");
        });
        relays.add(channel -> {
            failed.add(channel);
            throw new StackOverflowError();
        });
        relays.add(this::admit);
        nextReturned();
        awaitThreads();
        assertEquals(2, failed.size());
        failed.forEach(channel -> assertEquals(0, channel.closed.getCount(), "it is open still"));
        assertFalse(back.isUnderWay());
    }

    @Test
    void shouldLeaveWhatComesAfterTheAnswerToTheRank() throws InterruptedException {
        beginWithTwo();
        List<Boolean> swallowed = new ArrayList<>();
        ToRelay pong = ToRelay.newBuilder().setPong(Pong.getDefaultInstance()).build();
        relays.add(channel -> {
            if (isJoin(channel)) {
                admit(channel);
                swallowed.add(back.heard(REFUSED));
                // It is answered on the connection on which it was asked.
                assertTrue(back.pinged(pong));
            }
        });
        Channel channel = nextReturned();
        awaitThreads();
        assertEquals(List.of(false), swallowed);
        assertEquals(List.of(pong, abort(1), abort(2)), channel.saidLater());
    }

    /** Its attempt was given up, and the connection is not closed yet. */
    @Test
    void shouldNotTakeARefusalThatComesTooLateForItsEnd() throws InterruptedException {
        List<Boolean> swallowed = new ArrayList<>();
        back.begin("by the test");
        relays.add(channel -> {});
        relays.add(channel -> {
            if (isJoin(channel)) {
                assertTrue(back.ended("reset"));
            }
        });
        relays.add(this::admit);
        Channel channel = nextReturned();
        awaitThreads();
        swallowed.add(back.heard(REFUSED));
        back.begin("reset again");
        relays.add(next -> {
            assertTrue(back.heard(REFUSED));
            swallowed.add(back.heard(REFUSED));
        });
        relays.add(this::admit);
        nextReturned();
        awaitThreads();
        assertEquals(List.of(false, true), swallowed);
        assertEquals(List.of(), channel.saidLater());
    }

    @Test
    void shouldKeepTheLatestOfWhatOthersWaitFor() throws InterruptedException {
        int kept = 1024;
        ToRelay suspect =
                ToRelay.newBuilder().setSuspect(Suspect.getDefaultInstance()).build();
        back.begin("by the test");
        assertTrue(back.keep(suspect));
        for (int context = 0; context <= kept; context++) {
            assertTrue(back.keep(abort(context)));
        }
        relays.add(this::admit);
        Channel channel = nextReturned();
        awaitThreads();
        List<ToRelay> said = channel.saidLater();
        assertEquals(kept, said.size());
        assertEquals(abort(1), said.get(0));
        assertEquals(abort(kept), said.get(kept - 1));
    }

    private static final ToRank EXPELLED = ToRank.newBuilder()
            .setRefused(
                    Refused.newBuilder().setCode(ErrorCode.EXPELLED.number()).setReason("expelled"))
            .build();

    private void reset(Channel channel) {
        assertTrue(back.ended("reset"));
    }

    /** In the attempt after those of which the test has said what the relay does. */
    private void assertHearsThatItIsExpelled() throws InterruptedException {
        relays.add(channel -> assertTrue(back.heard(EXPELLED)));
        back.begin("by the test");
        assertEquals("expelled", endings.poll(30, TimeUnit.SECONDS));
    }

    /** Its place was given away meanwhile: it has to hear that, and not that there was no relay a minute ago. */
    @Test
    void shouldTryOnceMoreAfterItStoodStillInAPause() throws InterruptedException {
        standsStillNs = 1;
        relays.add(this::reset);
        assertHearsThatItIsExpelled();
    }

    @Test
    void shouldTryOnceMoreAfterItStoodStillInAnAttempt() throws InterruptedException {
        standsStillNs = 1;
        relays.add(channel -> {});
        assertHearsThatItIsExpelled();
    }

    @Test
    void shouldTryOnceMoreAfterItStoodStillWhileTheRelayFindsTheOthers() throws InterruptedException {
        relays.add(channel -> {
            if (isJoin(channel)) {
                back.restores(Recall.getDefaultInstance(), 2 * TIMEOUT_NS);
                standsStillNs = nowNs.get() + 1;
            }
        });
        assertHearsThatItIsExpelled();
    }

    /** The relay is late, too. */
    @Test
    void shouldTryForAWhileAfterItStoodStill() throws InterruptedException {
        standsStillNs = 1;
        relays.add(this::reset);
        relays.add(this::reset);
        relays.add(this::reset);
        assertHearsThatItIsExpelled();
    }

    @Test
    void shouldTryAfterItStoodStillBeforeTheFirstAttempt() throws InterruptedException {
        relays.add(this::admit);
        back.begin("by the test");
        nextReturned();
        awaitThreads();
        standsStillNs = 1;
        assertHearsThatItIsExpelled();
    }

    /** Little of its time is left: as good as none. */
    @Test
    void shouldTryForAWhileAfterItStoodStillUntilJustBeforeTheEnd() throws InterruptedException {
        stillNs = TIMEOUT_NS - TimeUnit.MILLISECONDS.toNanos(30);
        standsStillNs = 1;
        relays.add(this::reset);
        relays.add(this::reset);
        assertHearsThatItIsExpelled();
    }

    /** What the relay has said meanwhile is read before the process looks at its clock: that it is too late for this attempt. */
    @Test
    void shouldTryAgainAfterItWasTooLateToSayWhatItKnows() throws InterruptedException {
        ToRank late = ToRank.newBuilder()
                .setRefused(Refused.newBuilder()
                        .setCode(ErrorCode.RELAY_LOST.number())
                        .setReason("did not say in time what it knows"))
                .build();
        relays.add(channel -> {
            if (isJoin(channel)) {
                standsStillNs = 1;
                onThaw = () -> {
                    back.restores(Recall.getDefaultInstance(), TimeUnit.SECONDS.toNanos(5));
                    assertTrue(back.heard(late));
                };
            }
        });
        assertHearsThatItIsExpelled();
    }

    @Test
    void shouldGiveUpAWhileAfterItStoodStill() throws InterruptedException {
        standsStillNs = 1;
        relays.add(this::reset);
        assertGivesUp(1, "63060 ms, 2 tries: the relay did not answer");
    }

    /** Each of its waits ends so late that it might have stood still. */
    @Test
    void shouldGiveUpThoughItIsAlwaysLate() throws InterruptedException {
        lateNs = TimeUnit.MILLISECONDS.toNanos(500);
        assertGivesUp(8, "33120 ms, 8 tries: the relay did not answer");
    }

    @Test
    void shouldGiveUpInTime() throws InterruptedException {
        assertGivesUp(10, "30500 ms, 10 tries: the relay did not answer");
    }

    private void assertGivesUp(int silentRelays, String after) throws InterruptedException {
        for (int silent = 0; silent < silentRelays; silent++) {
            relays.add(channel -> {});
        }
        back.begin("by the test");
        assertEquals("by the test; not opened again in " + after, endings.poll(30, TimeUnit.SECONDS));
    }

    @Test
    void shouldPauseLongerEachTimeAConnectionDoesNotLive() throws InterruptedException {
        int times = 8;
        for (int time = 0; time < times; time++) {
            relays.add(this::admit);
            back.begin("reset");
            nextReturned();
            awaitThreads();
        }
        nowNs.addAndGet(TimeUnit.SECONDS.toNanos(3));
        long livedNs = nowNs.get();
        relays.add(this::admit);
        back.begin("reset");
        nextReturned();
        awaitThreads();
        List<Long> pausesMs = new ArrayList<>();
        long lastNs = 0;
        for (int time = 0; time < times; time++) {
            long atNs = openedNs.remove();
            pausesMs.add((atNs - lastNs) / 1_000_000);
            lastNs = atNs;
        }
        assertEquals(List.of(0L, 20L, 40L, 80L, 160L, 320L, 500L, 500L), pausesMs);
        assertEquals(livedNs, openedNs.remove(), "it had lived for long");
    }
}
