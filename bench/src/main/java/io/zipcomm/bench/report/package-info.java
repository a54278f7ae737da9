/** Rows of measurements, what they say about efficiency, and how they are shown: table, CSV, summary. */
package io.zipcomm.bench.report;
