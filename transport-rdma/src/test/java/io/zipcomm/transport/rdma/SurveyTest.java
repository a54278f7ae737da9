package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.transport.rdma.ffi.Native;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class SurveyTest {

    private static final int VERSION = 1 << 16 | 17;
    private static final String UNTIL_NAMED = "auto does not take it, unless ZIP_RDMA_PROVIDER names a provider";

    private static final List<Providers.Choice> SOFTWARE =
            Providers.parse("tcp;ofi_rxm\t10.0.0.0/24\teth0\nshm\tshm\tshm\ntcp;ofi_rxm\t127.0.0.0/8\tlo\n");

    private static List<Providers.Choice> and(List<Providers.Choice> some, String list) {
        return Stream.concat(some.stream(), Providers.parse(list).stream()).toList();
    }

    private static Device up(String name) {
        return new Device(name, false, true, List.of("port 1 ACTIVE"));
    }

    private static String words(List<Providers.Choice> choices, List<Device> devices, long lockedBytesMax) {
        return new Survey(VERSION, choices, devices, lockedBytesMax).words();
    }

    @Test
    void shouldSayThatThereIsOnlySoftware() {
        assertEquals(
                "libfabric 1.17; no provider for hardware; in software tcp;ofi_rxm, shm; " + UNTIL_NAMED,
                words(SOFTWARE, List.of(), 8 << 20));
    }

    @Test
    void shouldNameHardwareAndItsLinks() {
        assertEquals(
                "libfabric 1.17; for hardware verbs;ofi_rxm on mlx5_0 (port 1 ACTIVE); in software tcp;ofi_rxm, shm;"
                        + " auto takes verbs;ofi_rxm",
                words(and(SOFTWARE, "verbs;ofi_rxm\tIB-0xfe80\tmlx5_0\n"), List.of(up("mlx5_0")), Long.MAX_VALUE));
    }

    @Test
    void shouldWarnOfALowLimitOfLockedMemory() {
        String words = words(and(SOFTWARE, "efa\tefa\trdmap0s6-rdm\n"), List.of(up("rdmap0s6")), 8 << 20);
        assertTrue(words.endsWith("auto takes efa; only 8192 KiB of memory may be locked (ulimit -l)"), words);
    }

    @Test
    void shouldSayThatHardwareHasNoProvider() {
        Device down = new Device("mlx5_0", false, true, List.of("port 1 DOWN"));
        assertEquals(
                "libfabric 1.17; no provider for hardware, though the system has mlx5_0 (port 1 DOWN);"
                        + " in software tcp;ofi_rxm, shm; " + UNTIL_NAMED,
                words(SOFTWARE, List.of(down), Long.MAX_VALUE));
    }

    @Test
    void shouldNotHaveAutoTakeVerbsInSoftware() {
        Device soft = new Device("rxe1", true, true, List.of("port 1 ACTIVE"));
        List<Providers.Choice> choices = and(SOFTWARE, "verbs;ofi_rxm\tx\trxe1\n");
        assertTrue(
                words(choices, List.of(soft), Long.MAX_VALUE)
                        .startsWith(
                                "libfabric 1.17; for hardware verbs;ofi_rxm on rxe1 (port 1 ACTIVE, made of software)"),
                words(choices, List.of(soft), Long.MAX_VALUE));
        assertTrue(words(choices, List.of(soft), Long.MAX_VALUE).endsWith(UNTIL_NAMED));
        assertTrue(words(and(choices, "verbs;ofi_rxm\ty\tmlx5_0\n"), List.of(soft, up("mlx5_0")), Long.MAX_VALUE)
                .endsWith("auto takes verbs;ofi_rxm"));
    }

    @Test
    void shouldReadTheLimitOfThisSystem() {
        String line = "Max locked memory         8388608              unlimited            bytes     ";
        assertEquals(8388608, Survey.lockedBytesIn(List.of("Max processes  1  2  processes", line)));
        assertEquals(Long.MAX_VALUE, Survey.lockedBytesIn(List.of(line.replace("8388608", "unlimited"))));
    }

    /** Of this machine, whatever it has: the software providers are everywhere. */
    @Test
    void shouldLookForReal() {
        String words = Survey.of(Native.library()).words();
        assertTrue(words.matches("libfabric \\d+\\.\\d+; .*in software .*"), words);
        assertTrue(words.contains(Native.TCP) && words.contains(Native.SHM), words);
        System.out.println(words);
    }
}
