package io.zipcomm.bench.worker;

import java.util.Arrays;

/** How a program uses Redis: what it puts where, and for which replies it waits. */
public enum RedisStyle {

    /**
     * As serverless programs do: every value, whole, is a key of its own, its note says only that it is there, and every
     * command awaits its reply before the next goes out.
     */
    PLAIN("redis", -1, Integer.MAX_VALUE, false),

    /**
     * As fast as a program can be that has nothing but the store. A list copies its elements twice, a key does not: so only
     * short values are their own notes. The client keeps a piece in one buffer while it comes: so long values are cut.
     */
    TUNED("redis-tuned", 16 << 10, 256 << 10, true);

    private final String label;
    private final int noteBytesMax;
    private final int pieceBytes;
    private final boolean pipelined;

    RedisStyle(String label, int noteBytesMax, int pieceBytes, boolean pipelined) {
        this.label = label;
        this.noteBytesMax = noteBytesMax;
        this.pieceBytes = pieceBytes;
        this.pipelined = pipelined;
    }

    /**
     * The style of a contestant.
     *
     * @throws IllegalArgumentException if there is none of that name
     */
    static RedisStyle of(String label) {
        return Arrays.stream(values())
                .filter(style -> style.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Redis is not used in the style of '" + label + "'"));
    }

    /** Name of the contestant. */
    public String label() {
        return label;
    }

    /** Longest piece, in bytes, that travels in its note; below 0 if none does. */
    int noteBytesMax() {
        return noteBytesMax;
    }

    /** Longest piece, in bytes: what is longer is cut, so that writing the rest overlaps with reading the first. */
    int pieceBytes() {
        return pieceBytes;
    }

    /**
     * Whether a round trip carries all commands of a step, those behind one that blocks too, and a script does what the last
     * rank at a barrier has to.
     */
    boolean isPipelined() {
        return pipelined;
    }
}
