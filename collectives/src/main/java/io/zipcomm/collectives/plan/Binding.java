package io.zipcomm.collectives.plan;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;

/** The memory that one run of a plan works on. */
final class Binding {

    private final Scratch.Pool pool;
    private Payload source;
    private Payload target;
    private Scratch scratch = Scratch.NONE;

    Binding(Scratch.Pool pool) {
        this.pool = pool;
    }

    /** Null stands for memory that the plan has no bytes of. */
    void bind(Payload newSource, Payload newTarget, long scratchBytes) {
        source = newSource == null ? Workspace.NOTHING : newSource;
        target = newTarget == null ? Workspace.NOTHING : newTarget;
        scratch = pool.take(scratchBytes);
    }

    void unbind() {
        source = null;
        target = null;
        pool.giveBack(scratch);
        scratch = Scratch.NONE;
    }

    Payload payload(Memory memory) {
        return switch (memory) {
            case SOURCE -> source;
            case TARGET -> target;
            case SCRATCH -> scratch.payload();
        };
    }

    /** The memory as a segment from its byte 0, if it is one; otherwise null. */
    Segment segment(Memory memory) {
        return memory == Memory.SCRATCH ? scratch.segment() : null;
    }
}
