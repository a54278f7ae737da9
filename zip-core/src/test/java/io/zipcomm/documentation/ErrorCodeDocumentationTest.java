package io.zipcomm.documentation;

import static io.zipcomm.documentation.Document.code;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.error.ErrorCode;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ErrorCodeDocumentationTest {

    @Test
    void shouldListEveryCodeWithItsNumber() {
        List<List<String>> expected = Arrays.stream(ErrorCode.values())
                .map(one -> List.of(Integer.toString(one.number()), code(one.name())))
                .toList();
        assertEquals(expected, Document.columns(Document.rows("errors.md", "## Codes"), 2));
    }
}
