package io.zipcomm.collectives.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Who last wrote, and who has read since, each part of one memory: from it follows after which earlier steps a step must
 * come. Reading comes after the last write; writing comes after the last write and every read since.
 */
final class Hazards {

    private static final int NOBODY = -1;

    /** What is known of one stretch of bytes. */
    private static final class Span {
        final long end;
        final int writer;
        final List<Integer> readers;

        Span(long end, int writer, List<Integer> readers) {
            this.end = end;
            this.writer = writer;
            this.readers = readers;
        }
    }

    /** By first byte; they do not overlap and need not cover everything. */
    private final TreeMap<Long, Span> spans = new TreeMap<>();

    /** Notes that a step reads, and adds to {@code after} what it must wait for. */
    void read(int step, long from, long end, Set<Integer> after) {
        if (from == end) {
            return;
        }
        cover(from, end);
        for (Span span : spans.subMap(from, end).values()) {
            addUnless(step, span.writer, after);
            span.readers.add(step);
        }
    }

    /** Notes that a step writes, and adds to {@code after} what it must wait for. */
    void write(int step, long from, long end, Set<Integer> after) {
        if (from == end) {
            return;
        }
        cover(from, end);
        Map<Long, Span> covered = spans.subMap(from, end);
        for (Span span : covered.values()) {
            addUnless(step, span.writer, after);
            for (int reader : span.readers) {
                addUnless(step, reader, after);
            }
        }
        covered.clear();
        spans.put(from, new Span(end, step, new ArrayList<>()));
    }

    private static void addUnless(int step, int other, Set<Integer> after) {
        if (other != NOBODY && other != step) {
            after.add(other);
        }
    }

    /** Sees to it that spans begin at {@code from}, end at {@code end} and leave no gap between. */
    private void cover(long from, long end) {
        split(from);
        split(end);
        long at = from;
        while (at < end) {
            Span span = spans.get(at);
            if (span == null) {
                Long next = spans.higherKey(at);
                span = new Span(next == null ? end : Math.min(next, end), NOBODY, new ArrayList<>());
                spans.put(at, span);
            }
            at = span.end;
        }
    }

    private void split(long at) {
        Map.Entry<Long, Span> entry = spans.lowerEntry(at);
        if (entry == null || entry.getValue().end <= at) {
            return;
        }
        Span whole = entry.getValue();
        spans.put(entry.getKey(), new Span(at, whole.writer, whole.readers));
        spans.put(at, new Span(whole.end, whole.writer, new ArrayList<>(whole.readers)));
    }
}
