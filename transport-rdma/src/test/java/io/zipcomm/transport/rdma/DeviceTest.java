package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of directories laid out as Linux has them. */
final class DeviceTest {

    @TempDir
    private Path root;

    private Path classes;
    private Path files;

    @BeforeEach
    void begin() throws IOException {
        classes = Files.createDirectories(root.resolve("sys/class"));
        files = Files.createDirectories(root.resolve("dev"));
    }

    private void device(String name, String... states) throws IOException {
        for (int port = 1; port <= states.length; port++) {
            Path directory = Files.createDirectories(classes.resolve("infiniband/" + name + "/ports/" + port));
            Files.writeString(directory.resolve("state"), states[port - 1] + "\n");
        }
        Files.createDirectories(files.resolve("infiniband"));
        Files.writeString(files.resolve("infiniband/uverbs0"), "");
    }

    private List<Device> devices() {
        return Device.all(classes, files);
    }

    private boolean isAnyUsable() {
        return devices().stream().anyMatch(Device::isUsable);
    }

    @Test
    void shouldFindNoneWhereThereAreNone() throws IOException {
        assertEquals(List.of(), devices());
        Files.createDirectories(classes.resolve("infiniband"));
        assertEquals(List.of(), devices());
    }

    @Test
    void shouldSayWhichPortsAreUp() throws IOException {
        device("mlx5_1", "1: DOWN", "4: ACTIVE");
        device("mlx5_0", "1: DOWN");
        assertEquals(
                "[mlx5_0 (port 1 DOWN), mlx5_1 (port 1 DOWN, port 2 ACTIVE)]",
                devices().toString());
        assertFalse(devices().get(0).isUsable());
        assertTrue(devices().get(1).isUsable());
    }

    /** In a container the system's lists can be seen, the files often not. */
    @Test
    void shouldNotUseWhatThisProcessMayNotOpen() throws IOException {
        device("efa_0", "4: ACTIVE");
        assertTrue(isAnyUsable());
        Files.delete(files.resolve("infiniband/uverbs0"));
        assertFalse(isAnyUsable());
        assertEquals(
                "[efa_0 (port 1 ACTIVE, no file in /dev for it)]", devices().toString());
    }

    @Test
    void shouldNotTakeSoftwareForHardware() throws IOException {
        device("mine", "4: ACTIVE");
        Files.writeString(classes.resolve("infiniband/mine/parent"), "eth0");
        device("siw0", "4: ACTIVE");
        Path virtual = Files.createDirectories(root.resolve("sys/devices/virtual/infiniband/other"));
        Files.createSymbolicLink(classes.resolve("infiniband/other"), virtual);
        assertFalse(isAnyUsable());
        assertEquals(
                "[mine (port 1 ACTIVE, made of software), other (made of software), siw0 (port 1 ACTIVE, made of software)]",
                devices().toString());
        device("mlx5_0", "4: ACTIVE");
        assertTrue(isAnyUsable());
    }

    @Test
    void shouldKnowOtherKindsOfHardware() throws IOException {
        Files.createDirectories(classes.resolve("cxi/cxi0"));
        assertFalse(isAnyUsable());
        Files.writeString(files.resolve("cxi0"), "");
        assertTrue(isAnyUsable());
        assertEquals("[cxi0]", devices().toString());
    }
}
