package io.zipcomm.error;

import java.io.Serial;

/**
 * The one exception of this library: a code to decide on, and the facts to find the cause.
 *
 * <p>The message reads like {@code PEER_LOST: rank 1 of 4, epoch 1, all-reduce #7, after 812 ms: connection of rank 3
 * reset; awaited segment 5 of 8 from rank 3}.
 */
public final class ZipException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    /** Value of a rank, peer or epoch that is not known. */
    public static final int NONE = -1;

    private final ErrorCode code;
    private final String reason;
    private final int rank;
    private final int peer;
    private final int epoch;
    private final String operation;
    private final String phase;
    private final long elapsedMs;
    private final String awaited;

    private ZipException(Builder facts, Throwable cause) {
        super(facts.text(), cause);
        code = facts.code;
        reason = facts.reason;
        rank = facts.rank;
        peer = facts.peer;
        epoch = facts.epoch;
        operation = facts.operation;
        phase = facts.phase;
        elapsedMs = facts.elapsedMs;
        awaited = facts.awaited;
    }

    /**
     * A failure of which only the reason is known.
     *
     * @param code   what kind of failure
     * @param reason the facts, as a phrase
     */
    public ZipException(ErrorCode code, String reason) {
        this(of(code, reason), null);
    }

    /**
     * A failure of which only the reason is known, with its cause.
     *
     * @param code   what kind of failure
     * @param reason the facts, as a phrase
     * @param cause  what was caught
     */
    public ZipException(ErrorCode code, String reason, Throwable cause) {
        this(of(code, reason), cause);
    }

    /**
     * Starts a failure with more facts.
     *
     * @param code   what kind of failure
     * @param reason the facts that have no field of their own, as a phrase
     * @return a builder
     */
    public static Builder of(ErrorCode code, String reason) {
        return new Builder(code, reason);
    }

    /** What kind of failure. */
    public ErrorCode code() {
        return code;
    }

    /** The facts that have no field of their own, as a phrase. */
    public String reason() {
        return reason;
    }

    /** Rank in the world of the process that throws, or {@link #NONE}. */
    public int rank() {
        return rank;
    }

    /** Rank in the world of the process that caused the failure, or {@link #NONE}. */
    public int peer() {
        return peer;
    }

    /** Epoch of the group, or {@link #NONE}. */
    public int epoch() {
        return epoch;
    }

    /** The operation that failed, such as {@code all-reduce #7}, or null. */
    public String operation() {
        return operation;
    }

    /** How far the operation was, or null. */
    public String phase() {
        return phase;
    }

    /** Milliseconds from the start of the operation to the failure, or {@link #NONE}. */
    public long elapsedMs() {
        return elapsedMs;
    }

    /** What was being waited for, or null. */
    public String awaited() {
        return awaited;
    }

    /** Collects the facts of a failure. */
    public static final class Builder {
        private final ErrorCode code;
        private final String reason;
        private int rank = NONE;
        private int size = NONE;
        private int peer = NONE;
        private int epoch = NONE;
        private String operation;
        private String phase;
        private long elapsedMs = NONE;
        private String awaited;

        private Builder(ErrorCode code, String reason) {
            this.code = code;
            this.reason = reason;
        }

        /** Who throws: {@code rank} of {@code size}, in {@code epoch}. */
        public Builder at(int rank, int size, int epoch) {
            this.rank = rank;
            this.size = size;
            this.epoch = epoch;
            return this;
        }

        /** Rank in the world of the process that caused the failure. */
        public Builder peer(int peer) {
            this.peer = peer;
            return this;
        }

        /** The operation that failed. */
        public Builder operation(String operation) {
            this.operation = operation;
            return this;
        }

        /** How far the operation was. */
        public Builder phase(String phase) {
            this.phase = phase;
            return this;
        }

        /** Milliseconds since the operation began. */
        public Builder elapsedMs(long elapsedMs) {
            this.elapsedMs = elapsedMs;
            return this;
        }

        /** What was being waited for. */
        public Builder awaited(String awaited) {
            this.awaited = awaited;
            return this;
        }

        /** The exception. */
        public ZipException build() {
            return build(null);
        }

        /** The exception, with what was caught. */
        public ZipException build(Throwable cause) {
            return new ZipException(this, cause);
        }

        private String text() {
            StringBuilder text = new StringBuilder(code.name()).append(": ");
            String separator = "";
            if (rank != NONE) {
                text.append("rank ").append(rank);
                if (size != NONE) {
                    text.append(" of ").append(size);
                }
                separator = ", ";
            }
            if (epoch != NONE) {
                text.append(separator).append("epoch ").append(epoch);
                separator = ", ";
            }
            if (operation != null) {
                text.append(separator).append(operation);
                separator = ", ";
            }
            if (phase != null) {
                text.append(separator).append(phase);
                separator = ", ";
            }
            if (elapsedMs != NONE) {
                text.append(separator).append("after ").append(elapsedMs).append(" ms");
                separator = ", ";
            }
            text.append(separator.isEmpty() ? "" : ": ").append(reason);
            if (awaited != null) {
                text.append("; awaited ").append(awaited);
            }
            return text.toString();
        }
    }
}
