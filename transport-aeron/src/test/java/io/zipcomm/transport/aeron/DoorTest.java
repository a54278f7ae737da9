package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DoorTest {

    private static final int COUNT = 3;

    @TempDir
    private Path directory;

    private final List<Door> open = new ArrayList<>();

    @AfterEach
    void close() {
        // Twice does no harm.
        open.forEach(Door::close);
        open.forEach(Door::close);
    }

    private Path file() {
        return directory.resolve("rank-0.door");
    }

    private Door own() throws IOException {
        Door door = Door.create(file(), COUNT);
        open.add(door);
        return door;
    }

    private Door neighbours() throws IOException {
        Door door = Door.open(file(), COUNT);
        open.add(door);
        return door;
    }

    @Test
    void shouldTellItsOwnerWhoWantsToBeSentToAndWhere() throws IOException {
        Door own = own();
        Door seen = neighbours();
        assertEquals(0, own.knock(1));
        seen.knock(1, Integer.MAX_VALUE, 2);
        long knock = own.knock(1);
        assertEquals(Integer.MAX_VALUE, Door.stream(knock));
        assertEquals(2, Door.driver(knock));
        assertEquals(0, own.knock(2), "nobody else did");
        seen.knock(1, 5, 0);
        assertEquals(5, Door.stream(own.knock(1)));
        assertEquals(0, Door.driver(own.knock(1)));
    }

    @Test
    void shouldTellItsOwnerWhoIsGone() throws IOException {
        Door own = own();
        Door seen = neighbours();
        seen.knock(1, 5, 0);
        assertFalse(own.isGone(1));
        seen.leave(1);
        assertTrue(own.isGone(1));
        assertEquals(0, own.knock(1));
        assertFalse(own.isGone(2));
    }

    @Test
    void shouldTellWhereAStreamEndsThatGoesOnElsewhere() throws IOException {
        Door own = own();
        Door seen = neighbours();
        assertEquals(0, own.moves(2));
        seen.move(2, 1L << 40);
        assertEquals(1, own.moves(2));
        assertEquals(1L << 40, own.endedAt(2));
        seen.move(2, 32);
        assertEquals(2, own.moves(2));
        assertEquals(32, own.endedAt(2));
        assertEquals(0, own.moves(1));
    }

    @Test
    void shouldHaveAnotherNumberForEachSleep() throws IOException {
        Door own = own();
        Door seen = neighbours();
        assertEquals(0, seen.sleep());
        own.sleeps();
        long first = seen.sleep();
        assertNotEquals(0, first);
        own.sleeps();
        assertEquals(first, seen.sleep(), "the same sleep");
        own.wakes();
        assertEquals(0, seen.sleep());
        own.wakes();
        assertEquals(0, seen.sleep());
        own.sleeps();
        assertTrue(seen.sleep() > first);
    }

    @Test
    void shouldTellNeighboursOfItsOwnersDriver() throws IOException {
        Door own = own();
        Door seen = neighbours();
        assertFalse(seen.isLeaving());
        assertFalse(seen.hasDriver());
        assertEquals(0, seen.used());
        own.runsDriver();
        own.uses(2);
        assertTrue(seen.hasDriver());
        assertEquals(2, seen.used());
        assertFalse(seen.isLeaving());
        own.leaves();
        assertTrue(seen.isLeaving());
    }

    @Test
    void shouldKeepWhatItsOwnerAndNeighboursSayApart() throws IOException {
        Door own = own();
        Door seen = neighbours();
        own.sleeps();
        own.leaves();
        own.runsDriver();
        own.uses(1);
        for (int i = 0; i < COUNT; i++) {
            seen.knock(i, i + 1, COUNT - i);
            seen.move(i, i + 100);
        }
        for (int i = 0; i < COUNT; i++) {
            assertEquals(i + 1, Door.stream(own.knock(i)));
            assertEquals(COUNT - i, Door.driver(own.knock(i)));
            assertEquals(i + 100, own.endedAt(i));
            assertEquals(1, own.moves(i));
        }
        assertEquals(1, seen.sleep());
        assertEquals(1, seen.used());
    }

    @Test
    void shouldAppearWhole() throws IOException {
        own();
        try (Stream<Path> all = Files.list(directory)) {
            assertEquals(List.of(file()), all.toList());
        }
        assertThrows(IOException.class, () -> Door.open(directory.resolve("none"), COUNT));
    }

    @Test
    void shouldRefuseWhatIsNoDoorOfThisGroup() throws IOException {
        own();
        assertThrows(IOException.class, () -> Door.open(file(), COUNT + 1));
        Path other = directory.resolve("other");
        Files.write(other, new byte[0]);
        assertThrows(IOException.class, () -> Door.open(other, COUNT));
        Files.write(other, new byte[(int) Files.size(file())]);
        IOException refusal = assertThrows(IOException.class, () -> Door.open(other, COUNT));
        assertEquals("no door of this version", refusal.getMessage());
    }
}
