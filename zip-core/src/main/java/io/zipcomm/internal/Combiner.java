package io.zipcomm.internal;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Segment;

/**
 * Combines blocks of elements for a relay, which knows no reductions: found by {@link java.util.ServiceLoader}.
 *
 * <p>Thread: one at a time.
 */
public interface Combiner {

    /** Makes combiners; one for each thread that combines. */
    interface Provider {

        /** A new combiner. */
        Combiner open();
    }

    /** Longest block, in bytes. */
    int BLOCK_BYTES = 4096;

    /**
     * Whether elements of a type can be combined so.
     *
     * @param reduction its number on the wire
     */
    boolean supports(DataType type, int reduction);

    /** Memory for the left operands, which the results replace: {@link #BLOCK_BYTES}, the same each time. */
    Segment left();

    /** Memory for the right operands: as {@link #left}. */
    Segment right();

    /**
     * Combines a block, exactly as ranks do that receive and reduce.
     *
     * @param type      of the elements
     * @param reduction its number on the wire; supported
     * @param bytes     a multiple of the element's length
     * @param ranks     how many ranks' data the results contain, if it is that of all; otherwise 0
     */
    void combine(DataType type, int reduction, int bytes, int ranks);
}
