package io.zipcomm.collectives.plan;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.kernel.Kernel;
import java.util.EnumMap;
import java.util.Map;

/** What the executions of one communicator share: scratch memory, kernels, a place to copy through. */
public final class Workspace {

    /** Stands for memory that a plan has no bytes of. */
    static final Payload NOTHING = Payload.empty(DataType.INT8);

    private final Scratch.Pool scratch = new Scratch.Pool();
    private final Copier copier = new Copier(); // engine holder only
    private final Map<DataType, Kernel> kernels = new EnumMap<>(DataType.class); // engine holder only

    Scratch.Pool scratch() {
        return scratch;
    }

    Copier copier() {
        return copier;
    }

    Kernel kernel(DataType type) {
        Kernel kernel = kernels.get(type);
        if (kernel == null) {
            kernel = Kernel.of(type);
            kernels.put(type, kernel);
        }
        return kernel;
    }
}
