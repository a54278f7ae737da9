package io.zipcomm.bench.cli;

import io.zipcomm.bench.plan.Baseline;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Other systems to compare with, on the command line. */
final class BaselineName implements ITypeConverter<Baseline> {

    @Override
    public Baseline convert(String text) {
        try {
            return Baseline.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
