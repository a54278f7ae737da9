package io.zipcomm.relay.route;

/** Takes one layer off what comes in on a connection, such as TLS, and keeps what has not come in whole. Event loop only. */
public interface Unwrapper {

    /** Memory that it keeps, in bytes. */
    long keptBytes();

    /** It is known who is at the other end, which may say more at a time from now on. */
    default void known() {}
}
