package io.zipcomm.bench.report.html;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Properties;

/** What the page is made of besides the run: templates of this package, and the charting library inside its jar. */
final class Assets {

    private static final String ECHARTS = "/META-INF/resources/_static/echarts/";

    private Assets() {}

    /** A file of this package. */
    static String own(String name) {
        return text(name);
    }

    /** The version of the charting library. */
    static String chartsVersion() {
        Properties properties = new Properties();
        try {
            properties.load(new StringReader(text("/META-INF/maven/org.mvnpm/echarts/pom.properties")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("version");
    }

    /** The script of the charting library: its charts with axes and its SVG renderer. */
    static String charts() {
        return text(ECHARTS + chartsVersion() + "/dist/echarts.common.min.js");
    }

    /** What the licence of the charting library wants to be passed on. */
    static String chartsNotice() {
        return text(ECHARTS + chartsVersion() + "/NOTICE");
    }

    private static String text(String name) {
        try (InputStream in = Assets.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing: the build did not put it beside the classes");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(name + " cannot be read", e);
        }
    }
}
