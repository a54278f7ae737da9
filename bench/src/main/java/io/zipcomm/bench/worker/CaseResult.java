package io.zipcomm.bench.worker;

/**
 * What a rank answers to a {@link CaseOrder}.
 *
 * @param rank      who answers
 * @param mismatch  the first wrong datum it found; empty if all were right
 * @param algorithm name of the algorithm that ran
 * @param times     of the timed iterations, of the slowest rank of each; only rank 0 knows them, others answer none
 * @param usage     what the rank used up in them
 */
public record CaseResult(int rank, String mismatch, String algorithm, Times times, Usage usage) {

    /** Kind of the message. */
    public static final String KIND = "measured";

    /** As a message to the harness. */
    public Message toMessage() {
        Message message = Message.of(KIND)
                .with("rank", rank)
                .with("mismatch", mismatch)
                .with("algorithm", algorithm)
                .with("times", times.encoded());
        return usage.writeTo(message);
    }

    /** Reads what {@link #toMessage} made. */
    public static CaseResult from(Message message) {
        return new CaseResult(
                (int) message.number("rank"),
                message.text("mismatch"),
                message.text("algorithm"),
                Times.decoded(message.text("times")),
                Usage.from(message));
    }
}
