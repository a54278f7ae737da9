/**
 * What Linux tells of this machine and of processes: facts for the head of a report, what a process has used up, and who else
 * wants the processors. Parsers of text with a thin reader around each; elsewhere than on Linux the numbers are not known.
 */
package io.zipcomm.bench.machine;
