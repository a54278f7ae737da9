/**
 * Programs to read, run and change. Each gives the same result with any number of ranks:
 *
 * <pre>
 * ./zip run --ranks 4 -- java io.zipcomm.bench.examples.WordCount docs
 * ./zip run --ranks 4 -- java io.zipcomm.bench.examples.LogisticRegression
 * </pre>
 */
package io.zipcomm.bench.examples;
