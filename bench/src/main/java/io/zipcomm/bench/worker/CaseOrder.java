package io.zipcomm.bench.worker;

/**
 * The harness asks all ranks of a group to measure a row, or a slice of it.
 *
 * @param operation  label of the operation, {@link #STREAM} or {@link #DUPLEX}
 * @param bytes      M
 * @param algorithm  name, or {@link #AUTO}
 * @param iterations how many to time, or 0 to let the budget decide
 * @param budgetNs   time for it, in nanoseconds
 * @param warm       whether an order before has warmed up for this row: a short batch then precedes what is timed
 * @param segments   bytes in a segment of long messages, or 0 to let the library choose
 * @param arrays     whether numbers that are added are in arrays, and not in direct memory
 */
public record CaseOrder(
        String operation,
        long bytes,
        String algorithm,
        int iterations,
        long budgetNs,
        boolean warm,
        int segments,
        boolean arrays) {

    /** With segments as the library chooses, and direct memory. */
    public CaseOrder(String operation, long bytes, String algorithm, int iterations, long budgetNs, boolean warm) {
        this(operation, bytes, algorithm, iterations, budgetNs, warm, 0, false);
    }

    /** A slice of this: the same row, less of it. */
    public CaseOrder slice(int newIterations, long newBudgetNs, boolean newWarm) {
        return new CaseOrder(operation, bytes, algorithm, newIterations, newBudgetNs, newWarm, segments, arrays);
    }

    /** Kind of the message. */
    public static final String KIND = "measure";

    /** An operation of the harness's own: a saturated stream from rank 0 to rank 1. */
    public static final String STREAM = "stream";

    /** An operation of the harness's own: saturated streams between ranks 0 and 1 against each other. */
    public static final String DUPLEX = "duplex";

    /** Let the library choose. */
    public static final String AUTO = "auto";

    /** As a message to each worker. */
    public Message toMessage() {
        return Message.of(KIND)
                .with("operation", operation)
                .with("bytes", bytes)
                .with("algorithm", algorithm)
                .with("iterations", iterations)
                .with("budgetNs", budgetNs)
                .with("warm", warm)
                .with("segments", segments)
                .with("arrays", arrays);
    }

    /** Reads what {@link #toMessage} made. */
    public static CaseOrder from(Message message) {
        return new CaseOrder(
                message.text("operation"),
                message.number("bytes"),
                message.text("algorithm"),
                (int) message.number("iterations"),
                message.number("budgetNs"),
                message.flag("warm"),
                (int) message.number("segments"),
                message.flag("arrays"));
    }
}
