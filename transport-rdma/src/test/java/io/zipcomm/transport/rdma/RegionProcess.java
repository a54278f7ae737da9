package io.zipcomm.transport.rdma;

import io.zipcomm.Communicator;
import io.zipcomm.Region;
import io.zipcomm.Zip;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A rank in a process of its own: puts to the next rank and gets from it until that fails, or does nothing at all. */
final class RegionProcess {

    static final int BYTES = 4 << 20;

    /** What all bytes of an idle rank's memory are. */
    static final int VALUE = 5;

    private RegionProcess() {}

    /**
     * Starts one.
     *
     * @param idle whether it says {@code running} when all have met in a fence, and does nothing from then on
     */
    static Process start(int port, int size, int rank, String provider, boolean idle) throws IOException {
        return new ProcessBuilder(
                        java.nio.file.Path.of(System.getProperty("java.home"), "bin", "java")
                                .toString(),
                        "-XX:+IgnoreUnrecognizedVMOptions",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-Xmx128m",
                        "-Dzip.native.path=" + System.getProperty("zip.native.path"),
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        RegionProcess.class.getName(),
                        Integer.toString(port),
                        Integer.toString(size),
                        Integer.toString(rank),
                        provider,
                        Boolean.toString(idle))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** Says {@code running}, then what it failed with, at which instant, and {@code closed} when everything is closed. */
    public static void main(String[] args) throws InterruptedException {
        ZipSettings settings = RegionGroup.settings(
                Integer.parseInt(args[0]),
                "processes",
                Integer.parseInt(args[1]),
                Integer.parseInt(args[2]),
                TransportChoice.RDMA,
                args[3]);
        try (Communicator world = Zip.join(settings)) {
            try (Region region = world.expose(RegionGroup.filled(BYTES, VALUE))) {
                if (Boolean.parseBoolean(args[4])) {
                    region.fence();
                    System.out.println("running");
                    Thread.sleep(Long.MAX_VALUE);
                }
                run(world, region);
            }
        }
        System.out.println("closed");
    }

    private static void run(Communicator world, Region region) {
        int next = (world.rank() + 1) % world.size();
        ByteBuffer memory = ByteBuffer.allocateDirect(BYTES);
        for (int round = 0; ; round++) {
            try {
                region.put(next, 0, memory.duplicate().limit(BYTES / 2));
                region.get(next, BYTES / 2, memory.duplicate().position(BYTES / 2));
                region.flush(next);
                if (round % 4 == 0) {
                    region.fence();
                }
            } catch (ZipException e) {
                System.out.println(e.code() + " " + e.peer() + " " + System.currentTimeMillis() + " " + e.getMessage());
                return;
            }
            if (round == 8) {
                System.out.println("running");
            }
        }
    }
}
