package io.zipcomm;

import java.util.List;

/**
 * What the members of a communicator agreed on by {@link Communicator#agree}: the same for all of them. Immutable.
 *
 * @param value  whether every member said true that said anything
 * @param failed ranks, in the communicator and in ascending order, of members that were gone: they died, or left
 */
public record Agreement(boolean value, List<Integer> failed) {

    /** Copies the list. */
    public Agreement {
        failed = List.copyOf(failed);
    }
}
