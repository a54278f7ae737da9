package io.zipcomm.bench.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class EventQueueTest {

    private record Event(long time, long key) {}

    @Test
    void shouldGiveEventsByTimeThenKey() {
        SplittableRandom random = new SplittableRandom(1);
        EventQueue queue = new EventQueue();
        PriorityQueue<Event> expected =
                new PriorityQueue<>(Comparator.comparingLong(Event::time).thenComparingLong(Event::key));
        for (int i = 0; i < 20_000; i++) {
            if (expected.isEmpty() || random.nextInt(3) > 0) {
                Event event = new Event(random.nextInt(100), random.nextInt(100));
                queue.add(event.time, event.key);
                expected.add(event);
            } else {
                Event first = expected.remove();
                assertEquals(first.time, queue.time());
                assertEquals(first.key, queue.removeFirst());
            }
        }
        while (!expected.isEmpty()) {
            assertEquals(expected.remove().key, queue.removeFirst());
        }
        assertTrue(queue.isEmpty());
    }
}
