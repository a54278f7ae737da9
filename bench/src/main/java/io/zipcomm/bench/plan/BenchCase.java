package io.zipcomm.bench.plan;

/**
 * One row to measure.
 *
 * @param operation what
 * @param transport over which paths; a name that {@code ZIP_TRANSPORT} takes
 * @param ranks     size of the group
 * @param bytes     M; 0 for operations without data
 */
public record BenchCase(BenchOperation operation, String transport, int ranks, long bytes) {

    @Override
    public String toString() {
        String size = operation.hasBytes() ? " " + ByteSize.describe(bytes) : "";
        return operation.label() + size + ", " + transport + ", " + ranks + " ranks";
    }
}
