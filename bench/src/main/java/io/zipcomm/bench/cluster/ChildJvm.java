package io.zipcomm.bench.cluster;

import io.zipcomm.bench.machine.SourceCommit;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** How to start a Java process of the distribution: with the class path and the flags that the launcher gave to this one. */
public final class ChildJvm {

    /** System property with the class path of the distribution. */
    public static final String CLASS_PATH_PROPERTY = "zip.classpath";

    /** System property with the flags of the virtual machine, one a line. */
    public static final String FLAGS_PROPERTY = "zip.jvm.flags";

    private static final String ARCHIVE_FLAG = "-XX:SharedArchiveFile=";

    private ChildJvm() {}

    /**
     * A command line.
     *
     * @param flags flags of the virtual machine
     * @param main  class to run
     * @param args  its arguments
     */
    public static List<String> command(List<String> flags, Class<?> main, String... args) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.add("-cp");
        command.add(classPath());
        command.add(main.getName());
        command.addAll(Arrays.asList(args));
        return command;
    }

    /** The class path of the distribution; this process's own where there is no launcher. */
    public static String classPath() {
        String given = System.getProperty(CLASS_PATH_PROPERTY);
        return given != null ? given : System.getProperty("java.class.path");
    }

    /** The flags that the launcher gives. */
    public static List<String> flags() {
        String given = System.getProperty(FLAGS_PROPERTY, "");
        return given.lines().filter(flag -> !flag.isEmpty()).toList();
    }

    /** Flags that set what the launcher told this process, for one that does its work. */
    static List<String> properties() {
        return Stream.of(CLASS_PATH_PROPERTY, FLAGS_PROPERTY, SourceCommit.ROOT_PROPERTY)
                .filter(name -> System.getProperty(name) != null)
                .map(name -> "-D" + name + "=" + System.getProperty(name))
                .toList();
    }

    /** The launcher's flags without the class-data archive. */
    public static List<String> flagsWithoutArchive() {
        return flags().stream().filter(flag -> !flag.startsWith(ARCHIVE_FLAG)).toList();
    }

    /** The class-data archive among the launcher's flags, if it exists. */
    public static Path archive() {
        return flags().stream()
                .filter(flag -> flag.startsWith(ARCHIVE_FLAG))
                .map(flag -> Path.of(flag.substring(ARCHIVE_FLAG.length())))
                .filter(path -> path.toFile().isFile())
                .findFirst()
                .orElse(null);
    }

    /** The class path with another one behind it. */
    public static String classPathBefore(String other) {
        return other == null || other.isEmpty() ? classPath() : classPath() + File.pathSeparator + other;
    }
}
