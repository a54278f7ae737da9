package io.zipcomm.transport.rdma;

import io.zipcomm.settings.Setting;
import io.zipcomm.transport.rdma.Providers.Choice;
import io.zipcomm.transport.rdma.ffi.Fabric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What there is here for RDMA, for people.
 *
 * @param version        of libfabric, as {@code zf_library_version} has it
 * @param choices        what libfabric could open
 * @param devices        what the system lists
 * @param lockedBytesMax how much memory this process may lock, as hardware needs it; {@link Long#MAX_VALUE} for any
 */
record Survey(int version, List<Choice> choices, List<Device> devices, long lockedBytesMax) {

    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final String LIMIT = "Max locked memory";

    /** Below that a group of some ranks with payloads of some size does not go. */
    private static final long LOCKED_BYTES_LOW = 1L << 30;

    /** Looks. May take some hundred milliseconds the first time in a process. */
    static Survey of(Fabric fabric) {
        return new Survey(fabric.libraryVersion(), Providers.choices(fabric), Device.all(), lockedBytesHere());
    }

    private static long lockedBytesHere() {
        try {
            return lockedBytesIn(Files.readAllLines(LIMITS));
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
    }

    /**
     * The soft limit, in bytes.
     *
     * @param limits as the system writes them, one a line
     */
    static long lockedBytesIn(List<String> limits) {
        return limits.stream()
                .filter(line -> line.startsWith(LIMIT))
                .map(line -> line.substring(LIMIT.length()).trim().split(" ", 2)[0])
                .filter(limit -> limit.matches("\\d+"))
                .mapToLong(Long::parseLong)
                .findFirst()
                .orElse(Long.MAX_VALUE);
    }

    /** As people write it. */
    static String version(int version) {
        return (version >> 16) + "." + (version & 0xffff);
    }

    /** One line. */
    String words() {
        List<String> words = new ArrayList<>();
        words.add("libfabric " + version(version));
        String hardware = providers(one -> Providers.isForHardware(one.provider()));
        words.add(
                hardware.isEmpty()
                        ? "no provider for hardware"
                                + (devices.isEmpty() ? "" : ", though the system has " + join(devices))
                        : "for hardware " + hardware + (devices.isEmpty() ? "" : " on " + join(devices)));
        String software = providers(one -> !Providers.isForHardware(one.provider()));
        words.add(software.isEmpty() ? "none in software" : "in software " + software);
        words.add(choice());
        if (!hardware.isEmpty() && lockedBytesMax < LOCKED_BYTES_LOW) {
            words.add("only " + (lockedBytesMax >> 10) + " KiB of memory may be locked (ulimit -l)");
        }
        return String.join("; ", words);
    }

    /** What {@code auto} does, by the same rules. */
    private String choice() {
        boolean isUsable = devices.stream().anyMatch(Device::isUsable);
        List<String> best = Providers.best(choices, devices);
        return isUsable && !best.isEmpty()
                ? "auto takes " + String.join(" or ", best)
                : "auto does not take it, unless " + Setting.RDMA_PROVIDER.variable() + " names a provider";
    }

    private String providers(Predicate<Choice> which) {
        return choices.stream().filter(which).map(Choice::provider).distinct().collect(Collectors.joining(", "));
    }

    private static String join(List<Device> devices) {
        return devices.stream().map(Device::toString).collect(Collectors.joining(", "));
    }
}
