package io.zipcomm;

import io.zipcomm.settings.ZipSettings;

/** Where a program begins: joins its group. */
public final class Zip {
    private Zip() {}

    /** Joins the group that the {@code ZIP_*} environment variables describe. */
    public static Communicator join() {
        return join(ZipSettings.fromEnvironment());
    }

    public static Communicator join(ZipSettings settings) {
        throw new UnsupportedOperationException("being written");
    }
}
