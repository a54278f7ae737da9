package io.zipcomm.transport.rdma;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** Memory for payloads on their way, made when it is needed first, and kept. Engine holder only. */
final class Bounces {

    private final Registrar registrar;
    private final int bytes;
    private final int access;
    private final int max;
    private final ArrayDeque<Bounce> free;

    /** Also those in use, which are reachable for as long as these are. */
    private final List<Bounce> all = new ArrayList<>();

    /**
     * None yet.
     *
     * @param bytes  of each
     * @param access what for
     * @param max    how many there are at most, but for {@link #takeInAnyCase}
     */
    Bounces(Registrar registrar, int bytes, int access, int max) {
        this.registrar = registrar;
        this.bytes = bytes;
        this.access = access;
        this.max = max;
        free = new ArrayDeque<>(max);
    }

    int bytes() {
        return bytes;
    }

    /** How many are not free. */
    int used() {
        return all.size() - free.size();
    }

    /**
     * One of them; null if all are in use.
     *
     * @throws io.zipcomm.error.ZipException with code LIMIT if its memory cannot be registered
     */
    Bounce take() {
        return free.isEmpty() && all.size() >= max ? null : takeInAnyCase();
    }

    /**
     * The same, for what cannot wait.
     *
     * @throws io.zipcomm.error.ZipException with code LIMIT if its memory cannot be registered
     */
    Bounce takeInAnyCase() {
        Bounce one = free.poll();
        if (one == null) {
            one = new Bounce(registrar, bytes, access);
            all.add(one);
        }
        return one;
    }

    void give(Bounce one) {
        free.push(one);
    }
}
