package io.zipcomm.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.ProxyAddress;
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
    void shouldReadWhatAddressesAreWrappedIn() {
        RelayAddress wss = RelayAddress.parse("WSS://relay.example/a/b");
        assertEquals(RelayAddress.Scheme.WSS, wss.scheme());
        assertEquals("wss://relay.example:443/a/b", wss.toString());
        assertEquals("ws://[::1]:80/zip", RelayAddress.parse("ws://[::1]").toString());
        assertEquals(
                "zips://relay.example:7077",
                RelayAddress.parse("zips://relay.example").toString());
        RelayAddress each = RelayAddress.parse("zips+dns://relays.example:9");
        assertTrue(each.eachAddress());
        assertEquals("zips+dns://relays.example:9", each.toString());
        assertEquals("relays.example", each.at("10.0.0.1").name());
        assertEquals("zips://10.0.0.1:9", each.at("10.0.0.1").toString());
        for (String text : new String[] {wss.toString(), each.toString(), "a:1", "zips://[::1]:9"}) {
            assertEquals(text, RelayAddress.parse(text).toString());
        }
        for (String wrong :
                new String[] {"zips://", "wss:///a", "ws://a b", "ws://a/b c", "ws://a/b\r\nX: y", "ftp://a"}) {
            assertThrows(ZipException.class, () -> RelayAddress.parse(wrong), wrong);
        }
        ZipSettings several = valid().relay("a:1, zips://b ,a:1").build();
        assertEquals(java.util.List.of(RelayAddress.parse("a:1"), RelayAddress.parse("zips://b")), several.relays());
        assertBad(valid().relay("a:1,,b:2"), "relay address ''");
        assertBad(valid().set(Setting.TLS_CERT, "a.pem"), "ZIP_TLS_KEY is not set", "go together");
    }

    /** Half of the ranks could begin at each of two relays. */
    @Test
    void shouldRefuseGroupsThatCouldBeginTwice() {
        for (String several : new String[] {"a:1,b:2", "zips+dns://relays.example:9"}) {
            ZipSettings.Builder four = valid().relay(several).size(4);
            for (int sizeMin : new int[] {1, 2}) {
                assertBad(four.sizeMin(sizeMin), "ZIP_SIZE_MIN", "0, or 3 to 4 with several relays");
            }
            for (int sizeMin : new int[] {0, 3, 4}) {
                assertEquals(sizeMin, four.sizeMin(sizeMin).build().sizeMin());
            }
        }
        assertEquals(1, valid().size(4).sizeMin(1).build().sizeMin());
    }

    @Test
    void shouldReadProxies() {
        RelayAddress plain = RelayAddress.parse("relay.example:1");
        RelayAddress secure = RelayAddress.parse("zips://relay.example:1");
        ProxyAddress own = ProxyAddress.parse("http://me:p%40ss+@proxy.example:8080", false, "x.example,.y.example");
        assertEquals("me:p@ss+", own.credentials());
        assertEquals("proxy.example:8080", own.toString());
        assertTrue(own.serves(plain) && own.serves(secure));
        assertFalse(own.serves(RelayAddress.parse("x.example")));
        assertFalse(own.serves(RelayAddress.parse("a.b.Y.example")));
        assertTrue(own.serves(RelayAddress.parse("notx.example")));
        assertFalse(ProxyAddress.parse("p:1", false, "*").serves(plain));
        ProxyAddress common = ProxyAddress.parse("http://proxy.example", true, "");
        assertTrue(common.serves(secure) && !common.serves(plain));
        ZipSettings settings =
                valid().set(Setting.PROXY, "http://me:secret@p:1").build();
        assertFalse(settings.toString().contains("secret"), settings.toString());
        assertTrue(valid().set(Setting.PROXY, "none").build().access().proxy().isEmpty());
        assertEquals("p:65535", ProxyAddress.parse("p:65535", false, "").toString());
        for (String port : new String[] {"0", "65536", "99999", "99999999999", "x"}) {
            assertBad(valid().set(Setting.PROXY, "http://p:" + port), "HTTP proxy", "1 to 65535");
        }
        ZipException wrong =
                assertThrows(ZipException.class, () -> ProxyAddress.parse("socks5://me:secret@p:1", false, ""));
        assertFalse(wrong.getMessage().contains("secret"), wrong.getMessage());
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
