package io.zipcomm.internal;

import io.zipcomm.error.ZipException;

/** Told of the end of a transfer, by the holder of the engine; may post further transfers but must not block. */
public interface Completion {

    /**
     * A transfer ended.
     *
     * @param cookie  what the poster gave
     * @param bytes   length of the message
     * @param failure null if it succeeded
     */
    void completed(int cookie, long bytes, ZipException failure);
}
