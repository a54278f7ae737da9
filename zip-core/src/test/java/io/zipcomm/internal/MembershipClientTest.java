package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A rank's control connections, one after another, to a relay that the test plays, on a clock that only pauses and the test move. */
@Timeout(60)
final class MembershipClientTest {

    private static final int TIMEOUT_MS = 5000;

    private final BlockingQueue<Channel> opened = new LinkedBlockingQueue<>();
    private final BlockingQueue<Thread> threads = new LinkedBlockingQueue<>();
    private final AtomicInteger joins = new AtomicInteger();
    private final AtomicLong nowNs = new AtomicLong(TimeUnit.HOURS.toNanos(1));

    /** Admits, and completes the group the first time. */
    private final class Channel implements PlayedChannel {
        private final Listener rank;

        /** What the rank said that others wait for. */
        private final BlockingQueue<ToRelay> said = new LinkedBlockingQueue<>();

        private final CountDownLatch closed = new CountDownLatch(1);

        Channel(Listener rank) {
            this.rank = rank;
        }

        private void say(ToRank.Builder message) {
            PlayedChannel.say(rank, message);
        }

        @Override
        public void send(byte[] message) {
            ToRelay read = PlayedChannel.read(message);
            if (Unconfirmed.isKept(read)) {
                said.add(read);
            }
            if (!read.hasJoin()) {
                return;
            }
            PlayedChannel.admit(rank, 1000, TIMEOUT_MS);
            if (joins.getAndIncrement() == 0) {
                say(ToRank.newBuilder().setGroupReady(READY));
            }
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }

    private TransportProvider provider() {
        return (TransportProvider) Proxy.newProxyInstance(
                TransportProvider.class.getClassLoader(),
                new Class<?>[] {TransportProvider.class},
                (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "openControl" -> {
                            Channel channel = new Channel((ControlChannel.Listener) arguments[3]);
                            opened.add(channel);
                            return channel;
                        }
                        case "thread" -> {
                            Thread thread = new Thread((Runnable) arguments[0], (String) arguments[1]);
                            thread.setDaemon(true);
                            threads.add(thread);
                            return thread;
                        }
                        case "pause" -> {
                            nowNs.addAndGet((Long) arguments[0]);
                            return null;
                        }
                        default -> {
                            return List.of();
                        }
                    }
                });
    }

    private Channel nextOpened() throws InterruptedException {
        Channel channel = opened.poll(30, TimeUnit.SECONDS);
        assertNotNull(channel, "no connection is opened");
        return channel;
    }

    private MembershipClient join() {
        ZipSettings settings =
                ZipSettings.builder().relay("127.0.0.1:2").session("s").size(1).build();
        return MembershipClient.join(settings, provider(), List.of(), 0, "h", true, nowNs::get);
    }

    private static ToRank.Builder heartbeat(long number) {
        return ToRank.newBuilder().setHeartbeat(Heartbeat.newBuilder().setNumber(number));
    }

    /** Resets a connection; answers the next one when the rank is back there. */
    private Channel reset(Channel channel) throws InterruptedException {
        channel.rank.ended("reset");
        Channel next = nextOpened();
        Thread thread = threads.remove();
        thread.join(30_000);
        assertFalse(thread.isAlive());
        return next;
    }

    @Test
    void shouldSayAgainWhatCameAfterAHeartbeatOfBeforeTheGroupWasComplete() throws InterruptedException {
        MembershipClient client = join();
        Channel first = nextOpened();
        first.rank.tick();
        client.awaitGroup();
        client.agree(0, new int[0], 1, true, 1000);
        first.say(heartbeat(1));
        Channel second = reset(first);
        second.rank.tick();
        second.say(heartbeat(2));
        Channel third = reset(second);
        client.close();
        List<ToRelay> agreed = List.copyOf(first.said);
        assertEquals(1, agreed.size());
        assertEquals(agreed, List.copyOf(second.said));
        assertEquals(List.of(), List.copyOf(third.said), "it was heard before the second heartbeat");
    }

    /** It speaks again when another has taken its place. */
    @Test
    void shouldNotGiveTheNewConnectionUpForOneThatWasSilent() throws InterruptedException {
        MembershipClient client = join();
        client.awaitGroup();
        Channel silent = nextOpened();
        for (int ms = 0; ms <= TIMEOUT_MS; ms += 1000) {
            nowNs.addAndGet(TimeUnit.SECONDS.toNanos(1));
            silent.rank.tick();
        }
        Channel next = nextOpened();
        assertEquals(0, silent.closed.getCount());
        Thread thread = threads.remove();
        thread.join(30_000);
        assertFalse(thread.isAlive());
        assertNull(client.away());
        silent.say(heartbeat(1));
        silent.rank.tick();
        silent.rank.ended("closed");
        assertNull(client.away(), "the new one is there");
        assertNull(threads.poll());
        Channel last = reset(next);
        assertNull(client.away());
        client.close();
        assertEquals(0, last.closed.getCount());
        assertTrue(opened.isEmpty(), "another was opened");
    }
}
