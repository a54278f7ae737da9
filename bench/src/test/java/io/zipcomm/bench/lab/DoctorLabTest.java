package io.zipcomm.bench.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.testkit.lab.NatFlavour;
import io.zipcomm.testkit.lab.NetworkLab;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** {@code zip doctor} behind gateways of many kinds. All examinations run at once; each test looks at some of the answers. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("once")
final class DoctorLabTest {

    private static final long LIMIT_S = 60;

    private NetworkLab lab;
    private Answer none;
    private Answer cone;
    private Answer symmetric;
    private Answer symmetricWithOneRelay;
    private Answer otherPort;
    private Answer noHairpin;
    private Answer outboundOnly;
    private Answer httpsOnly;
    private Answer shortIdle;
    private Answer coneIdle;
    private Answer coneToCone;
    private Answer coneFromCone;
    private Answer coneToPublic;
    private Answer publicFromCone;
    private Answer symmetricToSymmetric;
    private Answer symmetricFromSymmetric;

    /** What a doctor says. */
    private record Answer(CompletableFuture<List<String>> lines) {

        /** The text of one topic. */
        private String of(String topic) {
            return all().stream()
                    .filter(line -> line.startsWith(topic) && !line.startsWith(topic + ","))
                    .map(line -> line.substring(topic.length()).strip())
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("nothing of " + topic + " in " + all()));
        }

        private String end() {
            return all().get(all().size() - 1);
        }

        private List<String> all() {
            try {
                return lines.get(LIMIT_S, TimeUnit.SECONDS);
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
                throw new AssertionError("no answer", e);
            }
        }

