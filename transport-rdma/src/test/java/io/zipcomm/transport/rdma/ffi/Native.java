package io.zipcomm.transport.rdma.ffi;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;

/** The native library in tests: without it they are skipped, and say why. */
public final class Native {

    /** Providers that are in software, so that every machine with libfabric has them. */
    public static final String SHM = "shm";

    public static final String TCP = "tcp;ofi_rxm";

    /** That of cards for InfiniBand and RoCE, and of soft-RoCE. */
    public static final String VERBS = "verbs;ofi_rxm";

    /** Where this system property is true, a device with verbs must be there. */
    private static final String VERBS_REQUIRED = "zip.verbs.required";

    /** Where this variable of the environment is set, the native library must be there. */
    private static final String LIBRARY_REQUIRED = "ZIP_TEST_NATIVE";

    private static final int LIST_BYTES = 64 << 10;

    private Native() {}

    /** Those that tests of all providers run over: those in software, or verbs where there must be a device with it. */
    public static Stream<String> providers() {
        return Boolean.getBoolean(VERBS_REQUIRED) ? Stream.of(VERBS) : Stream.of(SHM, TCP);
    }

    /** The library, or a skip; a failure where it must be there. */
    public static Fabric library() {
        String absence = FabricLibrary.absence();
        assertTrue(absence == null || System.getenv(LIBRARY_REQUIRED) == null, () -> "no native library: " + absence);
        assumeTrue(absence == null, () -> "no native library: " + absence);
        try {
            Fabric fabric = FabricLibrary.load();
            int version = fabric.libraryVersion();
            assumeTrue(version > 0, () -> FabricError.text(fabric, version));
            return fabric;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The library where there is a device with verbs, or a skip; a failure where there must be one. */
    public static Fabric verbs() {
        String absence = FabricLibrary.absence();
        assertFalse(absence != null && Boolean.getBoolean(VERBS_REQUIRED), () -> "no native library: " + absence);
        Fabric fabric = library();
        String here = list(fabric);
        boolean isHere = here.lines().anyMatch(line -> line.startsWith(VERBS + "\t"));
        assertTrue(isHere || !Boolean.getBoolean(VERBS_REQUIRED), () -> "no " + VERBS + " in: " + here);
        assumeTrue(isHere, "libfabric finds no device with verbs");
        return fabric;
    }

    private static String list(Fabric fabric) {
        ByteBuffer list = ByteBuffer.allocateDirect(LIST_BYTES);
        int bytes = fabric.list(0, 0, Addresses.of(list), LIST_BYTES);
        assertTrue(bytes > 0 && bytes <= LIST_BYTES, () -> FabricError.text(fabric, bytes));
        byte[] text = new byte[bytes - 1];
        list.get(0, text);
        return new String(text, StandardCharsets.UTF_8);
    }
}
