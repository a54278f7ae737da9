/** What {@code zip tune} makes of measurements: candidates, winners, and the lines of a table. No processes here. */
package io.zipcomm.bench.tuning;
