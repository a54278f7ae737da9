package io.zipcomm.bench.cli;

import io.zipcomm.bench.cluster.EmbeddedRelay;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.worker.WarmUp;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;

/**
 * {@code zip warm-archive}: the training run of the class-data archive. Two ranks in this process, which is good for
 * nothing but loading classes.
 */
@Command(description = "Loads the classes that a class-data archive should hold. Used by the launcher.")
final class WarmArchiveCommand implements Callable<Integer> {

    private static final int RANKS = 2;
    private static final long LIMIT_S = 60;

    @Override
    public Integer call() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(RANKS);
        try (EmbeddedRelay relay = EmbeddedRelay.start()) {
            for (String transport : List.of("tcp", "relay", "auto")) {
                warm(relay.newGroup("warm", RANKS, transport), threads);
            }
            return 0;
        } finally {
            threads.shutdownNow();
        }
    }

    private static void warm(GroupEnvironment group, ExecutorService threads)
            throws InterruptedException, ExecutionException, TimeoutException {
        CompletionService<Void> ranks = new ExecutorCompletionService<>(threads);
        for (int rank = 0; rank < RANKS; rank++) {
            ZipSettings.Builder builder = ZipSettings.builder();
            for (Setting setting : Setting.values()) {
                String value = group.forRank(rank).get(setting.variable());
                if (value != null) {
                    builder.set(setting, value);
                }
            }
            ZipSettings settings = builder.build();
            ranks.submit(() -> WarmUp.run(settings), null);
        }
        for (int rank = 0; rank < RANKS; rank++) {
            // The first that fails is the one to report: the others fail for want of it.
            Future<Void> ended = ranks.poll(LIMIT_S, TimeUnit.SECONDS);
            if (ended == null) {
                throw new TimeoutException("no end after " + LIMIT_S + " s over " + group.transport());
            }
            ended.get();
        }
    }
}
