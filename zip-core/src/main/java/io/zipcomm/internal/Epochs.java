package io.zipcomm.internal;

/** Takes this rank from its world to that of the next epoch. Any thread. */
interface Epochs {

    /**
     * Goes on, with the members that do so too. Blocks until the next epoch has begun.
     *
     * @param operation  name of the call, for errors
     * @param sizeWanted ranks to wait for; 0 for living members alone
     * @param time       how long to wait for the others
     * @return the new world, to be closed by the caller
     * @throws io.zipcomm.error.ZipException as {@link io.zipcomm.Communicator#shrink}
     */
    GroupCommunicator next(String operation, int sizeWanted, CallTime time);

    /**
     * The world is closed: leaves the group, unless this rank has gone on to the next epoch.
     *
     * @param untilNs instant on the engine's clock at which that is over
     */
    void close(long untilNs);
}
