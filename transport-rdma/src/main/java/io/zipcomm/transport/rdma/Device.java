package io.zipcomm.transport.rdma;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A device for remote memory access, as the system lists it. Looking for them loads nothing.
 *
 * @param name         as the system has it, such as {@code mlx5_0}
 * @param isSoftware   it is made of software: soft-RoCE, soft-iWARP
 * @param isAccessible this process may see the files by which it is used
 * @param ports        what the system says of each, such as {@code port 1 ACTIVE}; empty if it says nothing
 */
record Device(String name, boolean isSoftware, boolean isAccessible, List<String> ports) {

    private static final Path CLASSES = Path.of("/sys/class");
    private static final Path FILES = Path.of("/dev");

    /** Names of classes; only the first has ports, and files in a directory of its own. */
    private static final String VERBS = "infiniband";

    private static final List<String> OTHERS = List.of("cxi", "hfi1", "gni");

    /** Of the drivers that are software, where their names tell. */
    private static final List<String> SOFTWARE = List.of("rxe", "siw");

    private static final String ACTIVE = " ACTIVE";

    /** Hardware that could carry messages now. */
    boolean isUsable() {
        return !isSoftware && isAccessible && (ports.isEmpty() || hasActivePort());
    }

    private boolean hasActivePort() {
        return ports.stream().anyMatch(port -> port.endsWith(ACTIVE));
    }

    static List<Device> all() {
        return all(CLASSES, FILES);
    }

    /**
     * Devices of a machine, by name.
     *
     * @param classes where the system lists them
     * @param files   where the files are by which they are used
     */
    static List<Device> all(Path classes, Path files) {
        List<Device> devices = new ArrayList<>();
        boolean isAccessible = entries(files.resolve(VERBS)).stream()
                .anyMatch(file -> name(file).startsWith("uverbs"));
        for (Path device : entries(classes.resolve(VERBS))) {
            devices.add(new Device(name(device), isSoftware(device), isAccessible, ports(device.resolve("ports"))));
        }
        for (String other : OTHERS) {
            for (Path device : entries(classes.resolve(other))) {
                devices.add(new Device(name(device), false, Files.exists(files.resolve(name(device))), List.of()));
            }
        }
        return devices;
    }

    /** Soft-RoCE says who its parent is; soft-iWARP may be known only by its name, if it is not that of a device of its own. */
    private static boolean isSoftware(Path device) {
        try {
            return Files.exists(device.resolve("parent"))
                    || SOFTWARE.stream().anyMatch(name(device)::startsWith)
                    || device.toRealPath().toString().contains("/devices/virtual/");
        } catch (IOException e) {
            return false;
        }
    }

    /** {@code 4: ACTIVE} is how the system says it. */
    private static List<String> ports(Path directory) {
        List<String> ports = new ArrayList<>();
        for (Path port : entries(directory)) {
            try {
                String state = Files.readString(port.resolve("state")).trim();
                ports.add("port " + name(port) + " " + state.substring(state.indexOf(' ') + 1));
            } catch (IOException e) {
                ports.add("port " + name(port) + " of unknown state");
            }
        }
        return ports;
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }

    private static List<Path> entries(Path directory) {
        List<Path> entries = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
                stream.forEach(entries::add);
            } catch (IOException | DirectoryIteratorException e) {
                return List.of();
            }
        }
        entries.sort(null);
        return entries;
    }

    @Override
    public String toString() {
        List<String> facts = new ArrayList<>(ports);
        if (isSoftware) {
            facts.add("made of software");
        }
        if (!isAccessible) {
            facts.add("no file in /dev for it");
        }
        return facts.isEmpty() ? name : name + " (" + String.join(", ", facts) + ")";
    }
}
