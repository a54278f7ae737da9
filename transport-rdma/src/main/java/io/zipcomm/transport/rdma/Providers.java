package io.zipcomm.transport.rdma;

import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.transport.rdma.ffi.Addresses;
import io.zipcomm.transport.rdma.ffi.Fabric;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Which of libfabric's providers are used. */
final class Providers {

    /** As the setting has it. */
    static final String AUTO = "auto";

    /** What every machine has. */
    static final String SOFTWARE = "tcp;ofi_rxm";

    /** One host's own. */
    static final String SHARED_MEMORY = "shm";

    /** Those for hardware that have reliable datagrams, best first. */
    private static final List<String> HARDWARE = List.of("efa", "cxi", "opx", "psm3", "psm2", "gni", "verbs;ofi_rxm");

    /** Those that move bytes by the peer's own doing begin like this. */
    private static final List<String> TWO_SIDED = List.of("tcp", "net", "sockets", "udp");

    /** How many of them {@code auto} opens. */
    private static final int AUTO_MAX = 2;

    private static final int LIST_BYTES = 64 << 10;

    private Providers() {}

    /**
     * Whether the settings ask for paths of this module, on this machine. Loads nothing.
     */
    static boolean isWanted(ZipSettings settings) {
        return settings.transport() == TransportChoice.RDMA
                || (settings.transport() == TransportChoice.AUTO
                        && (!isAuto(settings) || Device.all().stream().anyMatch(Device::isUsable)));
    }

    private static boolean isAuto(ZipSettings settings) {
        return settings.rdmaProvider().equalsIgnoreCase(AUTO);
    }

    /**
     * The providers to use, best first: of several named ones those that are here, if any is. May block for some 200 ms, while libfabric
     * looks for devices.
     *
     * @return empty if there is no hardware, and nothing else is asked for
     */
    static List<String> choose(Fabric fabric, ZipSettings settings) {
        List<Choice> choices = choices(fabric);
        if (!isAuto(settings)) {
            List<String> named = named(settings);
            List<String> here = named.stream()
                    .filter(name -> choices.stream().anyMatch(one -> one.answersTo(name)))
                    .toList();
            return here.isEmpty() ? named : here;
        }
        boolean isAlone = settings.transport() == TransportChoice.RDMA;
        List<String> hardware = best(choices, isAlone ? List.of() : Device.all());
        return hardware.isEmpty() && isAlone ? List.of(SOFTWARE) : hardware;
    }

    /** Those of the setting, in its order. */
    private static List<String> named(ZipSettings settings) {
        List<String> names = Stream.of(settings.rdmaProvider().split(","))
                .map(String::trim)
                .filter(name -> !name.isEmpty())
                .distinct()
                .toList();
        return names.isEmpty() ? List.of(settings.rdmaProvider()) : names;
    }

    /**
     * The best providers for hardware: not more than two, as each of them takes memory and time, of which one is used in the end.
     *
     * @param devices of the machine; those of them that are made of software do not count
     */
    static List<String> best(List<Choice> choices, List<Device> devices) {
        return HARDWARE.stream()
                .filter(provider -> choices.stream()
                        .anyMatch(one -> one.provider().equals(provider)
                                && devices.stream().noneMatch(device -> device.isSoftware() && one.isOf(device))))
                .limit(AUTO_MAX)
                .toList();
    }

    static boolean isForHardware(String provider) {
        return HARDWARE.contains(provider);
    }

    /**
     * What could be opened.
     *
     * @param provider as libfabric writes it
     * @param domain   the device, or what stands for it
     */
    record Choice(String provider, String domain) {

        /** As libfabric has it: layers in any order, some of them left out, and in any case. */
        boolean answersTo(String name) {
            List<String> layers = List.of(provider.toLowerCase(Locale.ROOT).split(";"));
            return layers.containsAll(List.of(name.toLowerCase(Locale.ROOT).split(";")));
        }

        /** Some providers put a word behind the name of the device. */
        boolean isOf(Device device) {
            return domain.equals(device.name()) || domain.startsWith(device.name() + "-");
        }
    }

    /** What can be opened here. */
    static List<Choice> choices(Fabric fabric) {
        ByteBuffer list = ByteBuffer.allocateDirect(LIST_BYTES);
        int bytes = Math.min(LIST_BYTES, fabric.list(0, 0, Addresses.of(list), LIST_BYTES));
        byte[] text = new byte[Math.max(0, bytes - 1)];
        list.get(0, text);
        return parse(new String(text, StandardCharsets.UTF_8));
    }

    /** Lines of fields with tabs between them: provider, fabric, domain. */
    static List<Choice> parse(String list) {
        return list.lines()
                .map(line -> line.split("\t"))
                .filter(fields -> fields.length > 2)
                .map(fields -> new Choice(fields[0], fields[2]))
                .distinct()
                .toList();
    }

    /** Whether memory is read without the doing of the process that it belongs to. */
    static boolean isOneSided(String provider) {
        return TWO_SIDED.stream().noneMatch(provider::startsWith);
    }
}
