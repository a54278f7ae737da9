package io.zipcomm.bench.chaos;

import io.zipcomm.error.ErrorCode;
import java.util.Set;

/**
 * What a process said of a failure that it saw, with processes named by their numbers in the harness.
 *
 * @param process   who
 * @param epoch     of the group in which it saw it
 * @param code      of the exception that ended its work
 * @param peer      process that the exception named; -1 if none
 * @param message   of the exception
 * @param noticedNs when it was caught
 * @param failed    what the members agreed on
 * @param agreedNs  when that was known
 */
record Report(
        int process,
        int epoch,
        ErrorCode code,
        int peer,
        String message,
        long noticedNs,
        Set<Integer> failed,
        long agreedNs) {

    Report {
        failed = Set.copyOf(failed);
    }
}
