/**
 * What runs inside the processes that the harness starts: measuring one row, checking its data, and the probes for cold
 * start and for a killed rank; for the library, and for ranks that talk through Redis, plainly or as well as can be. Knows
 * nothing of tables and options; talks to the harness in {@code Message}s.
 */
package io.zipcomm.bench.worker;
