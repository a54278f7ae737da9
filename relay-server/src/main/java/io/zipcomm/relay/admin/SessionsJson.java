package io.zipcomm.relay.admin;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.zipcomm.relay.RelayStats;
import io.zipcomm.relay.SessionView;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;

/** Sessions as JSON. */
final class SessionsJson {

    /** More ranks are left out, and it is said that they are. */
    private static final int RANKS_MAX = 20_000;

    private static final JsonFactory FACTORY = new JsonFactory();

    private SessionsJson() {}

    static String of(RelayStats stats, List<SessionView> sessions) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(text)) {
            json.writeStartObject();
            json.writeBooleanField("draining", stats.draining());
            json.writeNumberField("connections", stats.connections());
            int shown = 0;
            json.writeArrayFieldStart("sessions");
            for (SessionView session : sessions) {
                shown += write(json, session, RANKS_MAX - shown);
            }
            json.writeEndArray();
            int ranks = sessions.stream()
                    .mapToInt(session -> session.ranks().size())
                    .sum();
            json.writeNumberField("ranksLeftOut", ranks - shown);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.append('\n').toString();
    }

    private static int write(JsonGenerator json, SessionView session, int ranksMax) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", session.name());
        json.writeStringField("state", session.epoch() == 0 ? "gathering" : "complete");
        json.writeNumberField("size", session.size());
        json.writeNumberField("present", session.ranks().size());
        json.writeNumberField("epoch", session.epoch());
        json.writeNumberField("ageMs", session.ageMs());
        json.writeNumberField("waitingBytes", session.waitingBytes());
        json.writeNumberField(
                "bytesForwarded",
                session.ranks().stream()
                        .mapToLong(SessionView.RankView::bytesForwarded)
                        .sum());
        json.writeArrayFieldStart("ranks");
        List<SessionView.RankView> ranks =
                session.ranks().subList(0, Math.min(ranksMax, session.ranks().size()));
        for (SessionView.RankView rank : ranks) {
            json.writeStartObject();
            json.writeNumberField("rank", rank.rank());
            json.writeStringField("address", rank.address());
            json.writeBooleanField("attached", rank.attached());
            json.writeNumberField("ageMs", rank.ageMs());
            json.writeNumberField("bytesForwarded", rank.bytesForwarded());
            json.writeNumberField("waitingBytes", rank.waitingBytes());
            json.writeNumberField("flows", rank.flows());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
        return ranks.size();
    }
}
