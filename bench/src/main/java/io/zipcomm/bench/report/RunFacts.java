package io.zipcomm.bench.report;

import java.util.List;
import java.util.Map;

/**
 * Where, when and how a run was made: what a reader needs to judge its rows and to make them again.
 *
 * @param command           as it was typed
 * @param commit            of the program, {@code -dirty} appended if files differ; {@code unknown} outside a repository
 * @param startedAt         date and time, UTC, ISO 8601
 * @param machine           by name, such as {@code processor}, {@code cores}, {@code memory}, {@code kernel}; in this order
 * @param versions          by name, such as {@code Zip}, {@code Java}, {@code Redis}, {@code Open MPI}; in this order
 * @param congestionControl that of every contestant, or what differs
 * @param absent            contestants that were asked for and could not be run, each with the reason
 * @param noise             what the run found out about the steadiness of the machine; empty if steady
 */
public record RunFacts(
        String command,
        String commit,
        String startedAt,
        Map<String, String> machine,
        Map<String, String> versions,
        String congestionControl,
        List<String> absent,
        List<String> noise) {}
