package io.zipcomm.membership;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.zipcomm.internal.HostId;
import java.security.SecureRandom;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Copies of a process are told apart, and draw other random numbers than each other. */
final class IncarnationTest {

    private static final int COPIES = 8;
    private static final int NONCE_BYTES = 32;

    /** A generator whose state is copied with the process: it gives what it was seeded with, and nothing else. */
    private static SecureRandom copied() throws Exception {
        SecureRandom random = SecureRandom.getInstance("SHA1PRNG");
        random.setSeed(42);
        return random;
    }

    private static byte[] nonce(SecureRandom random) {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        return nonce;
    }

    @Test
    void shouldDrawOtherNumbersInEachCopyOfOneState() throws Exception {
        assertArrayEquals(nonce(copied()), nonce(copied()), "the state is the same");
        Set<String> drawn = new HashSet<>();
        for (int copy = 0; copy < COPIES; copy++) {
            SecureRandom random = copied();
            nonce(random);
            Incarnation.reseed(random);
            drawn.add(HexFormat.of().formatHex(nonce(random)));
        }
        assertEquals(COPIES, drawn.size(), drawn.toString());
    }

    @Test
    void shouldBeAnotherOneAfterEachRestore() {
        Set<String> ids = new HashSet<>();
        Set<String> hosts = new HashSet<>(List.of(HostId.find("")));
        for (int restores = 1; restores <= COPIES; restores++) {
            Incarnation.renew();
            ids.add(Incarnation.id());
            hosts.add(HostId.find(""));
            assertEquals(restores, ids.size(), ids.toString());
            assertEquals(restores + 1, hosts.size(), hosts.toString());
            assertEquals(HostId.find(""), HostId.find(""));
        }
        assertNotEquals("", Incarnation.id());
        assertEquals("mine", HostId.find("mine"));
    }
}
