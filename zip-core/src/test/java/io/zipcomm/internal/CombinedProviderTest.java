package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.FakeTransports.Base;
import io.zipcomm.internal.FakeTransports.Direct;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.DirectTransportProvider;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which transports a process opens, and what stays open when one of them cannot be. */
final class CombinedProviderTest {

    private static final String PATH = "aeron-ipc";

    private final List<String> log = new ArrayList<>();
    private final Base base = new Base(log);

    private static ZipSettings settings(TransportChoice choice) {
        return ZipSettings.builder()
                .session("s")
                .size(2)
                .rank(0)
                .transport(choice)
                .build();
    }

    /** Opens {@link #base}. */
    private final class BaseProvider implements TransportProvider {

        @Override
        public List<Capabilities> capabilities() {
            return List.of(new Capabilities("tcp", false, true, true), new Capabilities("relay", true, true, true));
        }

        @Override
        public Optional<String> unavailabilityReason() {
            return Optional.empty();
        }

        @Override
        public String details() {
            return "nothing";
        }

        @Override
        public Transport open(ZipSettings settings) {
            log.add("base open");
            return base;
        }

        @Override
        public ControlChannel openControl(
                ZipSettings settings,
                RelayAddress relay,
                int localPort,
                ControlChannel.Listener listener,
                long deadlineNs,
                boolean patient) {
            throw new UnsupportedOperationException("there is no relay");
        }
    }

    /** Opens a transport, or fails. */
    private class DirectProvider implements DirectTransportProvider {
        private final String name;
        private final RuntimeException failure;
        private final String reason;

        DirectProvider(String name, RuntimeException failure, String reason) {
            this.name = name;
            this.failure = failure;
            this.reason = reason;
        }

        @Override
        public List<Capabilities> capabilities() {
            return List.of(new Capabilities(PATH, false, false, true));
        }

        @Override
        public Optional<String> unavailabilityReason() {
            return Optional.ofNullable(reason);
        }

        @Override
        public String details() {
            return "nothing";
        }

        @Override
        public List<DirectTransport> open(ZipSettings settings, Transport beside) {
            assertSame(base, beside);
            log.add(name + " open");
            if (failure != null) {
                throw failure;
            }
            return List.of(new Direct(name, log));
        }
    }

    private DirectProvider good(String name) {
        return new DirectProvider(name, null, null);
    }

    private DirectProvider bad(String name, RuntimeException failure) {
        return new DirectProvider(name, failure, null);
    }

    private Transport open(TransportChoice choice, DirectTransportProvider... direct) {
        return new CombinedProvider(new BaseProvider(), List.of(direct)).open(settings(choice));
    }

    private static ZipException refusal(ErrorCode code) {
        return new ZipException(code, "no such directory");
    }

    @Test
    void shouldOpenAllThatTheSettingsAllow() {
        assertInstanceOf(CombinedTransport.class, open(TransportChoice.AUTO, good("one"), good("two")));
        assertEquals(List.of("base open", "one open", "two open"), log);
        log.clear();
        assertInstanceOf(CombinedTransport.class, open(TransportChoice.AERON_IPC, good("one")));
        assertEquals(List.of("base open", "one open"), log);
    }

    @Test
    void shouldOpenTheBaseAloneIfTheSettingsAllowNoOther() {
        assertSame(base, open(TransportChoice.TCP, good("one")));
        assertSame(base, open(TransportChoice.RELAY, good("one")));
        assertEquals(List.of("base open", "base open"), log);
    }

    @Test
    void shouldNotOpenWhatIsNotWanted() {
        DirectProvider unwanted = new DirectProvider("one", null, null) {
            @Override
            public boolean isWanted(ZipSettings settings) {
                return false;
            }
        };
        assertInstanceOf(CombinedTransport.class, open(TransportChoice.AUTO, unwanted, good("two")));
        assertEquals(List.of("base open", "two open"), log);
    }

    @Test
    void shouldLeaveOutInAutoWhatCannotBeOpened() {
        DirectProvider broken = bad("one", refusal(ErrorCode.BAD_SETTING));
        assertInstanceOf(CombinedTransport.class, open(TransportChoice.AUTO, broken, good("two")));
        assertEquals(List.of("base open", "one open", "two open"), log);
        log.clear();
        assertSame(base, open(TransportChoice.AUTO, broken));
        assertEquals(List.of("base open", "one open"), log);
    }

    @Test
    void shouldFailAndCloseEverythingIfWhatIsAskedForCannotBeOpened() {
        DirectProvider broken = bad("two", refusal(ErrorCode.BAD_SETTING));
        ZipException thrown =
                assertThrows(ZipException.class, () -> open(TransportChoice.AERON_IPC, good("one"), broken));
        assertEquals(ErrorCode.BAD_SETTING, thrown.code());
        assertEquals(List.of("base open", "one open", "two open", "one close", "base close"), log);
    }

    @Test
    void shouldFailInAutoTooIfTheThreadWasInterrupted() {
        DirectProvider broken = bad("two", refusal(ErrorCode.CANCELLED));
        ZipException thrown = assertThrows(ZipException.class, () -> open(TransportChoice.AUTO, good("one"), broken));
        assertEquals(ErrorCode.CANCELLED, thrown.code());
        assertEquals(List.of("base open", "one open", "two open", "one close", "base close"), log);
    }

    @Test
    void shouldCloseEverythingWhenAProviderIsBroken() {
        DirectProvider broken = bad("two", new IllegalStateException("a defect"));
        assertThrows(IllegalStateException.class, () -> open(TransportChoice.AUTO, good("one"), broken));
        assertEquals(List.of("base open", "one open", "two open", "one close", "base close"), log);
    }

    @Test
    void shouldLeaveOutWhatCannotBeUsedHere() {
        DirectProvider absent = new DirectProvider("one", null, "not on this system");
        CombinedProvider provider = new CombinedProvider(new BaseProvider(), List.of(absent));
        assertEquals(
                List.of("tcp", "relay"),
                provider.capabilities().stream().map(Capabilities::path).toList());
        assertSame(base, provider.open(settings(TransportChoice.AUTO)));
        assertEquals(List.of("base open"), log);
    }

    @Test
    void shouldNameTheBestPathFirst() {
        CombinedProvider provider = new CombinedProvider(new BaseProvider(), List.of(good("one")));
        assertEquals(
                List.of(PATH, "tcp", "relay"),
                provider.capabilities().stream().map(Capabilities::path).toList());
        assertEquals(Optional.empty(), provider.unavailabilityReason());
    }
}
