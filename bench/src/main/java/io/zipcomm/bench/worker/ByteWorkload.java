package io.zipcomm.bench.worker;

import java.util.List;

/** An operation that moves bytes unchanged. */
record ByteWorkload(List<Stretch> inputs, List<Stretch> outputs, Runnable operation) implements Workload {

    @Override
    public void prepare(int iteration, boolean all) {
        // Outputs first: in an operation in place the root's memory is both.
        for (Stretch output : outputs) {
            output.poison(iteration, all);
        }
        for (Stretch input : inputs) {
            input.write(iteration, all);
        }
    }

    @Override
    public void run() {
        operation.run();
    }

    @Override
    public String mismatch(int iteration, boolean all) {
        for (Stretch output : outputs) {
            String mismatch = output.mismatch(iteration, all);
            if (mismatch != null) {
                return mismatch;
            }
        }
        return null;
    }
}
