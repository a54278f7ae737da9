package io.zipcomm.bench.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/**
 * An environment variable by which processes are recognised that a group has started, directly or not: also those whose
 * parent is gone, and which nothing else tells from strangers.
 *
 * @param variable name
 * @param value    a value that occurs once in the world
 */
public record EnvironmentMark(String variable, String value) {

    void put(Map<String, String> environment) {
        environment.put(variable, value);
    }

    /** The processes that bear the mark. Empty where the system does not show the environment of processes. */
    Stream<ProcessHandle> bearers() {
        ProcessHandle self = ProcessHandle.current();
        return ProcessHandle.allProcesses()
                .filter(process -> !process.equals(self))
                .filter(this::isBorneBy);
    }

    private boolean isBorneBy(ProcessHandle process) {
        try {
            byte[] environment = Files.readAllBytes(Path.of("/proc", Long.toString(process.pid()), "environ"));
            String text = '\0' + new String(environment, StandardCharsets.ISO_8859_1);
            return text.contains('\0' + variable + '=' + value + '\0');
        } catch (IOException e) {
            return false;
        }
    }
}
