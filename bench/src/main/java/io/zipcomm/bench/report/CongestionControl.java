package io.zipcomm.bench.report;

/**
 * Under which congestion control the connections of a run are.
 *
 * @param name     that of all, or the system's default
 * @param enforced whether the run has a network of its own in which nobody can have another
 */
public record CongestionControl(String name, boolean enforced) {

    /** What the library asks for within a host, where it may. */
    public static final String LIBRARYS = "cubic";

    /** Whether all contestants have the same. */
    public boolean isSameForAll() {
        return enforced || name.equals(LIBRARYS);
    }

    /** For the head of the table and of a report. */
    public String describe() {
        if (enforced) {
            return name + " for all, enforced in a network namespace of the run's own";
        }
        if (isSameForAll()) {
            return name + " for all, the system's default";
        }
        return "ranks of the library set " + LIBRARYS
                + " on their connections within a host, unless ZIP_IO=nio or the kernel"
                + " refuses; the embedded relay's own sockets, the floor and other systems have the system's default, "
                + name;
    }
}
