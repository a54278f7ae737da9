package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Transport;
import io.zipcomm.wire.SessionKey;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Engines whose transport does not start: joining is tried again, and each attempt must leave nothing behind. */
class EngineStartTest {

    private static final int RANK = 43;
    private static final String THREAD = "zip-progress-" + RANK;

    private static boolean isDriven() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(one -> one.getName().equals(THREAD));
    }

    private static Engine engine(boolean starts) {
        List<Member> members = IntStream.rangeClosed(0, RANK)
                .mapToObj(rank -> new Member(rank, "host " + rank, List.of(), List.of("tcp")))
                .toList();
        GroupView view =
                new GroupView("s", 7, RANK, members, new SessionKey(new byte[SessionKey.BYTES]), 1 << 20, 1 << 16);
        ZipSettings settings = ZipSettings.builder()
                .session("s")
                .size(RANK + 1)
                .rank(RANK)
                .transport(ZipSettings.TransportChoice.TCP)
                .build();
        Transport transport = (Transport) Proxy.newProxyInstance(
                Transport.class.getClassLoader(), new Class<?>[] {Transport.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("start") && !starts) {
                        throw new IllegalStateException("no such luck");
                    }
                    Class<?> type = method.getReturnType();
                    if (type == boolean.class) {
                        return method.getName().equals("isDrivenInBackground");
                    }
                    return type == int.class ? 0 : null;
                });
        ControlPlane control = (ControlPlane) Proxy.newProxyInstance(
                ControlPlane.class.getClassLoader(),
                new Class<?>[] {ControlPlane.class},
                (proxy, method, values) -> null);
        return new Engine(view, transport, control, settings, System::nanoTime, true);
    }

    @Test
    void shouldLeaveNoThreadBehindThatDoesNotStart() {
        Engine engine = engine(false);
        IllegalStateException failure = assertThrows(IllegalStateException.class, engine::start);
        assertEquals("no such luck", failure.getMessage());
        assertFalse(isDriven(), THREAD);
    }

    @Test
    void shouldBeDrivenOnceItHasStarted() {
        Engine engine = engine(true);
        engine.start();
        assertTrue(isDriven(), THREAD);
        engine.close();
        assertFalse(isDriven(), THREAD);
    }
}
