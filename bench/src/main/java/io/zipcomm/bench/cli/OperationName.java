package io.zipcomm.bench.cli;

import io.zipcomm.bench.plan.BenchOperation;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Names of operations, on the command line. */
final class OperationName implements ITypeConverter<BenchOperation> {

    @Override
    public BenchOperation convert(String text) {
        try {
            return BenchOperation.of(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
