package io.zipcomm.bench.doctor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;

/** Findings for programs: {@code {"healthy": true, "findings": [{"topic": ..., "text": ..., "wrong": false}, ...]}}. */
public final class FindingsJson {

    private FindingsJson() {}

    /** All findings of one examination, on one line. */
    public static String of(List<Finding> findings) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeBooleanField("healthy", findings.stream().noneMatch(Finding::wrong));
            json.writeArrayFieldStart("findings");
            for (Finding one : findings) {
                json.writeStartObject();
                json.writeStringField("topic", one.topic());
                json.writeStringField("text", one.text());
                json.writeBooleanField("wrong", one.wrong());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        return text.toString();
    }
}
