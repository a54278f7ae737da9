package io.zipcomm.transport.tcp;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Runs what several ranks do at once, each on a thread of its own. */
final class Threads {

    /** What one rank does. */
    @FunctionalInterface
    interface Body<T> {

        /** Returns what came of it. */
        T run(int rank) throws Exception;
    }

    private Threads() {}

    /** Runs a body once for each rank and waits for all. The first failure is thrown. */
    static <T> List<T> each(int size, Body<T> body) throws Exception {
        List<Future<T>> futures = start(size, body);
        List<T> results = new ArrayList<>();
        Exception failure = null;
        for (Future<T> future : futures) {
            try {
                results.add(future.get(100, TimeUnit.SECONDS));
            } catch (ExecutionException e) {
                failure = failure == null ? e : failure;
                if (failure != e) {
                    failure.addSuppressed(e.getCause());
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
        return results;
    }

    /** Starts a body once for each rank. */
    static <T> List<Future<T>> start(int size, Body<T> body) {
        ExecutorService threads = Executors.newFixedThreadPool(size);
        List<Future<T>> futures = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            int one = rank;
            futures.add(threads.submit(() -> body.run(one)));
        }
        threads.shutdown();
        return futures;
    }

    /** What a call threw; fails the test if it threw nothing. */
    static <E extends Throwable> E thrown(Class<E> type, Future<?> future) throws Exception {
        try {
            Object result = future.get(100, TimeUnit.SECONDS);
            throw new AssertionError("expected " + type.getSimpleName() + ", got " + result);
        } catch (ExecutionException e) {
            if (type.isInstance(e.getCause())) {
                return type.cast(e.getCause());
            }
            throw e;
        }
    }
}
