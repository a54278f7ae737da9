package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.Baseline;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The other systems of a run: makes their contestants, starts the servers that they share, and knows which of them cannot
 * be had here, and why. One that is missing costs the run nothing but its rows.
 */
final class Baselines implements AutoCloseable {

    private final List<ContestantFactory> factories = new ArrayList<>();
    private final List<String> absent = new ArrayList<>();
    private final Map<String, String> versions = new LinkedHashMap<>();
    private final List<RedisServer> servers = new ArrayList<>();

    private Baselines() {}

    /** Finds what was asked for, and starts what it needs besides its contestants. */
    static Baselines open(List<Baseline> asked) throws InterruptedException {
        Baselines baselines = new Baselines();
        try {
            for (Baseline one : asked) {
                baselines.open(one);
            }
            return baselines;
        } catch (InterruptedException | RuntimeException e) {
            baselines.close();
            throw e;
        }
    }

    private void open(Baseline asked) throws InterruptedException {
        try {
            switch (asked.kind()) {
                case REDIS -> openRedis(asked);
                case MPI -> openMpi();
            }
        } catch (WorkerFailure e) {
            absent.add(asked.kind().label() + ": " + e.getMessage());
        }
    }

    private void openRedis(Baseline asked) throws WorkerFailure, InterruptedException {
        if (!asked.isElsewhere()) {
            need("redis-server");
            RedisServer server = RedisServer.start();
            servers.add(server);
        }
        throw new WorkerFailure("this version has no contestant for it");
    }

    private static void openMpi() throws WorkerFailure {
        need("mpirun");
        need("mpicc");
        throw new WorkerFailure("this version has no contestant for it");
    }

    private static void need(String program) throws WorkerFailure {
        String path = System.getenv().getOrDefault("PATH", "");
        for (String folder : path.split(File.pathSeparator, -1)) {
            if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, program))) {
                return;
            }
        }
        throw new WorkerFailure("there is no " + program + " on the PATH");
    }

    /** Makers of the contestants that can be had. */
    List<ContestantFactory> factories() {
        return factories;
    }

    /** What was asked for and cannot be had, each with the reason. */
    List<String> absent() {
        return absent;
    }

    /** Versions of the other systems, by name. */
    Map<String, String> versions() {
        return versions;
    }

    @Override
    public void close() {
        servers.forEach(RedisServer::close);
    }
}
