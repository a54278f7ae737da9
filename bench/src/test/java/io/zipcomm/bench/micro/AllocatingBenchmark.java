package io.zipcomm.bench.micro;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Allocates in one call of eight, so that {@link AllocationTest} can show that it would find that. */
@State(Scope.Thread)
public class AllocatingBenchmark {

    private int calls;
    private Object last;

    /** A small object, now and then. */
    @Benchmark
    public Object rarely() {
        if (++calls % 8 == 0) {
            last = new Object();
        }
        return last;
    }
}
