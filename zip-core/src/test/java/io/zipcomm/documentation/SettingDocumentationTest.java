package io.zipcomm.documentation;

import static io.zipcomm.documentation.Document.code;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.settings.Setting;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SettingDocumentationTest {

    @Test
    void shouldListEverySettingAsTheCatalogueHasIt() {
        List<List<String>> expected = Arrays.stream(Setting.values())
                .map(SettingDocumentationTest::row)
                .toList();
        assertEquals(text(expected), text(Document.rows("tuning.md", "## Settings of a process")));
    }

    private static List<String> row(Setting setting) {
        String value = setting.defaultText();
        String shown = value == null ? "required" : value.isEmpty() ? "none" : code(value);
        return List.of(code(setting.variable()), code(setting.property()), setting.unit(), shown, setting.meaning());
    }

    /** As it stands in the document, so that a difference can be copied from the test's output. */
    private static String text(List<List<String>> rows) {
        StringBuilder text = new StringBuilder();
        rows.forEach(row -> text.append("| ").append(String.join(" | ", row)).append(" |\n"));
        return text.toString();
    }
}
