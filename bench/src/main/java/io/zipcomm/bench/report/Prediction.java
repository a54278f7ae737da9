package io.zipcomm.bench.report;

/**
 * What a simulation in virtual time says of an operation. No machine was measured: links are ideal, with the alpha and beta
 * that the simulation was given.
 *
 * @param operation          its name, as in a table
 * @param algorithm          how
 * @param ranks              size of the simulated group
 * @param bytes              M; 0 for operations without data
 * @param seconds            virtual time until the last rank is done
 * @param efficiency         lower bound over {@code seconds}; NaN if there is nothing to compute it from
 * @param memoryBytesPerRank scratch memory of the rank that needs most, without the caller's buffers; NaN if not counted
 */
public record Prediction(
        String operation,
        String algorithm,
        int ranks,
        long bytes,
        double seconds,
        double efficiency,
        double memoryBytesPerRank) {}
