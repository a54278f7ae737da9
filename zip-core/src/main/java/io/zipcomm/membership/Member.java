package io.zipcomm.membership;

import java.util.List;

/**
 * One rank of a group.
 *
 * @param rank       rank in the world
 * @param hostId     equal on ranks that share a kernel and a network stack
 * @param candidates addresses at which it may be reached without the relay
 * @param transports names of the paths it can use
 */
public record Member(int rank, String hostId, List<Candidate> candidates, List<String> transports) {

    /** Name of the memory that it shares with ranks that published the same; empty if none. */
    public String memory() {
        for (Candidate one : candidates) {
            if (one.kind() == Candidate.Kind.MEMORY) {
                return one.host();
            }
        }
        return "";
    }

    /** Names of what moves bytes on its fabrics, best first; empty if it is on none. */
    public List<String> fabrics() {
        return candidates.stream()
                .filter(one -> one.kind() == Candidate.Kind.FABRIC)
                .map(Candidate::provider)
                .toList();
    }

    /** Whether it publishes addresses at which peers reach it by a kind of path. */
    public boolean isReachedBy(String path) {
        return candidates.stream().anyMatch(one -> one.transport().equals(path));
    }

    /** Copies the lists. */
    public Member {
        candidates = List.copyOf(candidates);
        transports = List.copyOf(transports);
    }
}
