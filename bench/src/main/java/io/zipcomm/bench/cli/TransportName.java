package io.zipcomm.bench.cli;

import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Names of transports that this version has. */
final class TransportName implements ITypeConverter<String> {

    /** For help texts and errors. */
    static final String KNOWN = "auto, tcp, relay, aeron-ipc, aeron-udp, rdma";

    private static final List<String> NAMES = List.of(KNOWN.split(", ", -1));

    @Override
    public String convert(String text) {
        if (!NAMES.contains(text)) {
            throw new TypeConversionException("unknown transport '" + text + "'; known: " + KNOWN);
        }
        return text;
    }
}
