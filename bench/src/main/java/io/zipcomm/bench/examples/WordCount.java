package io.zipcomm.bench.examples;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Counts the words of a folder of text files. Each rank reads some of the files; every word has one rank that adds up its
 * counts; the counts travel by all-to-all.
 *
 * <pre>
 * ./zip run --ranks 4 -- java io.zipcomm.bench.examples.WordCount FOLDER...
 * </pre>
 *
 * Without arguments it reads {@code docs} and {@code LICENSE} in the current folder.
 */
public final class WordCount {

    private static final int ROOT = 0;
    private static final int TOP = 10;
    private static final Pattern WORD = Pattern.compile("\\p{L}+(?:['’]\\p{L}+)*");

    private final Communicator world;
    private final Collectives collectives;

    WordCount(Communicator world) {
        this.world = world;
        collectives = Collectives.of(world);
    }

    /**
     * Joins the group and counts.
     *
     * @param args folders and files
     */
    public static void main(String[] args) throws IOException {
        List<Path> inputs = Arrays.stream(args.length > 0 ? args : new String[] {"docs", "LICENSE"})
                .map(Path::of)
                .toList();
        for (Path input : inputs) {
            if (!Files.exists(input)) {
                System.err.println("no such file or folder: " + input.toAbsolutePath());
                System.exit(2);
            }
        }
        try (Communicator world = Zip.join()) {
            new WordCount(world).count(inputs, System.out);
        }
    }

    /** Counts, and prints the result on the root. */
    void count(List<Path> inputs, PrintStream out) throws IOException {
        List<Path> files = textFiles(inputs);
        Map<String, Long> read = new HashMap<>();
        for (int i = world.rank(); i < files.size(); i += world.size()) {
            countWords(Files.readAllBytes(files.get(i)), read);
        }
        report(exchange(read), files.size(), out);
    }

    /** All files, in the same order on all ranks. */
    private static List<Path> textFiles(List<Path> inputs) throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path input : inputs) {
            try (Stream<Path> below = Files.walk(input)) {
                below.filter(Files::isRegularFile).sorted().forEach(files::add);
            }
        }
        return files;
    }

    static void countWords(byte[] text, Map<String, Long> counts) {
        Matcher words = WORD.matcher(new String(text, StandardCharsets.UTF_8));
        while (words.find()) {
            counts.merge(words.group().toLowerCase(Locale.ROOT), 1L, Long::sum);
        }
    }

    /** Sends every count to the rank that adds up its word; returns the words of this rank. */
    private Map<String, Long> exchange(Map<String, Long> read) {
        List<Map<String, Long>> parts = new ArrayList<>();
        for (int rank = 0; rank < world.size(); rank++) {
            parts.add(new HashMap<>());
        }
        read.forEach((word, count) ->
                parts.get(Math.floorMod(word.hashCode(), world.size())).put(word, count));
        List<byte[]> messages = parts.stream().map(WordCount::encode).toList();

        // How much comes from whom, then the counts themselves.
        int[] sent = messages.stream().mapToInt(message -> message.length).toArray();
        int[] arriving = new int[world.size()];
        collectives.allToAll(sent, arriving);
        byte[] target = new byte[Arrays.stream(arriving).sum()];
        collectives.allToAllv(concatenate(messages), sent, target, arriving);

        Map<String, Long> owned = new HashMap<>();
        decode(target, owned);
        return owned;
    }

    private void report(Map<String, Long> owned, int files, PrintStream out) {
        long words = 0;
        long checksum = 0;
        for (Map.Entry<String, Long> entry : owned.entrySet()) {
            words += entry.getValue();
            checksum += entry.getKey().hashCode() * 0x9e3779b97f4a7c15L * entry.getValue();
        }
        long[] totals = {words, owned.size(), checksum};
        collectives.allReduce(totals, ReduceOp.SUM);
        List<Map.Entry<String, Long>> top = topOfAll(owned);
        if (world.rank() == ROOT) {
            out.printf(
                    Locale.ROOT,
                    "%d words, %d different, in %d files; checksum %016x%n",
                    totals[0],
                    totals[1],
                    files,
                    totals[2]);
            top.forEach(entry -> out.printf(Locale.ROOT, "%8d %s%n", entry.getValue(), entry.getKey()));
        }
    }

    /** The most frequent words, on the root: each rank sends its own, since a word is on one rank only. */
    private List<Map.Entry<String, Long>> topOfAll(Map<String, Long> owned) {
        byte[] mine = encode(top(owned).stream().collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
        int[] lengths = new int[world.size()];
        collectives.allGather(new int[] {mine.length}, lengths);
        byte[] all = new byte[world.rank() == ROOT ? Arrays.stream(lengths).sum() : 0];
        collectives.gatherv(mine, all, lengths, ROOT);
        Map<String, Long> candidates = new HashMap<>();
        decode(all, candidates);
        return top(candidates);
    }

    /** By count, words with equal counts in alphabetical order. */
    private static List<Map.Entry<String, Long>> top(Map<String, Long> counts) {
        return counts.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(TOP)
                .toList();
    }

    /** A word and its count a line. */
    private static byte[] encode(Map<String, Long> counts) {
        StringBuilder lines = new StringBuilder();
        new TreeMap<>(counts)
                .forEach((word, count) ->
                        lines.append(word).append(' ').append(count).append('\n'));
        return lines.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void decode(byte[] lines, Map<String, Long> counts) {
        new String(lines, StandardCharsets.UTF_8).lines().forEach(line -> {
            int blank = line.indexOf(' ');
            counts.merge(line.substring(0, blank), Long.valueOf(line.substring(blank + 1)), Long::sum);
        });
    }

    private static byte[] concatenate(List<byte[]> messages) {
        byte[] whole =
                new byte[messages.stream().mapToInt(message -> message.length).sum()];
        int at = 0;
        for (byte[] message : messages) {
            System.arraycopy(message, 0, whole, at, message.length);
            at += message.length;
        }
        return whole;
    }
}
