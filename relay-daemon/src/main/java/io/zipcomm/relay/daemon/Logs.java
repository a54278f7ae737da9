package io.zipcomm.relay.daemon;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.EncoderBase;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.Locale;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where log lines go: to standard error, if the daemon's own backend is there. */
final class Logs {

    private static final String TEXT = "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %logger{0}: %msg %kvp%n%ex";

    private Logs() {}

    /**
     * Sets format and level.
     *
     * @throws ZipException with code BAD_SETTING if the backend that is there knows no such format
     */
    static void configure(LogFormat format, org.slf4j.event.Level level) {
        ILoggerFactory backend = LoggerFactory.getILoggerFactory();
        if (backend.getClass().getName().startsWith("ch.qos.logback.")) {
            Logback.configure((LoggerContext) backend, format, level);
        } else if (format != LogFormat.TEXT) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    "log format " + format.name().toLowerCase(Locale.ROOT) + ": only Logback writes it, and"
                            + " lines go to " + backend.getClass().getName() + " here; start the relay by its own jar");
        }
    }

    /** Loaded only where the library is. */
    private static final class Logback {

        static void configure(LoggerContext context, LogFormat format, org.slf4j.event.Level level) {
            context.reset();
            EncoderBase<ILoggingEvent> encoder = encoder(format);
            encoder.setContext(context);
            encoder.start();
            ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
            appender.setContext(context);
            appender.setTarget("System.err");
            appender.setEncoder(encoder);
            appender.start();
            var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
            root.addAppender(appender);
            root.setLevel(Level.convertAnSLF4JLevel(level));
            // Its debugging says how it looks for libraries, and much of it.
            context.getLogger("io.netty").setLevel(Level.WARN);
            // It warns of machines without an Ethernet address.
            context.getLogger("io.netty.util.internal.MacAddressUtil").setLevel(Level.ERROR);
        }

        private static EncoderBase<ILoggingEvent> encoder(LogFormat format) {
            return switch (format) {
                case TEXT -> {
                    PatternLayoutEncoder text = new PatternLayoutEncoder();
                    text.setPattern(TEXT);
                    yield text;
                }
                case JSON -> {
                    JsonEncoder json = new JsonEncoder();
                    json.setWithFormattedMessage(true);
                    json.setWithMessage(false);
                    json.setWithArguments(false);
                    json.setWithSequenceNumber(false);
                    json.setWithNanoseconds(false);
                    json.setWithContext(false);
                    json.setWithMDC(false);
                    yield json;
                }
            };
        }
    }
}
