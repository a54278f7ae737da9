package io.zipcomm.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.RelayAddress;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ZipSettingsTest {

    private static ZipSettings.Builder valid() {
        return ZipSettings.builder().session("s").size(4);
    }

    @Test
    void shouldTakeDefaultsFromTheCatalogue() {
        ZipSettings settings = valid().build();
        assertEquals(new RelayAddress("127.0.0.1", 7077), settings.relay());
        assertEquals(-1, settings.rank());
        assertEquals(ZipSettings.TransportChoice.AUTO, settings.transport());
        assertEquals(Duration.ofSeconds(60), settings.operationTimeout());
        assertEquals(65536, settings.eagerBytes());
    }

    @Test
    void shouldNameTheSettingAndWhatWasExpected() {
        assertBad(ZipSettings.builder().size(4), "ZIP_SESSION is not set", "1 to 200 characters");
        assertBad(ZipSettings.builder().session("s"), "ZIP_SIZE", "number of ranks");
        assertBad(valid().size(0), "ZIP_SIZE is '0'", "1 to 65536");
        assertBad(valid().rank(4), "ZIP_RANK is '4'", "0 to 3");
        assertBad(valid().set(Setting.TRANSPORT, "udp"), "ZIP_TRANSPORT is 'udp'", "auto, tcp, relay");
        assertBad(valid().set(Setting.JOIN_TIMEOUT, "soon"), "ZIP_JOIN_TIMEOUT is 'soon'", "number of ms");
        assertBad(valid().set(Setting.OPERATION_TIMEOUT, "0"), "ZIP_OPERATION_TIMEOUT", "positive");
        assertBad(valid().windowBytes(100), "ZIP_WINDOW_BYTES is '100'", "at least");
        assertBad(valid().relay("http://x"), "relay address 'http://x'", "host:port");
    }

    private static void assertBad(ZipSettings.Builder builder, String... parts) {
        ZipException problem = assertThrows(ZipException.class, builder::build);
        assertEquals(ErrorCode.BAD_SETTING, problem.code());
        for (String part : parts) {
            assertTrue(problem.getMessage().contains(part), problem.getMessage());
        }
    }

    @Test
    void shouldReadRelayAddresses() {
        assertEquals(new RelayAddress("relay.example", 9), RelayAddress.parse("zip://relay.example:9"));
        assertEquals(new RelayAddress("relay.example", 7077), RelayAddress.parse("relay.example"));
        assertEquals(new RelayAddress("::1", 9), RelayAddress.parse("[::1]:9"));
        assertEquals(new RelayAddress("::1", 7077), RelayAddress.parse("::1"));
        assertEquals("[::1]:9", RelayAddress.parse("[::1]:9").toString());
        for (String wrong : new String[] {"", ":9", "a:0", "a:65536", "a:b", "a/b:1"}) {
            assertThrows(ZipException.class, () -> RelayAddress.parse(wrong), wrong);
        }
    }

    @Test
    void shouldPreferSystemPropertiesToTheEnvironment() {
        System.setProperty("zip.session", "from-property");
        System.setProperty("zip.size", "3");
        System.setProperty("zip.join-timeout", "5");
        try {
            ZipSettings settings = ZipSettings.fromEnvironment();
            assertEquals("from-property", settings.session());
            assertEquals(3, settings.size());
            assertEquals(Duration.ofMillis(5), settings.joinTimeout());
        } finally {
            System.clearProperty("zip.session");
            System.clearProperty("zip.size");
            System.clearProperty("zip.join-timeout");
        }
    }
}
