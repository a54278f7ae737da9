/** The commands of {@code ./zip}: options, their checks and messages. What they do is in the other packages. */
package io.zipcomm.bench.cli;
