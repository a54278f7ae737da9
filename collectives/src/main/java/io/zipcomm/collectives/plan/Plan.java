package io.zipcomm.collectives.plan;

import java.util.Arrays;
import java.util.List;

/**
 * The steps of one rank in one operation, and which must end before which may start. Immutable, shared by all executions.
 *
 * <p>Steps are numbered from 0 in the order in which the algorithm gave them; each waits for earlier ones only. Kept in
 * arrays: a plan for a large message has thousands of steps and is walked in the middle of I/O.
 */
public final class Plan {

    /** What a step does. */
    public enum Kind {
        /** Sends an extent to a peer. */
        SEND,
        /** Receives an extent from a peer. */
        RECEIVE,
        /** Receives from a peer, combines what arrives with an operand, and keeps the result in an extent. */
        RECEIVE_REDUCE,
        /** Copies one extent to another. */
        COPY,
        /** Through the relay, which sends a copy to each: the root's extent to all. */
        RELAY_MULTICAST,
        /** Through the relay, which combines: an extent of each rank to the root. */
        RELAY_REDUCE,
        /** Through the relay, which combines: an extent of each rank to all. */
        RELAY_ALL_REDUCE;

        /** Whether the relay does a part of it. */
        public boolean isRelays() {
            return this == RELAY_MULTICAST || this == RELAY_REDUCE || this == RELAY_ALL_REDUCE;
        }
    }

    /** A step as the builder makes it. */
    record Step(Kind kind, int peer, int ordinal, Extent from, Extent to, boolean last, List<Integer> after) {}

    private final Kind[] kinds;
    private final int[] peers;
    private final int[] ordinals;
    private final Memory[] memories;
    private final long[] offsets;
    private final long[] bytes;
    private final Memory[] fromMemories;
    private final long[] fromOffsets;
    private final boolean[] last;

    private final int[] waits;
    private final int[] dependentsFrom;
    private final int[] dependents;
    private final int[] first;
    private final long scratchBytes;
    private final boolean usesRelay;

    /** For each step the number of what it sends to several peers alike, from 0; -1 if it does not. */
    private final int[] shares;

    /** How many peers each of those goes to. */
    private final int[] sharers;

    Plan(List<Step> steps, long scratchBytes) {
        int count = steps.size();
        this.scratchBytes = scratchBytes;
        kinds = new Kind[count];
        peers = new int[count];
        ordinals = new int[count];
        memories = new Memory[count];
        offsets = new long[count];
        bytes = new long[count];
        fromMemories = new Memory[count];
        fromOffsets = new long[count];
        last = new boolean[count];
        waits = new int[count];
        dependentsFrom = new int[count + 1];
        int[] ready = new int[count];
        int readyCount = 0;
        boolean anyRelays = false;
        for (int i = 0; i < count; i++) {
            Step step = steps.get(i);
            // A send has only a "from", a receive only a "to": that is the extent that accessors give.
            Extent extent = step.to != null ? step.to : step.from;
            Extent from = step.from != null ? step.from : step.to;
            kinds[i] = step.kind;
            anyRelays |= step.kind.isRelays();
            peers[i] = step.peer;
            ordinals[i] = step.ordinal;
            memories[i] = extent.memory();
            offsets[i] = extent.offset();
            bytes[i] = extent.bytes();
            fromMemories[i] = from.memory();
            fromOffsets[i] = from.offset();
            last[i] = step.last;
            waits[i] = step.after.size();
            if (step.after.size() == 0) {
                ready[readyCount++] = i;
            }
            for (int earlier : step.after) {
                dependentsFrom[earlier + 1]++;
            }
        }
        usesRelay = anyRelays;
        first = Arrays.copyOf(ready, readyCount);
        dependents = invert(steps, dependentsFrom);
        SharedSends shared = SharedSends.of(steps);
        shares = shared.shares();
        sharers = shared.sharers();
    }

    /** Turns counts into starts, and lists for each step the ones that wait for it. */
    private static int[] invert(List<Step> steps, int[] from) {
        for (int i = 0; i < steps.size(); i++) {
            from[i + 1] += from[i];
        }
        int[] next = from.clone();
        int[] later = new int[from[steps.size()]];
        for (int i = 0; i < steps.size(); i++) {
            for (int earlier : steps.get(i).after) {
                later[next[earlier]++] = i;
            }
        }
        return later;
    }

    /** Number of steps. */
    public int steps() {
        return kinds.length;
    }

    /** What a step does. */
    public Kind kind(int step) {
        return kinds[step];
    }

    /** Whether the relay does a part of a step. */
    boolean usesRelay() {
        return usesRelay;
    }

    /** With whom a step does it, or who is the root of what the relay does a part of; -1 for a copy. */
    public int peer(int step) {
        return peers[step];
    }

    /** Number of a message among those to or from the same peer, from 0. */
    public int ordinal(int step) {
        return ordinals[step];
    }

    /** What memory is sent from, received into, or written by a copy. */
    public Memory memory(int step) {
        return memories[step];
    }

    /** First byte in {@link #memory}. */
    public long offset(int step) {
        return offsets[step];
    }

    /** Length of the message or copy. */
    public long bytes(int step) {
        return bytes[step];
    }

    /** What memory a copy reads, or holds the operand that a step combines with. */
    public Memory fromMemory(int step) {
        return fromMemories[step];
    }

    /** First byte in {@link #fromMemory}. */
    public long fromOffset(int step) {
        return fromOffsets[step];
    }

    /** Whether a step that combines forms a final value: one that contains the data of all ranks. */
    public boolean isLast(int step) {
        return last[step];
    }

    /** The number of steps that each step waits for; to be left unchanged. */
    int[] waits() {
        return waits;
    }

    /** The steps that wait for nothing; to be left unchanged. */
    int[] first() {
        return first;
    }

    /** Where a step's dependents begin in {@link #dependent}; those of the next step begin where these end. */
    public int dependentsFrom(int step) {
        return dependentsFrom[step];
    }

    /** A step that waits for another. */
    public int dependent(int index) {
        return dependents[index];
    }

    /** How many extents are sent to several peers alike. */
    int sharedSends() {
        return sharers.length;
    }

    /** The number of what a step sends to several peers alike, from 0; -1 if it does not. */
    int share(int step) {
        return shares[step];
    }

    /** How many peers get that. */
    int sharers(int share) {
        return sharers[share];
    }

    /** Length of {@link Memory#SCRATCH}. */
    public long scratchBytes() {
        return scratchBytes;
    }

    /** Number of messages to or from a peer: {@code kind} is SEND, or anything else for both ways of receiving. */
    int messages(int peer, Kind kind) {
        int count = 0;
        for (int i = 0; i < kinds.length; i++) {
            if (peers[i] == peer
                    && kinds[i] != Kind.COPY
                    && !kinds[i].isRelays()
                    && (kinds[i] == Kind.SEND) == (kind == Kind.SEND)) {
                count++;
            }
        }
        return count;
    }
}
