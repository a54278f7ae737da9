package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Transport;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an engine makes of a data connection to the relay that is gone for good, by a clock that is set by hand. */
@Timeout(60)
final class RelayLossTest {

    private final AtomicInteger asks = new AtomicInteger();
    private long nowNs = TimeUnit.HOURS.toNanos(1);
    private Engine engine;
    private ZipFuture<Long> received;

    @BeforeEach
    void lose() {
        ZipSettings settings = ZipSettings.builder()
                .session("s")
                .size(2)
                .rank(0)
                .relay("127.0.0.1:1")
                .transport(ZipSettings.TransportChoice.RELAY)
                .operationTimeout(Duration.ofHours(1))
                .build();
        Transport transport = (Transport) Proxy.newProxyInstance(
                Transport.class.getClassLoader(), new Class<?>[] {Transport.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("relayed")) {
                        return new FakeTransports.NamedPath((Integer) arguments[0], "relay");
                    }
                    Class<?> type = method.getReturnType();
                    return type == boolean.class ? (Object) false : type == int.class ? (Object) 0 : null;
                });
        ControlPlane control = (ControlPlane) Proxy.newProxyInstance(
                ControlPlane.class.getClassLoader(), new Class<?>[] {ControlPlane.class}, (proxy, method, values) -> {
                    if (method.getName().equals("ask")) {
                        asks.incrementAndGet();
                    }
                    return null;
                });
        engine = new Engine(FakeTransports.view(2), transport, control, settings, () -> nowNs, false);
        GroupCommunicator world = engine.start();
        received = world.receiveAsync(1, 1, Payload.of(new byte[1]));
        engine.enter();
        engine.relayLost("reset");
        engine.leave();
        assertEquals(1, asks.get());
    }

    private void turnAfter(long ms) {
        nowNs += TimeUnit.MILLISECONDS.toNanos(ms);
        engine.tryTurn();
    }

    private void assertLost() {
        assertTrue(received.isDone());
        ZipException failure = assertThrows(ZipException.class, received::await);
        assertEquals(ErrorCode.RELAY_LOST, failure.code(), failure.getMessage());
    }

    @Test
    void shouldBeLostWhenTheRelayDoesNotAnswer() {
        turnAfter(990);
        assertFalse(received.isDone());
        turnAfter(10);
        assertLost();
        assertEquals(1, asks.get());
    }

    /** Its answer may be there, and not be read: that the place of this rank is given away. */
    @Test
    void shouldAskAgainAfterTheProcessStoodStill() {
        turnAfter(TimeUnit.MINUTES.toMillis(1));
        assertFalse(received.isDone());
        assertEquals(2, asks.get());
        turnAfter(990);
        assertFalse(received.isDone());
        turnAfter(10);
        assertLost();
        assertEquals(2, asks.get());
    }
}
