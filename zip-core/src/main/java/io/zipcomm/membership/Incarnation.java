package io.zipcomm.membership;

import java.nio.ByteBuffer;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * What tells this process from all others that were started from the same snapshot: those have the memory, the files and the kernel's
 * boot id in common, on whatever machines they run. Renewed when the process is restored. Any thread.
 *
 * <p>On Linux all of a Java platform's {@link SecureRandom}s share one state, kept in memory, with which they mix what they have
 * read from the kernel up to 100 ms before, by a clock that may stand still in a snapshot. So copies could draw equal numbers. After
 * {@link #renew} they do not: bytes that the kernel gives then, and the clocks, are mixed into that state, which also serves TLS.
 *
 * <p>That nobody can guess these numbers is the kernel's affair: that of a virtual machine has to be told that it was copied, as by a VM
 * generation id.
 */
public final class Incarnation {

    private static final int ID_BYTES = 16;
    private static final int SEED_BYTES = 32;

    private static final SecureRandom RANDOM = new SecureRandom();

    private static volatile String id = "";

    private Incarnation() {}

    /** Differs from that of any other process that was restored; empty in one that was not. */
    public static String id() {
        return id;
    }

    /** For all that must be different in each copy of a process: nonces, keys, names. */
    public static SecureRandom random() {
        return RANDOM;
    }

    /** The process was restored: it is another one now. */
    public static void renew() {
        reseed(RANDOM);
        byte[] drawn = new byte[ID_BYTES];
        RANDOM.nextBytes(drawn);
        id = HexFormat.of().formatHex(drawn);
    }

    /** Mixes in what a copy of this process does not have, though all of its memory is the same. */
    static void reseed(SecureRandom random) {
        random.setSeed(kernelBytes());
        // Where the kernel was copied too, and does not know it.
        random.setSeed(ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(System.nanoTime())
                .putLong(System.currentTimeMillis())
                .array());
    }

    /** Read now: nothing of it is kept in memory. */
    private static byte[] kernelBytes() {
        SecureRandom kernel;
        try {
            kernel = SecureRandom.getInstance("NativePRNGNonBlocking");
        } catch (NoSuchAlgorithmException e) {
            // No such files here: the platform asks its system in another way.
            kernel = new SecureRandom();
        }
        return kernel.generateSeed(SEED_BYTES);
    }
}
