package io.zipcomm.bench.worker;

/**
 * What a rank answers to a {@link CaseOrder}. Times are over iterations, of the slowest rank of each; only rank 0 knows
 * them.
 *
 * @param rank           who answers
 * @param mismatch       the first wrong datum it found; empty if all were right
 * @param algorithm      name of the algorithm that ran
 * @param iterations     how many were timed
 * @param p50Ns          median
 * @param p99Ns          99th percentile
 * @param sentBytes      bytes that this rank's connections sent in all timed iterations, barriers included
 * @param allocatedBytes bytes that the calling thread allocated on the heap within the timed operations
 */
public record CaseResult(
        int rank,
        String mismatch,
        String algorithm,
        int iterations,
        long p50Ns,
        long p99Ns,
        long sentBytes,
        long allocatedBytes) {

    /** Kind of the message. */
    public static final String KIND = "measured";

    /** As a message to the harness. */
    public Message toMessage() {
        return Message.of(KIND)
                .with("rank", rank)
                .with("mismatch", mismatch)
                .with("algorithm", algorithm)
                .with("iterations", iterations)
                .with("p50Ns", p50Ns)
                .with("p99Ns", p99Ns)
                .with("sentBytes", sentBytes)
                .with("allocatedBytes", allocatedBytes);
    }

    /** Reads what {@link #toMessage} made. */
    public static CaseResult from(Message message) {
        return new CaseResult(
                (int) message.number("rank"),
                message.text("mismatch"),
                message.text("algorithm"),
                (int) message.number("iterations"),
                message.number("p50Ns"),
                message.number("p99Ns"),
                message.number("sentBytes"),
                message.number("allocatedBytes"));
    }
}
