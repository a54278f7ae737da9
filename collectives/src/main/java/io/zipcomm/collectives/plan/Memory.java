package io.zipcomm.collectives.plan;

/** The memory that an operation works on. */
public enum Memory {
    /** What this rank contributes: only read. In place it is part of {@link #TARGET}. */
    SOURCE,
    /** Where this rank's result goes. */
    TARGET,
    /** The library's own, for what is neither. */
    SCRATCH
}
