package io.zipcomm.bench.worker;

/**
 * What one rank used up in all timed iterations of an order, whatever is between them included. Numbers that were not
 * counted are NaN, never 0.
 *
 * @param cpuNs           processor time of all threads of the process, in nanoseconds
 * @param contextSwitches of all threads of the process, willing or not
 * @param allocatedBytes  what the measuring thread allocated on the Java heap within the timed operations
 * @param sentBytes       what the rank's connections sent, barriers included
 * @param peakMemoryBytes resident memory of the process at its peak, since it began
 */
public record Usage(
        double cpuNs, double contextSwitches, double allocatedBytes, double sentBytes, double peakMemoryBytes) {

    /** Nothing was counted. */
    public static final Usage UNKNOWN = new Usage(Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);

    /** That of two orders together; a number that one of them lacks is not known. */
    public Usage plus(Usage other) {
        return new Usage(
                cpuNs + other.cpuNs,
                contextSwitches + other.contextSwitches,
                allocatedBytes + other.allocatedBytes,
                sentBytes + other.sentBytes,
                Math.max(peakMemoryBytes, other.peakMemoryBytes));
    }

    Message writeTo(Message message) {
        return message.with("cpuNs", cpuNs)
                .with("contextSwitches", contextSwitches)
                .with("allocatedBytes", allocatedBytes)
                .with("sentBytes", sentBytes)
                .with("peakMemoryBytes", peakMemoryBytes);
    }

    static Usage from(Message message) {
        return new Usage(
                message.decimal("cpuNs"),
                message.decimal("contextSwitches"),
                message.decimal("allocatedBytes"),
                message.decimal("sentBytes"),
                message.decimal("peakMemoryBytes"));
    }
}
