package io.zipcomm.internal;

/** placeholder until the collectives' class lands. */
public final class Signature {
    /** Signature of split and duplicate. */
    public static final int SPLIT = 31;

    private Signature() {}

    static String describe(int signature) {
        return "operation " + Integer.toHexString(signature);
    }
}
