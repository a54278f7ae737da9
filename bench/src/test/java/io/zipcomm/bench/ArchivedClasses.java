package io.zipcomm.bench;

import io.zipcomm.bench.cluster.ChildJvm;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Has processes that tests start load their classes from a class-data archive, as those of the launcher do: most of what a short
 * process does is to parse and check classes. The first test of a build makes the archive, and jars of what is no jar yet, which it
 * has to be. Without an archive everything works, more slowly. It is found by {@link java.util.ServiceLoader}.
 */
public final class ArchivedClasses implements BeforeAllCallback {

    private static final Path FOLDER = Path.of(System.getProperty("basedir", ""), "target", "archived-classes")
            .toAbsolutePath();
    private static final long LIMIT_S = 60;

    private static boolean installed;

    /** For the service loader. */
    public ArchivedClasses() {}

    @Override
    public void beforeAll(ExtensionContext context) {
        synchronized (ArchivedClasses.class) {
            if (!installed) {
                installed = true;
                install();
            }
        }
    }

    private static void install() {
        try {
            Files.createDirectories(FOLDER);
            List<Path> classPath = Stream.of(ChildJvm.classPath().split(File.pathSeparator, -1))
                    .map(Path::of)
                    .filter(Files::exists)
                    .toList();
            Path made = FOLDER.resolve(key(classPath));
            // Several test processes begin at once. Closing gives the lock back.
            try (FileChannel lock =
                    FileChannel.open(FOLDER.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                lock.lock();
                if (!Files.exists(made)) {
                    make(classPath, made);
                }
            }
            use(classPath, made);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Another one for each JVM, and whenever something was compiled. */
    private static String key(List<Path> classPath) throws IOException {
        long newestMs = 0;
        for (Path one : classPath) {
            try (Stream<Path> files = Files.walk(one)) {
                newestMs = Math.max(
                        newestMs,
                        files.mapToLong(file -> file.toFile().lastModified())
                                .max()
                                .orElse(0));
            }
        }
        return System.getProperty("java.vm.version") + "-" + Integer.toHexString(classPath.hashCode()) + "-" + newestMs;
    }

    private static Path jar(Path folder, int number) {
        return folder.resolve(number + ".jar");
    }

    private static String jars(List<Path> classPath, Path folder) {
        List<String> jars = new ArrayList<>();
        for (Path one : classPath) {
            jars.add((Files.isDirectory(one) ? jar(folder, jars.size()) : one).toString());
        }
        return String.join(File.pathSeparator, jars);
    }

    private static Path archive(Path folder) {
        return folder.resolve("classes.jsa");
    }

    private static void make(List<Path> classPath, Path made) throws IOException, InterruptedException {
        Path folder = Files.createDirectories(made.resolveSibling(made.getFileName() + ".new"));
        for (int i = 0; i < classPath.size(); i++) {
            if (Files.isDirectory(classPath.get(i))) {
                pack(classPath.get(i), jar(folder, i));
            }
        }
        // Its place is part of the archive.
        Files.move(folder, made);
        List<String> flags = new ArrayList<>(ChildJvm.flags());
        flags.add("-XX:ArchiveClassesAtExit=" + archive(made));
        List<String> command = ChildJvm.command(flags, Main.class, "warm-archive");
        command.set(command.indexOf("-cp") + 1, jars(classPath, made));
        Process training = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(made.resolve("log").toFile())
                .start();
        if (!training.waitFor(LIMIT_S, TimeUnit.SECONDS)) {
            training.destroyForcibly();
        }
        System.out.println(
                Files.exists(archive(made))
                        ? "class-data archive of " + Files.size(archive(made)) + " bytes"
                        : "no class-data archive, so processes start slower; see " + made.resolve("log"));
    }

    private static void pack(Path classes, Path jar) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar));
                Stream<Path> all = Files.walk(classes)) {
            zip.setLevel(0);
            for (Path one : all.filter(Files::isRegularFile).sorted().toList()) {
                zip.putNextEntry(new ZipEntry(classes.relativize(one).toString()));
                Files.copy(one, zip);
                zip.closeEntry();
            }
        }
    }

    private static void use(List<Path> classPath, Path made) {
        if (Files.exists(archive(made))) {
            List<String> flags = new ArrayList<>(ChildJvm.flags());
            flags.add("-XX:SharedArchiveFile=" + archive(made));
            flags.add("-Xshare:auto");
            flags.add("-Xlog:cds=off");
            flags.add("-Xlog:cds+dynamic=off");
            System.setProperty(ChildJvm.FLAGS_PROPERTY, String.join("\n", flags));
            System.setProperty(ChildJvm.CLASS_PATH_PROPERTY, jars(classPath, made));
        }
    }
}