        private void says(String topic, String beginning) {
            assertTrue(of(topic).startsWith(beginning), () -> topic + " " + of(topic) + "\nin " + all());
        }
    }

    @BeforeAll
    void examine() throws IOException {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
        lab = NetworkLab.open();
        LabNode open = node("open", NatFlavour.PUBLIC);
        LabNode coneLeft = node("cone-l", NatFlavour.CONE);
        LabNode coneRight = node("cone-r", NatFlavour.CONE);
        LabNode symmetricLeft = node("symmetric-l", NatFlavour.SYMMETRIC);
        LabNode symmetricRight = node("symmetric-r", NatFlavour.SYMMETRIC);
        LabNode shortMemory = node("short", NatFlavour.SHORT_IDLE);
        LabNode deaf = node("no-hairpin", NatFlavour.NO_HAIRPIN);
        LabNode outbound = node("outbound", NatFlavour.OUTBOUND_TCP_ONLY);
        LabNode https = node("https", NatFlavour.HTTPS_ONLY);
        String relay = LabGroup.startRelay(lab.publicHost("relay"));
        coneToCone = pair(coneLeft, relay, "cones", "2s");
        coneFromCone = pair(coneRight, relay, "cones", "2s");
        symmetricToSymmetric = pair(symmetricLeft, relay, "symmetric", "1s");
        symmetricFromSymmetric = pair(symmetricRight, relay, "symmetric", "1s");
        coneToPublic = pair(deaf, relay, "mixed", "2s");
        publicFromCone = pair(open, relay, "mixed", "2s");
        shortIdle = answer(shortMemory, relay, "--idle", "4s");
        outboundOnly = answer(outbound, relay);
        symmetricWithOneRelay = answer(symmetricRight, relay);
        otherPort = answer(https, relay.replaceFirst(":.*", ":8"));
        String both = relay + "," + LabGroup.startRelay(lab.publicHost("relay-2"));
        none = answer(open, both);
        cone = answer(coneLeft, both);
        coneIdle = answer(coneRight, both, "--idle", "4s", "--json");
        symmetric = answer(symmetricLeft, both);
        noHairpin = answer(deaf, both);
        httpsOnly = answer(https, both);
    }

    @AfterAll
    void close() {
        if (lab != null) {
            lab.close();
        }
    }

    private LabNode node(String name, NatFlavour flavour) {
        return LabNode.start(lab.nat(name, flavour).host(name + "-host"));
    }

    private static Answer answer(LabNode node, String relay, String... more) {
        String[] words = new String[3 + more.length];
        words[0] = "doctor";
        words[1] = "--relay";
        words[2] = relay;
        System.arraycopy(more, 0, words, 3, more.length);
        return new Answer(node.zip(words));
    }

    private static Answer pair(LabNode node, String relay, String name, String rungTime) {
        return answer(node, relay, "--peer", name, "--wait", "40s", "--rung-time", rungTime);
    }

    @Test
    void shouldSeeThatThereIsNoNat() {
        none.says("NAT", "no NAT: ");
        none.says("mapping", "none");
        none.says("other ports", "let out");
        none.says("ladder, public peer, own address", "would work");
        none.says("ladder, equal peer, hole punching", "would work");
        none.says("ladder, symmetric peer, own address", "cannot be told alone");
        assertEquals("ok", none.end());
    }

    @Test
    void shouldTellAConeByTwoRelays() {
        cone.says("NAT", "NAT, keeps the port: 10.1.0.2:");
        cone.says("mapping", "the same for 2 destinations");
        cone.says("opened again", "the same port is seen as ");
        assertTrue(cone.of("opened again").endsWith(" again"), cone.of("opened again"));
        cone.says("hairpin", "works");
        cone.says("ladder, equal peer, own address", "would not work");
        cone.says("ladder, equal peer, hole punching", "would work");
        cone.says("ladder, symmetric peer, hole punching", "cannot be told alone");
        cone.says("ladder, any peer, relay", "would work");
        assertEquals("ok", cone.end());
    }

    @Test
    void shouldTellASymmetricNat() {
        symmetric.says("NAT", "NAT, changes the port: ");
        symmetric.says("mapping", "differs by destination (symmetric NAT)");
        symmetric.says("ladder, equal peer, hole punching", "would not work");
        symmetric.says("ladder, public peer, own address", "would work");
        symmetricWithOneRelay.says(
                "mapping",
                "cannot be told from one relay address whether it is the same for every destination: either not (symmetric");
        symmetricWithOneRelay.says("opened again", "the same port is seen as 198.18.");
        assertFalse(symmetricWithOneRelay.of("opened again").endsWith(" again"));
    }

    @Test
    void shouldNotGuessFromOneAddress() {
        coneToCone.says("NAT", "NAT, keeps the port: ");
        coneToCone.says("mapping", "cannot be told from one relay address");
        coneToCone.says("ladder, equal peer, hole punching", "cannot be told alone");
    }

    @Test
    void shouldSeeWhatIsMissing() {
        noHairpin.says("NAT", "NAT, keeps the port: ");
        noHairpin.says("hairpin", "does not work");
        noHairpin.says("mapping", "the same for 2 destinations");
        outboundOnly.says("NAT", "no NAT: ");
        outboundOnly.says("unsolicited", "cannot be told alone");
        outboundOnly.says("ladder, equal peer, own address", "cannot be told alone");
        httpsOnly.says("other ports", "no answer in ");
        httpsOnly.says("ladder, equal peer, hole punching", "cannot be told alone");
    }

    @Test
    void shouldSayAtWhichStepARelayIsOutOfReach() {
        String topic = otherPort.all().stream()
                .filter(line -> line.startsWith("relay "))
                .findFirst()
                .orElseThrow();
        assertTrue(topic.contains("NOT reachable: connect: no answer from "), topic);
        otherPort.says("ladder, any peer, relay", "would not work");
        assertEquals("failed with exit code 1", otherPort.end());
    }

    @Test
    void shouldSeeWhetherSilentConnectionsAreForgotten() {
        // Its gateway forgets after 3 s, and the relay asks every 2 s.
        shortIdle.says("idle", "a data connection that was silent for 4 s is still there");
        assertEquals("ok", shortIdle.end());
        String json = coneIdle.all().get(0);
        assertTrue(json.startsWith("{\"healthy\":true,\"findings\":[{\"topic\":\"java\","), json);
        assertTrue(json.contains("\"a data connection that was silent for 4 s is still there\",\"wrong\":false"), json);
    }

    @Test
    void shouldClimbTheLadderOfTwoCones() {
        for (Answer one : List.of(coneToCone, coneFromCone)) {
            one.says("rung relay", "works: first messages after ");
            one.says("rung loopback", "skipped");
            one.says("rung own address", "does not work");
            one.says("rung observed address", "does not work");
            one.says("rung hole punching", "works: open after ");
            assertTrue(one.of("rung hole punching").contains("; path tcp, round trip "), one.of("rung hole punching"));
            one.says("pair", "direct, by hole punching");
            assertEquals("ok", one.end());
        }
    }

    @Test
    void shouldClimbOnAfterARungThatOpens() {
        for (Answer one : List.of(coneToPublic, publicFromCone)) {
            for (String rung : List.of("own address", "observed address", "hole punching")) {
                one.says("rung " + rung, "works: open after ");
                assertTrue(one.of("rung " + rung).contains("; path tcp, round trip "), one.of("rung " + rung));
            }
            one.says("pair", "direct, by own address");
            assertEquals("ok", one.end());
        }
    }

    @Test
    void shouldLeaveTwoSymmetricOnesOnTheRelay() {
        for (Answer one : List.of(symmetricToSymmetric, symmetricFromSymmetric)) {
            one.says("rung own address", "does not work");
            one.says("rung observed address", "does not work");
            one.says("rung hole punching", "does not work: nothing opened, after 1");
            assertTrue(
                    one.of("rung hole punching").contains(" ms; path relay, round trip "),
                    one.of("rung hole punching"));
            one.says("pair", "relayed");
            assertEquals("ok", one.end());
        }
    }
}
