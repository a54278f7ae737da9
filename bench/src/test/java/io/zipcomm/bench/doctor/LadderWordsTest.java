package io.zipcomm.bench.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.doctor.Nat.Mapping;
import io.zipcomm.bench.doctor.Nat.Seen;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class LadderWordsTest {

    private static Map<String, String> words(Mapping mapping) {
        return LadderWords.of(new Nat(mapping, Seen.YES, Seen.YES));
    }

    /** W: would work; N: would not; U: cannot be told alone. Own address, observed address, hole punching. */
    @ParameterizedTest
    @CsvSource({
        "NONE,     equal peer,     UUW",
        "NONE,     symmetric peer, UUU",
        "STEADY,   equal peer,     NUW",
        "STEADY,   symmetric peer, NUU",
        "CHANGING, equal peer,     NUN",
        "CHANGING, symmetric peer, NUN",
        "UNKNOWN,  equal peer,     NUU",
        "UNKNOWN,  symmetric peer, NUU",
        "PROXY,    equal peer,     NNN",
        "PROXY,    symmetric peer, NNN",
    })
    void shouldForetellWhatOtherNetworksDo(Mapping mapping, String peer, String expected) {
        Map<String, String> words = words(mapping);
        String found = letter(words.get(peer + ", own address"))
                + letter(words.get(peer + ", observed address"))
                + letter(words.get(peer + ", hole punching"));
        assertEquals(expected, found, words.toString());
    }

    @Test
    void shouldSayOnceThatNoRelayOutsideHasSeenThisProcess() {
        Map<String, String> words = words(Mapping.UNSEEN);
        assertEquals("U", letter(words.get(LadderWords.UNSEEN_PEERS)));
        assertTrue(words.keySet().stream().noneMatch(key -> key.startsWith("equal peer,")), words.toString());
    }

    private static String letter(String text) {
        return text.startsWith("would work: ")
                ? "W"
                : text.startsWith("would not work: ")
                        ? "N"
                        : text.startsWith("cannot be told alone: ") ? "U" : "?" + text;
    }

    @ParameterizedTest
    @EnumSource(value = Mapping.class, names = "PROXY", mode = EnumSource.Mode.EXCLUDE)
    void shouldReachPublicPeersIfThePortsAreLetOut(Mapping mapping) {
        assertEquals("would work: this process connects to it", words(mapping).get("public peer, own address"));
        String unsure = LadderWords.of(new Nat(mapping, Seen.UNKNOWN, Seen.YES)).get("public peer, own address");
        assertTrue(unsure.startsWith("cannot be told alone: "), unsure);
        assertTrue(words(mapping).get("public peer, hole punching").startsWith("not needed"));
    }

    @Test
    void shouldSayWhetherTheRelayForwards() {
        for (Seen reach : Seen.values()) {
            String text =
                    LadderWords.of(new Nat(Mapping.STEADY, Seen.YES, reach)).get("any peer, relay");
            assertEquals(
                    switch (reach) {
                        case YES -> "would work";
                        case NO -> "would not work";
                        case UNKNOWN -> "cannot be told alone";
                    },
                    text.substring(0, text.indexOf(':')));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.255", "fd00::1", "fe80::1"})
    void shouldKnowPrivateAddresses(String address) throws UnknownHostException {
        assertTrue(NatLook.isPrivate(InetAddress.getByName(address)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"198.18.0.1", "100.128.0.1", "100.63.0.1", "172.32.0.1", "2001:db8::1", "8.8.8.8"})
    void shouldKnowPublicAddresses(String address) throws UnknownHostException {
        assertFalse(NatLook.isPrivate(InetAddress.getByName(address)));
    }
}
