package io.zipcomm.documentation;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The tables of a document under {@code docs}, to compare them with the code. */
final class Document {

    private Document() {}

    /**
     * The rows of all tables below a heading, up to the next heading; without heads and rulers.
     *
     * @param name    file name under {@code docs}
     * @param heading whole line
     * @return the cells of each row, without the blanks around them
     */
    static List<List<String>> rows(String name, String heading) {
        List<List<String>> rows = new ArrayList<>();
        boolean inside = false;
        for (String line : lines(name)) {
            if (line.startsWith("#")) {
                inside = line.equals(heading);
            } else if (inside && line.startsWith("|")) {
                rows.add(cells(line));
            }
        }
        return withoutHeads(rows);
    }

    private static List<String> lines(String name) {
        try {
            return Files.readAllLines(Path.of("..", "docs", name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> cells(String line) {
        String inner = line.substring(1, line.lastIndexOf('|'));
        return Arrays.stream(inner.split("\\|", -1)).map(String::strip).toList();
    }

    /** A ruler stands below each head. */
    private static List<List<String>> withoutHeads(List<List<String>> rows) {
        List<List<String>> kept = new ArrayList<>();
        for (List<String> row : rows) {
            if (row.get(0).startsWith("---")) {
                kept.remove(kept.size() - 1);
            } else {
                kept.add(row);
            }
        }
        return kept;
    }

    /** The first cells of each row. */
    static List<List<String>> columns(List<List<String>> rows, int count) {
        return rows.stream().map(row -> row.subList(0, count)).toList();
    }

    static String code(String text) {
        return "`" + text + "`";
    }
}
