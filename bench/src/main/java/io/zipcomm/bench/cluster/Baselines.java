package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.Baseline;
import io.zipcomm.bench.worker.RedisStyle;
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
    private final List<MpiProgram> programs = new ArrayList<>();

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
        RedisAddress address;
        if (asked.isElsewhere()) {
            address = new RedisAddress("redis://" + asked.address());
        } else {
            RedisServer server = RedisServer.start();
            servers.add(server);
            address = new RedisAddress(server.uri());
        }
        versions.put("Redis", address.version());
        for (RedisStyle style : RedisStyle.values()) {
            factories.add(ranks -> new RedisContestant(address, style, ranks));
        }
    }

    private void openMpi() throws WorkerFailure, InterruptedException {
        MpiProgram program = new MpiProgram();
        programs.add(program);
        program.executable();
        versions.put("Open MPI", MpiProgram.version());
        for (MpiContestant.Path path : MpiContestant.Path.values()) {
            factories.add(ranks -> new MpiContestant(path, program, ranks));
        }
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
        programs.forEach(MpiProgram::close);
        servers.forEach(RedisServer::close);
    }
}
