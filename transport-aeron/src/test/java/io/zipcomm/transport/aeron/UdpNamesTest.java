package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.membership.GroupView;
import io.zipcomm.testkit.DirectWiring;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Ranks find each other's streams by numbers that all of them, and nobody else, can tell. */
final class UdpNamesTest {

    private static final int RANKS = 300;

    private static List<UdpNames> names(long seed) {
        List<GroupView> views = DirectWiring.views(seed, Collections.nCopies(RANKS, List.of()));
        return views.stream().map(UdpNames::new).toList();
    }

    @Test
    void shouldTellEverySenderFromTheOthers() {
        List<UdpNames> names = names(1);
        for (int receiver = 0; receiver < RANKS; receiver += 37) {
            Set<Integer> sessions = new HashSet<>();
            for (int sender = 0; sender < RANKS; sender++) {
                assertEquals(names.get(receiver).stream(), names.get(sender).streamOf(receiver));
                for (int i = 0; i < UdpNames.ATTEMPT_ROUNDS * UdpNames.ATTEMPTS_MAX; i++) {
                    int round = i / UdpNames.ATTEMPTS_MAX;
                    int session = names.get(sender).sessionTo(receiver, round, i % UdpNames.ATTEMPTS_MAX);
                    assertTrue(sessions.add(session));
                    assertEquals(round, names.get(receiver).round(session));
                    assertEquals(
                            sender == receiver ? -1 : sender,
                            names.get(receiver).sender(session));
                }
            }
            assertEquals(names.get(receiver).sessions(), sessions.size());
        }
    }

    @Test
    void shouldAdmitWhatOthersCast() {
        List<UdpNames> names = names(4);
        for (int sender = 0; sender < RANKS; sender++) {
            int session = names.get(sender).castSession(sender);
            assertEquals(names.get(7).castStream(), names.get(sender).castStream());
            assertEquals(sender != 7, names.get(7).admits(names.get(7).castStream(), session));
            assertFalse(names.get(7).admits(names.get(8).castStream() + 1, session));
        }
        assertFalse(names.get(7).admits(names.get(7).castStream(), names.get(7).castSession(RANKS)));
        assertFalse(names.get(7).admits(names.get(7).castStream(), names.get(7).castSession(-1)));
        assertTrue(names.get(7).admits(names.get(7).stream(), names.get(8).sessionTo(7, 0, 0)));
        assertFalse(names.get(7).admits(names.get(7).castStream(), names.get(8).sessionTo(7, 0, 0)));
    }

    @Test
    void shouldKnowNobodyElse() {
        UdpNames names = names(2).get(5);
        Random random = new Random(3);
        for (int i = 0; i < 10_000; i++) {
            // One of 110,000 belongs to a member.
            assertEquals(-1, names.sender(random.nextInt()));
        }
    }

    @Test
    void shouldDifferFromGroupToGroup() {
        assertNotEquals(names(1).get(0).stream(), names(2).get(0).stream());
        assertNotEquals(names(1).get(0).group(), names(2).get(0).group());
        assertNotEquals(names(1).get(0).stream(), names(1).get(1).stream());
    }
}
