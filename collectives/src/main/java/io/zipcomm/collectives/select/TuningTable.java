package io.zipcomm.collectives.select;

import io.zipcomm.collectives.CollectiveOperation;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings.RelayCollectives;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.StringTokenizer;

/**
 * Which algorithm and which segments for which calls: rules in the order in which they are tried. The built-in table has
 * one for every call; a table of the user's goes before it. Must be equal on all ranks. Immutable.
 *
 * <p>The file format is described in the built-in table, {@code built-in.tuning}.
 */
public final class TuningTable {

    private static final String BUILT_IN = "built-in.tuning";
    private static final String ANY = "*";
    private static final int COLUMNS_MIN = 5;
    private static final int COLUMNS_MAX = 6;

    private final List<Rule> rules;

    private TuningTable(List<Rule> rules) {
        this.rules = List.copyOf(rules);
    }

    /** Read when used first: a process that never asks does not pay for it. */
    private static final class BuiltIn {
        static final TuningTable TABLE = new TuningTable(read());

        private static List<Rule> read() {
            try (InputStream in = TuningTable.class.getResourceAsStream(BUILT_IN)) {
                return parse("built-in", new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** The table that the library comes with. */
    public static TuningTable builtIn() {
        return BuiltIn.TABLE;
    }

    /**
     * The table in a file, before the built-in one.
     *
     * @param path of the file; empty for the built-in table alone
     * @throws ZipException BAD_SETTING if there is no such file, or a line is wrong
     */
    public static TuningTable of(String path) {
        if (path.isEmpty()) {
            return builtIn();
        }
        try (BufferedReader lines = Files.newBufferedReader(Path.of(path))) {
            List<Rule> all = parse(path, lines);
            all.addAll(builtIn().rules);
            return new TuningTable(all);
        } catch (IOException e) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    Setting.TUNING.variable() + " is '" + path + "': expected a readable file, got " + e);
        }
    }

    /** All rules, in the order in which they are tried. */
    public List<Rule> rules() {
        return rules;
    }

    /** Reads lines. Plain loops: a process's first collective pays for this. */
    private static List<Rule> parse(String name, BufferedReader lines) throws IOException {
        List<Rule> rules = new ArrayList<>();
        int number = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            number++;
            int comment = line.indexOf('#');
            StringTokenizer words = new StringTokenizer(comment < 0 ? line : line.substring(0, comment));
            if (words.hasMoreTokens()) {
                rules.add(parse(name + " line " + number, words));
            }
        }
        return rules;
    }

    private static Rule parse(String origin, StringTokenizer words) {
        int columns = words.countTokens();
        if (columns < COLUMNS_MIN || columns > COLUMNS_MAX) {
            throw wrong(origin, columns + " columns", "operation, hosts, ranks, bytes, algorithm and perhaps segment");
        }
        CollectiveOperation operation = operation(origin, words.nextToken());
        Rule.Spread hosts = hosts(origin, words.nextToken());
        Rule.Ranks ranks = ranks(origin, words.nextToken());
        String bytes = words.nextToken();
        boolean isPerRank = bytes.endsWith("/rank");
        String number = isPerRank ? bytes.substring(0, bytes.indexOf('/')) : bytes;
        long bytesMax = number.equals(ANY) ? Long.MAX_VALUE : number(origin, number, 0, Long.MAX_VALUE / (1 << 20));
        AlgorithmName algorithm = algorithm(origin, operation, words.nextToken());
        if (algorithm.needs() != RelayCollectives.OFF && hosts != Rule.Spread.RELAYED) {
            throw wrong(origin, "algorithm '" + algorithm + "' for other hosts than relayed", "hosts relayed");
        }
        String segments = columns == COLUMNS_MAX ? words.nextToken() : "";
        int dash = segments.indexOf('-');
        int min = segments.isEmpty() ? 0 : segmentBytes(origin, dash < 0 ? segments : segments.substring(0, dash));
        int max = dash < 0 ? min : segmentBytes(origin, segments.substring(dash + 1));
        if (max < min) {
            throw wrong(origin, "segment '" + segments + "'", "the shortest first");
        }
        return new Rule(origin, operation, hosts, ranks, bytesMax, isPerRank, algorithm, min, max);
    }

    private static CollectiveOperation operation(String origin, String text) {
        for (CollectiveOperation operation : CollectiveOperation.values()) {
            if (operation.toString().equals(text)) {
                return operation;
            }
        }
        throw wrong(origin, "operation '" + text + "'", "a name such as all-reduce");
    }

    private static Rule.Spread hosts(String origin, String text) {
        return switch (text) {
            case ANY -> Rule.Spread.ANY;
            case "one" -> Rule.Spread.ONE;
            case "memory" -> Rule.Spread.MEMORY;
            case "several" -> Rule.Spread.SEVERAL;
            case "shared" -> Rule.Spread.SHARED;
            case "cast" -> Rule.Spread.CAST;
            case "fabric" -> Rule.Spread.FABRIC;
            case "relayed" -> Rule.Spread.RELAYED;
            default ->
                throw wrong(origin, "hosts '" + text + "'", "one, memory, several, shared, cast, fabric, relayed or *");
        };
    }

    private static Rule.Ranks ranks(String origin, String text) {
        if (text.equals(ANY) || text.equals("2^k")) {
            return new Rule.Ranks(1, Integer.MAX_VALUE, !text.equals(ANY));
        }
        int dash = text.indexOf('-');
        int min = (int) number(origin, dash < 0 ? text : text.substring(0, dash), 1, Integer.MAX_VALUE);
        int max = dash < 0
                ? min
                : dash == text.length() - 1
                        ? Integer.MAX_VALUE
                        : (int) number(origin, text.substring(dash + 1), min, Integer.MAX_VALUE);
        return new Rule.Ranks(min, max, false);
    }

    private static AlgorithmName algorithm(String origin, CollectiveOperation operation, String text) {
        AlgorithmName name = AlgorithmName.of(text);
        if (name == null || !Algorithms.has(operation, name)) {
            throw wrong(
                    origin,
                    "algorithm '" + text + "'",
                    operation + " has " + Algorithms.of(operation) + " and " + Algorithms.ofRelay(operation));
        }
        return name;
    }

    private static int segmentBytes(String origin, String text) {
        int bytes = (int) number(origin, text, Selector.SEGMENT_ALIGNMENT, Integer.MAX_VALUE);
        if (bytes % Selector.SEGMENT_ALIGNMENT != 0) {
            throw wrong(origin, "segment '" + text + "'", "a multiple of " + Selector.SEGMENT_ALIGNMENT);
        }
        return bytes;
    }

    private static long number(String origin, String text, long min, long max) {
        try {
            long value = Long.parseLong(text);
            if (value >= min && value <= max) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw wrong(origin, "'" + text + "'", "a whole number from " + min);
    }

    private static ZipException wrong(String origin, String found, String expected) {
        return new ZipException(
                ErrorCode.BAD_SETTING,
                Setting.TUNING.variable() + ", " + origin + ": " + found + ": expected " + expected);
    }
}
