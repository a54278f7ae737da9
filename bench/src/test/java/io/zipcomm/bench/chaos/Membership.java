package io.zipcomm.bench.chaos;

import java.util.List;

/**
 * An epoch as a process came into it.
 *
 * @param process who
 * @param epoch   generation of the group
 * @param rank    of the process in it
 * @param before  of each member, its rank in the epoch before; -1 for newcomers, empty in the first epoch
 * @param size    of the group
 * @param atNs    when it was in it
 */
record Membership(int process, int epoch, int rank, List<Integer> before, int size, long atNs) {

    Membership {
        before = List.copyOf(before);
    }
}
